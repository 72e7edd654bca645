"""What a sidecar takes in for its application: a listener for each port, and the cluster that leads to it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kata_lib.cluster.labels import selects
from kata_lib.cluster.pods import SIDECAR
from kata_lib.engines.embedded.mesh.translate import access_log, clusters, http_proxy
from kata_lib.engines.embedded.mesh.translate.destination_rules import rule_for
from kata_lib.engines.embedded.mesh.translate.endpoints import describe, socket_address
from kata_lib.engines.embedded.mesh.translate.model import (
    Addresses,
    Envoy,
    MeshSnapshot,
    Service,
    ServicePort,
)
from kata_lib.engines.embedded.mesh.translate.tcp_ports import tcp_proxy
from kata_lib.engines.embedded.mesh.translate.traffic_policy import connection_pool, retry_budget
from kata_lib.engines.embedded.store import Obj

_HTTP_INSPECTOR = "envoy.filters.listener.http_inspector"
_HTTP_INSPECTOR_TYPE = "type.googleapis.com/envoy.extensions.filters.listener.http_inspector.v3.HttpInspector"
_SEEN_AS_HTTP = {"application_protocols": ["http/1.1", "h2c"]}
_SERVICE_LABELS = ("destination_service", "destination_service_name", "destination_service_namespace")


@dataclass(frozen=True)
class InboundPort:
    """A port of a pod's application, and the port of the Service that sends requests there, if one does."""

    number: int
    service: Service | None = None
    service_port: ServicePort | None = None

    @property
    def name(self) -> str:
        """What its listener and its cluster are called, as by istiod."""
        return f"inbound|{self.number}||"


def ports(pod: Obj, snapshot: MeshSnapshot) -> Iterator[InboundPort]:
    """Yield each port that is asked of the application, in order."""
    containers = [c for c in pod["spec"]["containers"] if c["name"] != SIDECAR]
    declared = [port for container in containers for port in container.get("ports", [])]
    named = {port["name"]: port["containerPort"] for port in declared if "name" in port}
    found: dict[int, InboundPort] = {}
    for service in snapshot.services.values():
        if service.namespace == pod["metadata"]["namespace"] and selects(service.selector, pod):
            for port in service.ports:
                target = named.get(port.target) if isinstance(port.target, str) else port.target
                if target is not None:
                    found.setdefault(target, InboundPort(target, service, port))
    for port in declared:
        found.setdefault(port["containerPort"], InboundPort(port["containerPort"]))
    for number in sorted(found):
        yield found[number]


def listener(pod: Obj, port: InboundPort, addresses: Addresses) -> Envoy:
    """Return the listener of a port."""
    return {
        "name": port.name,
        "address": socket_address(*addresses.listen_at(pod["metadata"]["uid"], port.number)),
        "traffic_direction": "INBOUND",
        **_chains(pod, port),
    }


def cluster(pod: Obj, port: InboundPort, snapshot: MeshSnapshot, addresses: Addresses) -> Envoy:
    """Return the cluster that is the application itself, at a port.

    Of a DestinationRule for its Service the limits of connections hold here, too.
    """
    address = addresses.application_at(pod["metadata"]["uid"], port.number)
    made: dict[str, Any] = {
        "name": port.name,
        "type": "STATIC",
        "connect_timeout": clusters.CONNECT_TIMEOUT,
        "circuit_breakers": clusters.unlimited(),
        "load_assignment": {
            "cluster_name": port.name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": socket_address(*address)}}]}],
        },
    }
    if port.service is not None and port.service_port is not None:
        clusters.speak(made, port.service_port)
        rule = rule_for(snapshot, port.service, pod["metadata"]["namespace"])
        policy = rule.policy_for("", port.service_port.number)
        connection_pool.apply(policy.get("connectionPool", {}), made)
        retry_budget.apply(policy.get("retryBudget"), made)
    return made


def _chains(pod: Obj, port: InboundPort) -> Envoy:
    """Return what takes connections: for requests, for bytes, or for both where Istio looks which they are.

    A port that only the pod's manifest names gets bytes.
    """
    counted = describe(pod), _service_labels(port.service)
    if port.service_port is None or not port.service_port.routed:
        return {"filter_chains": [_passed_on(port, *counted)]}
    requests = {"filters": [_connection_manager(port, access_log.inbound(*counted))]}
    if port.service_port.protocol is not None:
        return {"filter_chains": [requests]}
    return {
        "listener_filters": [{"name": _HTTP_INSPECTOR, "typed_config": {"@type": _HTTP_INSPECTOR_TYPE}}],
        "listener_filters_timeout": "0s",
        "filter_chains": [{"filter_chain_match": _SEEN_AS_HTTP, **requests}, _passed_on(port, *counted)],
    }


def _passed_on(port: InboundPort, pod: Mapping[str, str], service: Mapping[str, str]) -> Envoy:
    return {"filters": [tcp_proxy({"cluster": port.name}, access_log.inbound_connections(pod, service))]}


def _service_labels(service: Service | None) -> dict[str, str]:
    names = (service.hostname, service.name, service.namespace) if service else ("unknown",) * 3
    return dict(zip(_SERVICE_LABELS, names, strict=True))


def _connection_manager(port: InboundPort, log: list[Envoy]) -> Envoy:
    made = http_proxy.connection_manager("inbound", {"route_config": _routes(port)}, [], log)
    made["typed_config"]["server_name"] = "istio-envoy"
    return made


def _routes(port: InboundPort) -> Envoy:
    action = {
        "cluster": port.name,
        "timeout": "0s",
        # an application may close an idle connection in the very moment in which a request is sent on it
        "retry_policy": {"retry_on": "reset-before-request", "num_retries": 2},
    }
    route = {"name": "default", "match": {"prefix": "/"}, "route": action}
    host = {"name": f"inbound|http|{port.number}", "domains": ["*"], "routes": [route]}
    return {"name": port.name, "virtual_hosts": [host], "validate_clusters": False}
