"""A VirtualService: its hosts, gateways, routes, and to whom it is shown."""

from collections.abc import Iterator, Sequence

from kata_lib.engines.embedded.mesh.validation import http_routes, names, tcp_routes
from kata_lib.engines.embedded.store import Obj


def problems(virtual_service: Obj) -> Iterator[str]:
    """Return what is wrong with a VirtualService."""
    spec = virtual_service.get("spec") or {}
    hosts, gateways = spec.get("hosts") or [], spec.get("gateways") or []
    if not hosts:
        yield from _delegate(virtual_service)
    yield from names.gateways(gateways)
    found = list(_hosts(hosts, in_mesh=not gateways or "mesh" in gateways))
    yield from found
    if not found:
        yield from _twice(hosts)
    if not any(spec.get(field) for field in ("http", "tcp", "tls")):
        yield "http, tcp or tls must be provided in virtual service"
    for route in spec.get("http") or ():
        yield from http_routes.problems(route, delegated=not hosts)
    for route in spec.get("tcp") or ():
        yield from tcp_routes.problems(route)
    yield from names.export_to(virtual_service["metadata"].get("namespace", ""), spec.get("exportTo") or ())


def _delegate(virtual_service: Obj) -> Iterator[str]:
    """A VirtualService without hosts is there for others to delegate to."""
    words = {
        "gateways": "delegate virtual service must have no gateways specified",
        "tls": "delegate virtual service must have no tls route specified",
        "tcp": "delegate virtual service must have no tcp route specified",
    }
    spec = virtual_service.get("spec") or {}
    yield from (text for field, text in words.items() if spec.get(field))


def _hosts(hosts: Sequence[str], *, in_mesh: bool) -> Iterator[str]:
    for host in hosts:
        wrong = list(names.domain(host))
        yield from wrong
        if not wrong and in_mesh and host == "*":
            yield "wildcard host * is not allowed for virtual services bound to the mesh gateway"


def _twice(hosts: Sequence[str]) -> Iterator[str]:
    for position, host in enumerate(hosts):
        for other in hosts[position + 1 :]:
            if _overlap(host, other):
                yield f"duplicate hosts in virtual service: {host} & {other}"


def _overlap(one: str, other: str) -> bool:
    if one.startswith("*") and other.startswith("*"):
        return one[1:].endswith(other[1:]) or other[1:].endswith(one[1:])
    if one.startswith("*"):
        return other.endswith(one[1:])
    return one.endswith(other[1:]) if other.startswith("*") else one == other
