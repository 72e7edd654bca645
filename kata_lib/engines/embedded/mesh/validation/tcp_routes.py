"""One rule of a VirtualService's `tcp`: for which connections it is, and where they go."""

from collections.abc import Iterator, Mapping
from typing import Any

from kata_lib.engines.embedded.mesh.validation import http_routes, names


def problems(rule: Mapping[str, Any]) -> Iterator[str]:
    """Return what is wrong with a rule."""
    for condition in rule.get("match") or ():
        if condition.get("port"):
            yield from names.port(condition["port"])
        yield from names.labels(condition.get("sourceLabels", {}))
        yield from names.gateways(condition.get("gateways", ()))
    if not rule.get("route"):
        yield "TCP route is required"
    yield from http_routes.route(rule.get("route") or ())
