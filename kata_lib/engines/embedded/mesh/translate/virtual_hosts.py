"""One route table a port, as istiod makes them for a sidecar's listeners: a virtual host for each name.

Source: istio/istio, pilot/pkg/networking/core/httproute.go (BuildSidecarOutboundVirtualHosts) and
route/route.go (BuildSidecarVirtualHostWrapper).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from kata_lib.cluster.hosts import covers
from kata_lib.engines.embedded.mesh.translate import gateway_api, http_route, virtual_services
from kata_lib.engines.embedded.mesh.translate.destination_rules import rule_for
from kata_lib.engines.embedded.mesh.translate.hosts import cluster_name, domains
from kata_lib.engines.embedded.mesh.translate.http_route.context import RouteContext
from kata_lib.engines.embedded.mesh.translate.model import Envoy, MeshSnapshot, Proxy, Service
from kata_lib.engines.embedded.mesh.translate.traffic_policy import of_port
from kata_lib.engines.embedded.store import Obj

Tables = dict[int, list[Envoy]]
"""Virtual hosts by port."""

_DEFAULT_PORT = 80
"""The port at which a host is asked for that no Service has."""


def tables(snapshot: MeshSnapshot, proxy: Proxy) -> Tables:
    """Return the virtual hosts that a sidecar uses, for each port that a Service of HTTP has."""
    candidates = virtual_services.bound(snapshot, proxy.namespace)
    ports = {port.number for service in snapshot.services.values() for port in service.ports if port.routed}
    made = {}
    for port in sorted(ports | {_DEFAULT_PORT}):
        context = RouteContext(snapshot, proxy.namespace, proxy.labels, port)
        if hosts := _table(candidates, context):
            made[port] = hosts
    return made


def virtual_host(name: str, names: list[str], routes: list[Envoy]) -> Envoy:
    """Return a virtual host with istiod's settings."""
    return {"name": name, "domains": names, "routes": routes, "include_request_attempt_count": True}


@dataclass
class _Table:
    """The virtual hosts of a port; the first that takes a name has it."""

    port: int
    hosts: dict[str, Envoy] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)

    def add(self, host: str, names: list[str], routes: list[Envoy]) -> None:
        name = f"{host}:{self.port}"
        free = [domain for domain in names if domain not in self.taken]
        if name not in self.hosts and free:
            self.taken.update(free)
            self.hosts[name] = virtual_host(name, free, routes)


def _table(candidates: list[Obj], context: RouteContext) -> list[Envoy]:
    services = _at_port(context)
    table = _Table(context.port)
    spoken_for: set[str] = set()
    for candidate in candidates:
        if not (routes := _routes(candidate, services, context)):
            continue
        found = _services_of(candidate, candidates, services, context)
        if found or (context.port == _DEFAULT_PORT and not gateway_api.is_made(candidate)):
            for name in _names_beside(candidate, services):
                table.add(name, [name], routes)
        for service in found:
            table.add(service.hostname, domains(service, context.proxy_namespace), routes)
            spoken_for.add(service.hostname)
    for service in services.values():
        if service.hostname not in spoken_for and _is_routed(service, context.port):
            names = domains(service, context.proxy_namespace)
            table.add(service.hostname, names, [_default_route(service, context)])
    return sorted(table.hosts.values(), key=lambda host: str(host["name"]))


def _at_port(context: RouteContext) -> dict[str, Service]:
    """Return the Services that have a port, whatever its protocol, by hostname."""
    return {
        hostname: service
        for hostname, service in context.snapshot.services.items()
        if any(port.number == context.port for port in service.ports)
    }


def _is_routed(service: Service, number: int) -> bool:
    return any(port.routed for port in service.ports if port.number == number)


def _routes(candidate: Obj, services: Mapping[str, Service], context: RouteContext) -> list[Envoy]:
    """Return a VirtualService's routes at a port; none where no Service there is meant, but at port 80."""
    asked = any(covers(name, hostname) for name in virtual_services.hosts(candidate) for hostname in services)
    if not asked and context.port != _DEFAULT_PORT:
        return []
    meant = replace(context, gateway_api=gateway_api.is_made(candidate))
    return http_route.routes(virtual_services.rules(candidate, context.snapshot), meant)


def _services_of(
    candidate: Obj, candidates: list[Obj], services: Mapping[str, Service], context: RouteContext
) -> list[Service]:
    """Return the Services of HTTP for which a VirtualService speaks, in the order of its hosts.

    An HTTPRoute speaks for Services of its own namespace, and of others to callers of its own.
    """
    namespace = candidate["metadata"]["namespace"]
    limited = gateway_api.is_made(candidate) and namespace != context.proxy_namespace
    found = {
        hostname: service
        for name in virtual_services.hosts(candidate)
        for hostname, service in services.items()
        if name == hostname or _stands_for(name, hostname, candidate, candidates)
    }
    return [
        service
        for service in found.values()
        if _is_routed(service, context.port) and not (limited and service.namespace != namespace)
    ]


def _names_beside(candidate: Obj, services: Mapping[str, Service]) -> list[str]:
    """Return the hosts of a VirtualService that are no Service's, nor cover one."""
    names = virtual_services.hosts(candidate)
    return [name.lower() for name in names if not any(covers(name, hostname) for hostname in services)]


def _stands_for(name: str, hostname: str, candidate: Obj, candidates: list[Obj]) -> bool:
    """Return whether a VirtualService's wildcard covers a host of which no other speaks more specifically."""
    wild = name.startswith("*") and covers(name, hostname)
    return wild and virtual_services.most_specific(candidates, hostname) is candidate


def _default_route(service: Service, context: RouteContext) -> Envoy:
    rule = rule_for(context.snapshot, service, context.proxy_namespace)
    at_port = of_port(rule.policy, context.port).get("loadBalancer", {})
    balancer = at_port if "consistentHash" in at_port else rule.policy.get("loadBalancer", {})
    return http_route.default_route(cluster_name(service.hostname, context.port), balancer)
