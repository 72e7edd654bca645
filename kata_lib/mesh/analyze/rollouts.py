"""Releases by Argo Rollouts over an HTTPRoute: weights that nobody moves, and header routes without one.

Its plugin for the Gateway API moves the weights of those routes that it is given by name.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from kata_lib.cluster import labels
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
    asked_for = any(match.get("headers") or match.get("queryParams") for match in rule.get("matches") or ())
    alone = asked_for and len(backends) == 1
    given = [lines.replaced(route, f"{at}[{index}].weight", 1) for index in range(len(backends))]
    called = f"The rule {rule['name']}" if "name" in rule else f"A rule ({at})"
    yield finding(
        "KATA0606",
        route,
        f"{called} of the HTTPRoute {route['metadata']['name']} gives each of its backends the weight 0: "
        "every request that it takes gets 500. Argo Rollouts' plugin for the Gateway API did so to a header "
        "route while the canary's weight was 0.",
        seen=", ".join(f"{at}[{index}].weight: 0" for index in range(len(backends))),
        mend=given[0] if alone else "",
        choices=() if alone else tuple(map(_all_to, given, backends)),
    )


def _all_to(line: str, backend: Obj) -> Choice:
    return Choice(line, f"{backend['name']} gets all of the rule's requests")


def _not_moved(found: Objects, rollout: Obj) -> Iterator[Finding]:
    """Yield the HTTPRoutes with both of a Rollout's Services whose weights it does not move."""
    canary = _canary(rollout)
    services = {canary.get("stableService"), canary.get("canaryService")} - {None}
    if len(services) < 2:
        return
    for route in found.own(found.http_routes):
        split = (
            rule for rule in rules(route) if services <= {b["name"] for b in rule.get("backendRefs") or ()}
        )
        rule, name = next(split, None), route["metadata"]["name"]
        if rule is None or moves(rollout, route):
            continue
        weights = ":".join(str(b.get("weight", 1)) for b in rule["backendRefs"] if b["name"] in services)
        yield finding(
            "KATA0607",
            rollout,
            f"The Rollout {rollout['metadata']['name']} does not move the weights of the HTTPRoute {name}: "
            f"they stay {weights} whatever its steps say, because its plugin for the Gateway API is not "
            "given the route.",
            seen=f"spec.strategy.canary.trafficRouting.plugins has no {PLUGIN} for it",
            mend=_given(found, rollout, canary, name),
        )


def moves(rollout: Obj, route: Obj) -> bool:
    """Return whether a Rollout's plugin is given an HTTPRoute, by its name or by its labels."""
    given = ((_canary(rollout).get("trafficRouting") or {}).get("plugins") or {}).get(PLUGIN) or {}
    if (given.get("namespace") or rollout["metadata"]["namespace"]) != route["metadata"]["namespace"]:
        return False
    named = {given.get("httpRoute"), *(one["name"] for one in given.get("httpRoutes") or ())}
    selector = given.get("httpRouteSelector")
    return route["metadata"]["name"] in named or (selector is not None and labels.chooses(selector, route))


def _canary(rollout: Obj) -> Obj:
    return (rollout["spec"].get("strategy") or {}).get("canary") or {}


def _given(found: Objects, rollout: Obj, canary: Mapping[str, Any], route: str) -> str:
    """Return the line that gives the plugin a route too; what stands beside the plugin stays.

    But for a key that is the plugin's in other letters: no such plugin is there, and the controller stops.
    """
    routing = canary.get("trafficRouting") or {}
    written = routing.get("plugins") or {}
    others = {key: value for key, value in written.items() if key.lower() != PLUGIN.lower()}
    plugins = {**others, PLUGIN: _with_route(found, written.get(PLUGIN) or {}, route)}
    value = {**routing, "plugins": plugins}
    return lines.patch(rollout, {"op": "add", "path": "/spec/strategy/canary/trafficRouting", "value": value})


def _with_route(found: Objects, given: Obj, route: str) -> Obj:
    """Return the plugin's settings with one more route, and without those that are not there."""
    there = {one["metadata"]["name"] for one in found.own(found.http_routes)}
    settings = {**given, "namespace": found.name}
    if given.get("httpRoute") not in there:
        return {**settings, "httpRoute": route}
    others = [one for one in given.get("httpRoutes") or () if one["name"] in there]
    return {**settings, "httpRoutes": [*others, {"name": route}]}
