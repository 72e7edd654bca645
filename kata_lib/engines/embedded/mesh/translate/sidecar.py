"""A sidecar's configuration: what its application asks of others, and what others ask of it."""

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
from kata_lib.engines.embedded.mesh.translate.model import Addresses, MeshSnapshot, Proxy, ProxyConfig


def config(snapshot: MeshSnapshot, proxy: Proxy, addresses: Addresses) -> ProxyConfig:
    """Return what a pod's sidecar runs."""
    pod = proxy.pod
    if pod is None:
        raise ValueError("a sidecar's proxy names its pod")
    outbound, endpoints = snapshot.once(
        ("clusters", proxy.namespace), lambda: clusters.outbound(snapshot, proxy.namespace, addresses)
    )
    alike = (proxy.namespace, virtual_services.asked_of(proxy, snapshot))
    tcp = snapshot.once(("tcp", *alike), lambda: tcp_ports.of(snapshot, proxy))
    table = snapshot.once(
        ("routes", *alike), lambda: http_proxy.merged(virtual_hosts.tables(snapshot, proxy), tcp)
    )
    own = list(inbound.ports(pod, snapshot))
    source = describe(pod)
    address = addresses.listen_at(pod["metadata"]["uid"], PROXY_HTTP_PORT)
    connections = access_log.outbound_connections(source) if tcp else []
    listeners = [
        http_proxy.listener(address, access_log.outbound(source)),
        *(http_proxy.passage_listener(port, pod["metadata"]["uid"], connections) for port in tcp),
        *(inbound.listener(pod, port, addresses) for port in own),
    ]
    leading = [
        *(http_proxy.passage_cluster(port) for port in tcp),
        *(inbound.cluster(pod, port, snapshot, addresses) for port in own),
    ]
    return ProxyConfig(
        listeners={listener["name"]: listener for listener in listeners},
        clusters={**outbound, **{cluster["name"]: cluster for cluster in leading}},
        endpoints=endpoints,
        routes={table["name"]: table},
    )
