"""From the cluster's objects to one Envoy's configuration, as istiod makes it. Pure.

    sidecar.py node.py     all of one Envoy: a pod's sidecar, and the node's own
    gateway/               that of a gateway: its ports, route tables and certificates
    inbound.py             what a sidecar takes in for its application
    http_proxy.py          every port's route table in one, for the listener that http_proxy names
    tcp_ports.py           where connections to ports that are not HTTP go; tcp_route.py a VirtualService's
    virtual_hosts.py       one route table a port: which VirtualService speaks for which Service
    virtual_services.py    in which order they speak; delegates.py what a rule has of its delegate
    gateway_api/           HTTPRoutes as VirtualServices, one file a concern, and their statuses
    http_route/            a VirtualService's routes, one file a field
    clusters.py            one cluster for each Service port and subset
    traffic_policy/        a DestinationRule's policies, one file a field
    endpoints.py           the ready pods of a cluster
    memo.py                what is made once, and anew only where something changed that it was made of

A field that Istio has and this has not is missing in the FIELDS of its file: admission.py refuses it by name.
"""

from kata_lib.engines.embedded.mesh.translate import gateway, node, sidecar
from kata_lib.engines.embedded.mesh.translate.model import Addresses, MeshSnapshot, Proxy, ProxyConfig

__all__ = ["Addresses", "MeshSnapshot", "Proxy", "ProxyConfig", "translate"]


def translate(snapshot: MeshSnapshot, proxy: Proxy, addresses: Addresses) -> ProxyConfig:
    """Return what a proxy should run; the snapshot is shared by all proxies of one moment.

    Resources that two of them have alike, or one at two moments, are the same ones: nobody may change them.
    """
    made = {"node": node.config, "router": gateway.config, "sidecar": sidecar.config}[proxy.kind]
    return snapshot.once(("configuration", proxy), lambda: made(snapshot, proxy, addresses))
