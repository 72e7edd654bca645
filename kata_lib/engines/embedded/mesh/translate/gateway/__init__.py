"""A gateway's configuration: what its Envoy, a router without an application, takes in and where it goes.

    servers.py        which of Istio's Gateways are a pod's, and its ports with their servers
    route_tables.py   the VirtualServices bound to them, as one route table for the servers of a name
    listeners.py      a listener for each port

Source: istio/istio, pilot/pkg/model/gateway.go and pilot/pkg/networking/core/gateway.go.
"""

from kata_lib.engines.embedded.mesh.translate import access_log, clusters
from kata_lib.engines.embedded.mesh.translate.endpoints import describe
from kata_lib.engines.embedded.mesh.translate.gateway import listeners, route_tables, servers
from kata_lib.engines.embedded.mesh.translate.model import Addresses, MeshSnapshot, Proxy, ProxyConfig

FIELDS = servers.FIELDS


def config(snapshot: MeshSnapshot, proxy: Proxy, addresses: Addresses) -> ProxyConfig:
    """Return what a gateway's Envoy runs."""
    pod = proxy.pod
    if pod is None:
        raise ValueError("a gateway's proxy names its pod")
    ports = servers.ports(snapshot, pod)
    tables = [
        route_tables.table(name, of_table, snapshot, proxy)
        for port in ports
        for name, of_table in port.tables.items()
    ]
    log = access_log.outbound(describe(pod))
    made = [listeners.listener(port, pod, snapshot, addresses, log) for port in ports]
    return ProxyConfig(
        listeners={listener["name"]: listener for listener in made if listener["filter_chains"]},
        clusters=clusters.outbound(snapshot, proxy.namespace),
        endpoints=clusters.endpoints(snapshot, proxy.namespace, addresses),
        routes={table["name"]: table for table in tables},
    )
