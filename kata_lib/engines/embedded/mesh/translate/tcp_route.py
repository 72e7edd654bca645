"""A VirtualService's TCP routes: to which clusters a connection goes, and in which shares."""

from collections.abc import Iterable, Mapping
from typing import Any

from kata_lib.engines.embedded.mesh.translate.fields import LEAF, Tree
from kata_lib.engines.embedded.mesh.translate.http_route import destinations, match
from kata_lib.engines.embedded.mesh.translate.http_route.context import RouteContext
from kata_lib.engines.embedded.mesh.translate.model import Envoy

FIELDS: dict[str, Tree] = {
    "match": [match.KNOWN_BEFOREHAND],
    "route": [{"destination": destinations.DESTINATION, "weight": LEAF}],
}


def clusters(rules: Iterable[Mapping[str, Any]], context: RouteContext) -> Envoy | None:
    """Return where the first rule that holds for a proxy and port sends connections; None: none holds."""
    for rule in rules:
        conditions = rule.get("match") or [{}]
        if any(match.can_hold(condition, context) for condition in conditions):
            return destinations.clusters(rule["route"], context)
    return None
