"""The route table of servers that share one: a virtual host for each host that a bound VirtualService has."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from kata_lib.cluster.hosts import covers
from kata_lib.engines.embedded.mesh.translate import gateway_api, http_proxy, http_route, virtual_services
from kata_lib.engines.embedded.mesh.translate.gateway.servers import Server
from kata_lib.engines.embedded.mesh.translate.http_route import match
from kata_lib.engines.embedded.mesh.translate.http_route.context import RouteContext
from kata_lib.engines.embedded.mesh.translate.model import Envoy, MeshSnapshot, Proxy
from kata_lib.engines.embedded.mesh.translate.virtual_hosts import virtual_host
from kata_lib.engines.embedded.store import Obj

BLACKHOLE = "blackhole"


@dataclass
class _Host:
    """A host's routes, as the VirtualServices gave them, one after the other."""

    name: str
    domains: list[str]
    parts: list[list[Envoy]] = field(default_factory=list)
    redirects: bool = False

    def same_as(self, other: "_Host") -> bool:
        """Return whether two hosts have the routes of the same VirtualServices."""
        alike = len(self.parts) == len(other.parts)
        return alike and all(one is two for one, two in zip(self.parts, other.parts, strict=True))

    def envoy(self) -> Envoy:
        """Return it as Envoy's; what takes every request comes last."""
        routes = [route for part in self.parts for route in part]
        routes.sort(key=lambda route: match.takes_all(route["match"]))
        made = virtual_host(self.name, self.domains, routes)
        return made | ({"require_tls": "ALL"} if self.redirects else {})


def table(name: str, servers: Sequence[Server], snapshot: MeshSnapshot, proxy: Proxy) -> Envoy:
    """Return the route table of servers; without a host it answers everything with 404."""
    hosts = _merged(_hosts(servers, snapshot, proxy).values())
    if not hosts:
        hosts = [_Host(f"{BLACKHOLE}:{servers[0].port}", ["*"])]
    return {
        "name": name,
        "virtual_hosts": [host.envoy() for host in sorted(hosts, key=lambda host: host.name)],
        "validate_clusters": False,
        "ignore_port_in_host_matching": True,
        "max_direct_response_body_size_bytes": http_proxy.MAX_DIRECT_RESPONSE,
    }


def _hosts(servers: Sequence[Server], snapshot: MeshSnapshot, proxy: Proxy) -> dict[str, _Host]:
    found: dict[str, _Host] = {}
    routes: dict[tuple[str, str, str], list[Envoy]] = {}
    for server in servers:
        for candidate in virtual_services.bound(snapshot, proxy.namespace, server.gateway):
            if not (asked := list(_both(server, candidate))):
                continue
            metadata = candidate["metadata"]
            key = server.gateway, metadata["namespace"], metadata["name"]
            part = routes.setdefault(key, _routes(candidate, server, snapshot, proxy))
            for host in asked if part else ():
                entry = found.setdefault(host, _Host(f"{host}:{server.port}", [host]))
                entry.parts.append(part)
                entry.redirects |= server.redirects
        for host in map(str.lower, server.hosts if server.redirects else ()):
            found.setdefault(host, _Host(f"{host}:{server.port}", [host])).redirects = True
    return found


def _routes(candidate: Obj, server: Server, snapshot: MeshSnapshot, proxy: Proxy) -> list[Envoy]:
    context = RouteContext(
        snapshot,
        proxy.namespace,
        proxy.labels,
        server.port,
        gateway_api=gateway_api.is_made(candidate),
        gateway=server.gateway,
        tls=server.tls is not None,
    )
    return http_route.routes(virtual_services.rules(candidate, snapshot), context)


def _both(server: Server, candidate: Obj) -> Iterator[str]:
    """Yield the hosts that a server and a VirtualService have in common: of two the narrower."""
    namespace = candidate["metadata"]["namespace"]
    open_to = [host for place, host in map(_split, server.hosts) if place in ("", namespace)]
    found = (
        one if covers(two, one) else two
        for one in open_to
        for two in virtual_services.hosts(candidate)
        if covers(two, one) or covers(one, two)
    )
    yield from map(str.lower, dict.fromkeys(found))


def _split(written: str) -> tuple[str, str]:
    place, slash, host = written.partition("/")
    return (place, host) if slash else ("", written)


def _merged(hosts: Iterable[_Host]) -> list[_Host]:
    """Return hosts of which those with the same routes are one, called by the first: exact and long ones."""
    made: list[_Host] = []
    for host in sorted(hosts, key=_exact_first):
        same = next((other for other in reversed(made) if host.same_as(other)), None)
        if same and same.redirects == host.redirects:
            same.domains += host.domains
        else:
            made.append(host)
    return made


def _exact_first(host: _Host) -> tuple[Any, ...]:
    (domain,) = host.domains
    return domain.startswith("*"), -len(domain), domain
