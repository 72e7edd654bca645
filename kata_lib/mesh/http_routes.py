"""Which HTTPRoute speaks for a Service, and which of its rules a plain request takes, as they are written.

For finding what to change, as virtual_services.py. What becomes of requests the proxies say (in_force.py).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from kata_lib.cluster.client import Obj
from kata_lib.cluster.cluster import Cluster
from kata_lib.errors import MeshError
from kata_lib.mesh import gateways
from kata_lib.mesh.matches import fits

KIND = "HTTPRoute"
_RANKS = ("Exact", "PathPrefix", "RegularExpression")


def of_service(cluster: Cluster, name: str) -> list[Obj]:
    """Return the HTTPRoutes for callers inside that name a Service as their parent, the oldest first."""
    return for_service(every(cluster), name)


def for_service(routes: list[Obj], name: str) -> list[Obj]:
    """Return those of a namespace's HTTPRoutes that name a Service as their parent, the oldest first."""
    return sorted((route for route in routes if _is_for(route, name)), key=_age)


def come_before(virtual_service: Obj | None) -> bool:
    """Return whether istiod asks the HTTPRoutes of a Service before a VirtualService: one shown to all."""
    return virtual_service is None or "*" in (virtual_service["spec"].get("exportTo") or ["*"])


def plain_rule(routes: list[Obj]) -> tuple[Obj, int] | None:
    """Return the route and the index of its rule that a plain `GET /` takes; None where none does.

    The rules of all routes count as one list, the narrowest match first.
    """
    found = [
        (_precedence(match), age, index)
        for age, route in enumerate(routes)
        for index, rule in enumerate(route["spec"].get("rules", ()))
        for match in rule.get("matches") or [{}]
        if _takes_plain(match)
    ]
    if not found:
        return None
    _, age, index = min(found)
    return routes[age], index


def plain_index(rules: list[Obj]) -> int:
    """Return the index of the rule that a plain `GET /` takes; MeshError where none of a route's does."""
    found = plain_rule([{"spec": {"rules": rules}}])
    if found is None:
        raise MeshError("No rule takes a plain `GET /`: each has a match.")
    return found[1]


def is_service(parent: Mapping[str, Any]) -> bool:
    """Return whether a parentRef is a Service: for callers inside, not those of a gateway."""
    return (parent.get("group"), parent.get("kind")) == ("", "Service")


def parents(route: Obj) -> Iterator[Mapping[str, Any]]:
    """Yield what a route says it is for."""
    yield from route["spec"].get("parentRefs", ())


def every(cluster: Cluster) -> list[Obj]:
    """Return the namespace's HTTPRoutes; none where there is no such kind, or it may not be read."""
    return gateways.of_kind(cluster, KIND)


def _is_for(route: Obj, name: str) -> bool:
    namespace = route["metadata"]["namespace"]
    named = (p for p in parents(route) if is_service(p) and p.get("namespace", namespace) == namespace)
    return any(parent["name"] == name for parent in named)


def _age(route: Obj) -> tuple[str, str]:
    return route["metadata"].get("creationTimestamp", ""), route["metadata"]["name"]


def _takes_plain(match: Mapping[str, Any]) -> bool:
    """Return whether a plain `GET /` fulfils a match; one of headers or of parameters it does not."""
    path = match.get("path", {})
    value = path.get("value", "/")
    takes = fits("/", value) if path.get("type") == "RegularExpression" else value == "/"
    return takes and match.get("method", "GET") == "GET" and not match.keys() & {"headers", "queryParams"}


def _precedence(match: Mapping[str, Any]) -> tuple[int, bool]:
    how = match.get("path", {}).get("type", "PathPrefix")
    return _RANKS.index(how), "method" not in match
