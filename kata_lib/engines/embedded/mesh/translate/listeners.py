"""A sidecar's configuration: a listener for what its application asks, one for each port it is asked at."""

from collections.abc import Iterator
from typing import Any

from kata_lib.engines.embedded.mesh.injection import PROXY_CONTAINER, PROXY_HTTP_PORT
from kata_lib.engines.embedded.mesh.translate import access_log, clusters, http_proxy, virtual_hosts
from kata_lib.engines.embedded.mesh.translate.endpoints import describe, socket_address
from kata_lib.engines.embedded.mesh.translate.model import (
    Addresses,
    Envoy,
    MeshSnapshot,
    Proxy,
    ProxyConfig,
    Service,
)
from kata_lib.engines.embedded.mesh.translate.traffic_policy.connection_pool import http_protocol
from kata_lib.engines.embedded.store import Obj

_TCP_PROXY = "envoy.filters.network.tcp_proxy"
_TCP_PROXY_TYPE = "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"
_NO_SERVICE = dict.fromkeys(
    ("destination_service", "destination_service_name", "destination_service_namespace"), "unknown"
)


def config(snapshot: MeshSnapshot, proxy: Proxy, addresses: Addresses) -> ProxyConfig:
    """Return what a pod's sidecar runs."""
    pod = proxy.pod
    if pod is None:
        raise ValueError("a sidecar's proxy names its pod")
    outbound, endpoints = snapshot.once(
        ("clusters", proxy.namespace), lambda: clusters.outbound(snapshot, proxy.namespace, addresses)
    )
    table = snapshot.once(
        ("routes", proxy.namespace, frozenset(proxy.labels.items())),
        lambda: http_proxy.merged(virtual_hosts.tables(snapshot, proxy)),
    )
    uid = pod["metadata"]["uid"]
    log = access_log.outbound(describe(pod))
    listeners = [http_proxy.listener(addresses.listen_at(uid, PROXY_HTTP_PORT), log)]
    inbound: dict[str, Envoy] = {}
    for port, protocol, service in _ports(pod, snapshot):
        listeners.append(_inbound_listener(pod, port, protocol, service, addresses))
        inbound[_inbound_name(port)] = _inbound_cluster(uid, port, protocol, addresses)
    return ProxyConfig(
        listeners={listener["name"]: listener for listener in listeners},
        clusters={**outbound, **inbound},
        endpoints=endpoints,
        routes={table["name"]: table},
    )


def _ports(pod: Obj, snapshot: MeshSnapshot) -> Iterator[tuple[int, str, Service | None]]:
    """Yield each port that is asked of the application, its protocol, and a Service it belongs to.

    A port that only the manifest of the pod names is passed on as bytes, as by Istio.
    """
    containers = [c for c in pod["spec"]["containers"] if c["name"] != PROXY_CONTAINER]
    declared = [port for container in containers for port in container.get("ports", [])]
    named = {port["name"]: port["containerPort"] for port in declared if "name" in port}
    found: dict[int, tuple[str, Service | None]] = {}
    labels = pod["metadata"].get("labels", {})
    for service in snapshot.services.values():
        if service.namespace == pod["metadata"]["namespace"] and _selects(service, labels):
            for port in service.ports:
                target = named.get(port.target) if isinstance(port.target, str) else port.target
                if target is not None:
                    found.setdefault(target, (port.protocol, service))
    for port in declared:
        found.setdefault(port["containerPort"], ("tcp", None))
    for number in sorted(found):
        yield number, *found[number]


def _selects(service: Service, labels: dict[str, str]) -> bool:
    return bool(service.selector) and service.selector.items() <= labels.items()


def _inbound_name(port: int) -> str:
    return f"inbound|{port}||"


def _inbound_listener(
    pod: Obj, port: int, protocol: str, service: Service | None, addresses: Addresses
) -> Envoy:
    if protocol == "tcp":
        network_filter = tcp_proxy(_inbound_name(port))
    else:
        labels = _NO_SERVICE
        if service is not None:
            names = (service.hostname, service.name, service.namespace)
            labels = dict(zip(_NO_SERVICE, names, strict=True))
        network_filter = http_proxy.connection_manager(
            "inbound", {"route_config": _inbound_routes(port)}, [], access_log.inbound(describe(pod), labels)
        )
        network_filter["typed_config"]["server_name"] = "istio-envoy"
    return {
        "name": _inbound_name(port),
        "address": socket_address(*addresses.listen_at(pod["metadata"]["uid"], port)),
        "traffic_direction": "INBOUND",
        "filter_chains": [{"filters": [network_filter]}],
    }


def _inbound_routes(port: int) -> Envoy:
    action = {
        "cluster": _inbound_name(port),
        "timeout": "0s",
        # an application may close an idle connection in the very moment in which a request is sent on it
        "retry_policy": {"retry_on": "reset-before-request", "num_retries": 2},
    }
    route = {"name": "default", "match": {"prefix": "/"}, "route": action}
    host = {"name": f"inbound|http|{port}", "domains": ["*"], "routes": [route]}
    return {"name": _inbound_name(port), "virtual_hosts": [host], "validate_clusters": False}


def _inbound_cluster(uid: str, port: int, protocol: str, addresses: Addresses) -> Envoy:
    name = _inbound_name(port)
    endpoint = {"endpoint": {"address": socket_address(*addresses.application_at(uid, port))}}
    cluster: dict[str, Any] = {
        "name": name,
        "type": "STATIC",
        "connect_timeout": clusters.CONNECT_TIMEOUT,
        "circuit_breakers": clusters.unlimited(),
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }
    if protocol == "http2":
        http_protocol(cluster, "http2_protocol_options")
    return cluster


def tcp_proxy(cluster: str) -> Envoy:
    """Return Envoy's filter that passes bytes on to a cluster."""
    config = {"@type": _TCP_PROXY_TYPE, "stat_prefix": "tcp", "cluster": cluster}
    return {"name": _TCP_PROXY, "typed_config": config}
