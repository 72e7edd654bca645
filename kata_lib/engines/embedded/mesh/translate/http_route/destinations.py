"""http.route: where a request goes, and in which shares."""

from collections.abc import Mapping, Sequence
from typing import Any

from kata_lib.engines.embedded.mesh.translate.fields import LEAF, Tree
from kata_lib.engines.embedded.mesh.translate.http_route import headers
from kata_lib.engines.embedded.mesh.translate.http_route.context import RouteContext
from kata_lib.engines.embedded.mesh.translate.model import Envoy

DESTINATION: Tree = {"host": LEAF, "subset": LEAF, "port": {"number": LEAF}}
FIELDS: Tree = [{"destination": DESTINATION, "weight": LEAF, "headers": headers.FIELDS}]


def envoy(destinations: Sequence[Mapping[str, Any]], context: RouteContext) -> Envoy:
    """Return the part of a route action that names clusters, and by what a request chooses in them."""
    action = clusters(destinations, context)
    hashed = [policy for d in destinations for policy in context.hash_policy(d["destination"])]
    if hashed:
        action["hash_policy"] = hashed
    return action


def clusters(destinations: Sequence[Mapping[str, Any]], context: RouteContext) -> Envoy:
    """Return Envoy's form of one cluster, or of several with their weights.

    Weights are relative: they need not total 100. Of several destinations those without a weight get nothing.
    """
    if len(destinations) == 1 and "headers" not in destinations[0]:
        return {"cluster": context.cluster(destinations[0]["destination"])}
    taken = [d for d in destinations if len(destinations) == 1 or d.get("weight", 0) > 0]
    return {"weighted_clusters": {"clusters": [_weighted(d, context) for d in taken]}}


def _weighted(destination: Mapping[str, Any], context: RouteContext) -> Envoy:
    return {
        "name": context.cluster(destination["destination"]),
        "weight": destination.get("weight") or 1,
        **headers.envoy(destination.get("headers", {})),
    }
