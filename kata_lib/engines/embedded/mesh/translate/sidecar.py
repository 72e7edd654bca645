"""A sidecar's configuration: what its application asks of others, and what others ask of it."""

from collections.abc import Iterable, Sequence

from kata_lib.engines.embedded.mesh.injection import PROXY_HTTP_PORT
from kata_lib.engines.embedded.mesh.translate import (
    access_log,
    clusters,
    http_proxy,
    inbound,
    tcp_ports,
    virtual_hosts,
    virtual_services,
)
from kata_lib.engines.embedded.mesh.translate.endpoints import describe
from kata_lib.engines.embedded.mesh.translate.model import (
    Addresses,
    Envoy,
    MeshSnapshot,
    Proxy,
    ProxyConfig,
)
from kata_lib.engines.embedded.mesh.translate.tcp_ports import TcpPort
from kata_lib.engines.embedded.store import Obj


def config(snapshot: MeshSnapshot, proxy: Proxy, addresses: Addresses) -> ProxyConfig:
    """Return what a pod's sidecar runs."""
    pod = proxy.pod
    if pod is None:
        raise ValueError("a sidecar's proxy names its pod")
    alike = (proxy.namespace, virtual_services.asked_of(proxy, snapshot))
    tcp = snapshot.once(("tcp", *alike), lambda: tcp_ports.of(snapshot, proxy))
    table = snapshot.once(
        ("routes", *alike), lambda: http_proxy.merged(virtual_hosts.tables(snapshot, proxy), tcp)
    )
    own_listeners, own_clusters = snapshot.once(("own", proxy), lambda: _own(snapshot, pod, addresses))
    passages = [http_proxy.passage_cluster(port) for port in tcp]
    return ProxyConfig(
        listeners=_by_name([*own_listeners, *_passage_listeners(tcp, pod)]),
        clusters={
            **clusters.outbound(snapshot, proxy.namespace),
            **_by_name([*passages, *own_clusters]),
        },
        endpoints=clusters.endpoints(snapshot, proxy.namespace, addresses),
        routes={table["name"]: table},
    )


def _own(snapshot: MeshSnapshot, pod: Obj, addresses: Addresses) -> tuple[list[Envoy], list[Envoy]]:
    """Return the listeners at which a pod is asked and asks, and the clusters that are its application."""
    ports = list(inbound.ports(pod, snapshot))
    address = addresses.listen_at(pod["metadata"]["uid"], PROXY_HTTP_PORT)
    outbound = http_proxy.listener(address, access_log.outbound(describe(pod)))
    return (
        [outbound, *(inbound.listener(pod, port, addresses) for port in ports)],
        [inbound.cluster(pod, port, snapshot, addresses) for port in ports],
    )


def _passage_listeners(tcp: Sequence[TcpPort], pod: Obj) -> list[Envoy]:
    connections = access_log.outbound_connections(describe(pod)) if tcp else []
    return [http_proxy.passage_listener(port, pod["metadata"]["uid"], connections) for port in tcp]


def _by_name(resources: Iterable[Envoy]) -> dict[str, Envoy]:
    return {resource["name"]: resource for resource in resources}
