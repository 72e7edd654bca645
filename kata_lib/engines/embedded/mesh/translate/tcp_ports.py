"""Ports whose protocol is not HTTP: what becomes of the connections to each, as in istiod's listeners."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kata_lib.engines.embedded.mesh.translate import tcp_route, virtual_services
from kata_lib.engines.embedded.mesh.translate.hosts import cluster_name, domains
from kata_lib.engines.embedded.mesh.translate.http_route.context import RouteContext
from kata_lib.engines.embedded.mesh.translate.model import (
    Envoy,
    MeshSnapshot,
    Proxy,
    Service,
    ServicePort,
)

_TCP_PROXY = "envoy.filters.network.tcp_proxy"
_TCP_PROXY_TYPE = "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"


@dataclass(frozen=True)
class TcpPort:
    """One port of a Service, the names by which it is asked for, and where its connections go.

    `clusters` is that part of Envoy's TCP proxy.
    """

    service: Service
    port: ServicePort
    names: list[str]
    clusters: Envoy


def of(snapshot: MeshSnapshot, proxy: Proxy) -> list[TcpPort]:
    """Return the ports that a sidecar passes connections to, without a look at what is said."""
    candidates = virtual_services.bound(snapshot, proxy.namespace)
    made = []
    for service in snapshot.services.values():
        rules = list(virtual_services.tcp_rules(candidates, service.hostname))
        for port in service.ports:
            if not port.routed:
                context = RouteContext(snapshot, proxy.namespace, proxy.labels, port.number)
                names = domains(service, proxy.namespace)
                made.append(TcpPort(service, port, names, _clusters(service, port, rules, context)))
    return made


def tcp_proxy(clusters: Envoy, access_log: Sequence[Envoy] = ()) -> Envoy:
    """Return Envoy's filter that passes bytes on to a cluster, or by weights to one of several."""
    config: Envoy = {"@type": _TCP_PROXY_TYPE, "stat_prefix": "tcp", **clusters}
    if access_log:
        config |= {"access_log": [*access_log], "access_log_options": {"flush_access_log_on_connected": True}}
    return {"name": _TCP_PROXY, "typed_config": config}


def _clusters(
    service: Service, port: ServicePort, rules: list[Mapping[str, Any]], context: RouteContext
) -> Envoy:
    """Return the clusters; connections of TLS have routes of their own, which are not among these."""
    for rule in rules:
        if port.protocol not in ("https", "tls") and tcp_route.holds(rule, context):
            return tcp_route.envoy(rule, context)
    cluster = cluster_name(service.hostname, port.number)
    return {"cluster": cluster, **tcp_route.hash_policy(service.hostname, "", context)}
