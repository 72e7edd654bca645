"""The node's Envoy: what kube-proxy does, connection by connection, and the way out of a pod without sidecar.

Neither Istio's routes nor its policies hold here. A pod without a sidecar asks by HTTP proxy, so its requests
are spread, not its connections; short names there are those of the default namespace.
"""

from collections.abc import Iterator

from kata_lib.engines.embedded.mesh.injection import PROXY_HTTP_PORT
from kata_lib.engines.embedded.mesh.translate import http_proxy
from kata_lib.engines.embedded.mesh.translate.clusters import outbound_cluster
from kata_lib.engines.embedded.mesh.translate.endpoints import load_assignment, socket_address
from kata_lib.engines.embedded.mesh.translate.hosts import cluster_name, domains
from kata_lib.engines.embedded.mesh.translate.model import (
    Addresses,
    Envoy,
    MeshSnapshot,
    Proxy,
    ProxyConfig,
    Service,
    ServicePort,
)
from kata_lib.engines.embedded.mesh.translate.tcp_ports import tcp_proxy
from kata_lib.engines.embedded.mesh.translate.virtual_hosts import Tables, virtual_host

NODE = "node"
"""The owner of the node's own ports, as addresses.py knows it."""
_NAMESPACE = "default"


def config(snapshot: MeshSnapshot, proxy: Proxy, addresses: Addresses) -> ProxyConfig:
    """Return what the node's Envoy runs."""
    listeners = [http_proxy.listener(addresses.listen_at(NODE, PROXY_HTTP_PORT), [])]
    clusters: dict[str, Envoy] = {}
    endpoints: dict[str, Envoy] = {}
    tables: Tables = {}
    for service, port in _ports(snapshot):
        name = cluster_name(service.hostname, port.number)
        clusters[name] = {**outbound_cluster(name, service, port), "lb_policy": "RANDOM"}
        endpoints[name] = load_assignment(name, snapshot, service, port, addresses, {})
        listeners.extend(_listeners(service, port, name, addresses))
        tables.setdefault(port.number, []).append(_virtual_host(service, port, name))
    table = http_proxy.merged(tables)
    return ProxyConfig(
        listeners={listener["name"]: listener for listener in listeners},
        clusters=clusters,
        endpoints=endpoints,
        routes={table["name"]: table},
    )


def _ports(snapshot: MeshSnapshot) -> Iterator[tuple[Service, ServicePort]]:
    for service in snapshot.services.values():
        for port in service.ports:
            yield service, port


def _listeners(service: Service, port: ServicePort, cluster: str, addresses: Addresses) -> Iterator[Envoy]:
    if service.cluster_ip:
        address = addresses.service_at(service.cluster_ip, port.number)
        yield _tcp_listener(f"service|{port.number}|{service.hostname}", address, cluster)
    if port.node_port:
        yield _tcp_listener(f"node-port|{port.node_port}", addresses.listen_at(NODE, port.node_port), cluster)


def _tcp_listener(name: str, address: tuple[str, int], cluster: str) -> Envoy:
    return {
        "name": name,
        "address": socket_address(*address),
        "filter_chains": [{"filters": [tcp_proxy({"cluster": cluster})]}],
    }


def _virtual_host(service: Service, port: ServicePort, cluster: str) -> Envoy:
    route = {"match": {"prefix": "/"}, "route": {"cluster": cluster, "timeout": "0s"}}
    return virtual_host(f"{service.hostname}:{port.number}", domains(service, _NAMESPACE), [route])
