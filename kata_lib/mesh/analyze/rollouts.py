"""Releases by Argo Rollouts over an HTTPRoute: weights that nobody moves, and header routes without one.

Its plugin for the Gateway API moves the weights of those routes that it is given by name.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from kata_lib.cluster.client import Obj
from kata_lib.mesh.analyze import lines
from kata_lib.mesh.analyze.finding import Choice, Finding, finding
from kata_lib.mesh.analyze.objects import Objects, rules

API, KIND = "argoproj.io/v1alpha1", "Rollout"
PLUGIN = "argoproj-labs/gatewayAPI"
"""Under which the plugin's settings must stand: https://rollouts-plugin-trafficrouter-gatewayapi.readthedocs.io"""


def findings(found: Objects) -> Iterator[Finding]:
    """Yield which HTTPRoutes a Rollout leaves as they are, and which rules send their requests nowhere."""
    for route in found.own(found.http_routes):
        for number, rule in enumerate(rules(route)):
            yield from _without_weight(route, number, rule)
    for rollout in found.own(found.rollouts):
        yield from _not_moved(found, rollout)


def _without_weight(route: Obj, number: int, rule: Obj) -> Iterator[Finding]:
    """Yield that all backends of a rule have the weight 0: of a header route the plugin leaves it so."""
    backends = rule.get("backendRefs") or []
    if not backends or any(backend.get("weight", 1) for backend in backends):
        return
    at = f"spec.rules[{number}].backendRefs"
    by_header = any(match.get("headers") for match in rule.get("matches") or ())
    alone = by_header and len(backends) == 1
    called = f"The rule {rule['name']}" if "name" in rule else f"A rule ({at})"
    yield finding(
        "KATA0606",
        route,
        f"{called} of the HTTPRoute {route['metadata']['name']} gives each of its backends the weight 0: "
        "every request that it takes gets 500. Argo Rollouts' plugin for the Gateway API does so to a header "
        "route while the canary's weight is 0.",
        seen=", ".join(f"{at}[{index}].weight: 0" for index in range(len(backends))),
        mend=lines.replaced(route, f"{at}[0].weight", 1) if alone else "",
        choices=() if alone else (Choice("", "a weight for the backend that should get the requests"),),
    )


def _not_moved(found: Objects, rollout: Obj) -> Iterator[Finding]:
    """Yield the HTTPRoutes with both of a Rollout's Services whose weights it does not move."""
    canary = (rollout["spec"].get("strategy") or {}).get("canary") or {}
    services = {canary.get("stableService"), canary.get("canaryService")} - {None}
    if len(services) < 2:
        return
    moved = _moved(canary)
    for route in found.own(found.http_routes):
        split = (
            rule for rule in rules(route) if services <= {b["name"] for b in rule.get("backendRefs") or ()}
        )
        rule, name = next(split, None), route["metadata"]["name"]
        if rule is None or name in moved:
            continue
        weights = ":".join(str(b.get("weight", 1)) for b in rule["backendRefs"] if b["name"] in services)
        yield finding(
            "KATA0607",
            rollout,
            f"The Rollout {rollout['metadata']['name']} does not move the weights of the HTTPRoute {name}: "
            f"they stay {weights} whatever its steps say, because its plugin for the Gateway API is not "
            "given the route.",
            seen=f"spec.strategy.canary.trafficRouting.plugins has no {PLUGIN} for it",
            mend=_given(rollout, canary, name),
        )


def _moved(canary: Mapping[str, Any]) -> set[str]:
    """Return the names of the HTTPRoutes that a Rollout's plugin is given."""
    given = ((canary.get("trafficRouting") or {}).get("plugins") or {}).get(PLUGIN) or {}
    return {given.get("httpRoute", ""), *(route["name"] for route in given.get("httpRoutes") or ())}


def _given(rollout: Obj, canary: Mapping[str, Any], route: str) -> str:
    """Return the line that gives the plugin a route; what stands beside the plugin stays."""
    value = {PLUGIN: {"httpRoute": route, "namespace": rollout["metadata"]["namespace"]}}
    routing = canary.get("trafficRouting") or {}
    path, step = (
        "/spec/strategy/canary/trafficRouting",
        {"plugins": {**(routing.get("plugins") or {}), **value}},
    )
    return lines.patch(rollout, {"op": "add", "path": path, "value": {**routing, **step}})
