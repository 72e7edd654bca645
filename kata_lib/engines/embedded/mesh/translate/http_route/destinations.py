"""http.route: where a request goes, and in which shares."""

from collections.abc import Mapping, Sequence
from typing import Any

from kata_lib.engines.embedded.mesh.translate.fields import LEAF, Tree
from kata_lib.engines.embedded.mesh.translate.http_route import headers
from kata_lib.engines.embedded.mesh.translate.http_route.context import RouteContext
from kata_lib.engines.embedded.mesh.translate.model import Envoy
from kata_lib.engines.embedded.mesh.translate.traffic_policy.load_balancer import hash_policy

DESTINATION: Tree = {"host": LEAF, "subset": LEAF, "port": {"number": LEAF}}
FIELDS: Tree = [{"destination": DESTINATION, "weight": LEAF, "headers": headers.FIELDS}]


def envoy(destinations: Sequence[Mapping[str, Any]], context: RouteContext) -> Envoy:
    """Return the part of a route action that names clusters, and by what a request chooses in them."""
    action = clusters(destinations, context)
    hashed = [
        policy for d in _taken(destinations) for policy in hash_policy(context.hashing(d["destination"]))
    ]
    if hashed:
        action["hash_policy"] = hashed
    return action


def clusters(destinations: Sequence[Mapping[str, Any]], context: RouteContext) -> Envoy:
    """Return Envoy's form of one cluster, or of several with their weights.

    Weights are relative: they need not total 100. Of several destinations those without a weight get nothing.
    """
    if len(destinations) == 1:
        return {"cluster": context.cluster(destinations[0]["destination"])}
    weighted = [_weighted(destination, context) for destination in _taken(destinations)]
    return {"weighted_clusters": {"clusters": weighted}}


def own_headers(destinations: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return the headers of the only destination, which are the route's; several keep their own."""
    return destinations[0].get("headers", {}) if len(destinations) == 1 else {}


def _taken(destinations: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [d for d in destinations if len(destinations) == 1 or d.get("weight", 0) > 0]


def _weighted(destination: Mapping[str, Any], context: RouteContext) -> Envoy:
    given = destination.get("headers", {})
    made: Envoy = {"name": context.cluster(destination["destination"]), "weight": destination["weight"]}
    if host := headers.host(given):
        made["host_rewrite_literal"] = host
    return made | headers.envoy(given)
