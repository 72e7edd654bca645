"""One route table a port, as istiod makes them for a sidecar's listeners: a virtual host for each Service."""

from kata_lib.engines.embedded.mesh.translate import http_route, virtual_services
from kata_lib.engines.embedded.mesh.translate.destination_rules import rule_for
from kata_lib.engines.embedded.mesh.translate.hosts import cluster_name, domains
from kata_lib.engines.embedded.mesh.translate.http_route.context import RouteContext
from kata_lib.engines.embedded.mesh.translate.model import Envoy, MeshSnapshot, Proxy, Service
from kata_lib.engines.embedded.mesh.translate.traffic_policy.load_balancer import hash_policy

Tables = dict[int, list[Envoy]]
"""Virtual hosts by port."""

_DEFAULT_PORT = 80


def tables(snapshot: MeshSnapshot, proxy: Proxy) -> Tables:
    """Return the virtual hosts that a sidecar uses, for each port that a Service of HTTP has."""
    made: Tables = {}
    candidates = virtual_services.in_mesh(snapshot, proxy.namespace)
    for service in snapshot.services.values():
        for port in service.ports:
            if port.routed:
                context = RouteContext(snapshot, proxy.namespace, proxy.labels, port.number)
                made.setdefault(port.number, []).append(_of_service(service, candidates, context))
    for host, routes in _hosts_without_service(snapshot, proxy, candidates):
        made.setdefault(_DEFAULT_PORT, []).append(virtual_host(f"{host}:{_DEFAULT_PORT}", [host], routes))
    return made


def virtual_host(name: str, names: list[str], routes: list[Envoy]) -> Envoy:
    """Return a virtual host with istiod's settings."""
    return {"name": name, "domains": names, "routes": routes, "include_request_attempt_count": True}


def _of_service(service: Service, candidates: list[Envoy], context: RouteContext) -> Envoy:
    speaker = virtual_services.spokesman(candidates, service.hostname)
    routes: list[Envoy] = []
    if speaker is not None:
        routes = http_route.routes(virtual_services.rules(speaker, context.snapshot), context)
    if not routes:
        policy = rule_for(context.snapshot, service, context.proxy_namespace).policy_for("", context.port)
        cluster = cluster_name(service.hostname, context.port)
        routes = [http_route.default_route(cluster, hash_policy(policy.get("loadBalancer", {})))]
    name = f"{service.hostname}:{context.port}"
    return virtual_host(name, domains(service, context.proxy_namespace), routes)


def _hosts_without_service(
    snapshot: MeshSnapshot, proxy: Proxy, candidates: list[Envoy]
) -> list[tuple[str, list[Envoy]]]:
    """Return hosts that only a VirtualService knows; istiod puts them on port 80."""
    context = RouteContext(snapshot, proxy.namespace, proxy.labels, _DEFAULT_PORT)
    known = {name for service in snapshot.services.values() for name in domains(service, proxy.namespace)}
    found: dict[str, list[Envoy]] = {}
    for candidate in candidates:
        for host in virtual_services.hosts(candidate):
            if host in known or host in found or host.startswith("*"):
                continue
            if routes := http_route.routes(virtual_services.rules(candidate, snapshot), context):
                found[host] = routes
    return list(found.items())
