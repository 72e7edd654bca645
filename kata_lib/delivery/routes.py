"""The routing of a release in the rules of its service: what ReleaseRouting says is put in force.

The rule that plain requests take carries the weights and the mirror; a route for testers is a rule of its own
before it, by the plan's name for it. Whatever else the VirtualService holds stays as it is. In an HTTPRoute
http_route.py does the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kata_lib.cluster.client import Obj
from kata_lib.cluster.cluster import Cluster
from kata_lib.delivery import http_route
from kata_lib.delivery.plan import Plan
from kata_lib.delivery.state import ReleaseRouting, Versions
from kata_lib.delivery.steps import HeaderRoute
from kata_lib.errors import MeshError, ReleaseError
from kata_lib.mesh import in_force, weights
from kata_lib.mesh.in_force import InForce
from kata_lib.mesh.virtual_services import plain_rule
from kata_lib.mesh.weights import Holder


@dataclass(frozen=True)
class Other:
    """A routing that is not the release's: weights as written, {} without any; quote: why there are none."""

    weights: Mapping[str, int]
    quote: str = ""


def check(cluster: Cluster, plan: Plan) -> Versions:
    """Return the versions of a release that can begin.

    ReleaseError, or MeshError, says what is missing where it cannot.
    """
    written = _holder(cluster, plan).weights
    found = in_force.read(cluster, plan.service, plan.caller)
    versions = Versions(_version(found, plan.canary), _version(found, plan.stable))
    for name, weight in written.items():
        if weight and name not in (plan.stable, plan.canary):
            raise ReleaseError(
                f"The route gives {name} a weight of {weight}: a release moves requests from one version to "
                f"another. `kata weights {plan.stable}=100` gives them all to {plan.stable}, if it is there."
            )
    return versions


def put(cluster: Cluster, plan: Plan, routing: ReleaseRouting) -> None:
    """Write this routing."""
    _holder(cluster, plan)
    weights.change(cluster, plan.service, lambda written, index: _rules(written, plan, routing))


def other(cluster: Cluster, plan: Plan, routing: ReleaseRouting) -> Other | None:
    """Return the routing that is written, where it is not as it should be."""
    try:
        holder = weights.find(cluster, plan.service)
        if holder is None:
            return Other({})
        written = holder.rules
        return None if _rules(written, plan, routing) == written else Other(holder.weights)
    except MeshError as error:
        return Other({}, str(error))


def lagging(cluster: Cluster, plan: Plan, routing: ReleaseRouting) -> str:
    """Return how the callers' sidecar has the weights, where not yet as they should be, or ''."""
    found = in_force.read(cluster, plan.service, plan.caller)
    wanted = {plan.canary: routing.weight / 100, plan.stable: 1 - routing.weight / 100}
    if all(abs(found.shares.get(name, 0.0) - share) < 1e-6 for name, share in wanted.items()):
        return ""
    return f"The sidecars of {plan.caller} do not have the weights yet. {found}"


def _rules(written: list[Obj], plan: Plan, routing: ReleaseRouting) -> list[Obj]:
    """Return rules with this routing in them, whichever kind of object they are of."""
    of_route = any("backendRefs" in rule for rule in written)
    return http_route.rules(written, plan, routing) if of_route else rules(written, plan, routing)


def rules(http: list[Obj], plan: Plan, routing: ReleaseRouting) -> list[Obj]:
    """Return a VirtualService's rules with this routing in them."""
    names = {step.name for step in plan.steps if isinstance(step, HeaderRoute)}
    kept = [dict(rule) for rule in http if rule.get("name") not in names]
    index = plain_rule(kept)
    kept[index] = _weighted(kept[index], plan, routing)
    return [_testers(plan, route) for route in routing.headers] + kept


def _weighted(rule: Obj, plan: Plan, routing: ReleaseRouting) -> Obj:
    wanted = {plan.stable: 100 - routing.weight, plan.canary: routing.weight}
    there = rule.get("route", [])
    entries = [*there, *({"destination": _subset(plan, n)} for n in wanted if n not in weights.names(there))]
    named = zip(weights.names(entries), entries, strict=True)
    main = {key: value for key, value in rule.items() if key not in ("mirror", "mirrorPercentage")}
    main["route"] = [{**entry, "weight": wanted.get(name, 0)} for name, entry in named]
    if routing.mirror:
        main |= {"mirror": _subset(plan, plan.canary), "mirrorPercentage": {"value": routing.mirror}}
    return main


def _testers(plan: Plan, route: HeaderRoute) -> Obj:
    match: dict[str, Any] = {"headers": {route.header: {route.kind: route.value}}}
    return {"name": route.name, "match": [match], "route": [{"destination": _subset(plan, plan.canary)}]}


def _subset(plan: Plan, subset: str) -> Obj:
    return {"host": plan.service, "subset": subset}


def _version(found: InForce, subset: str) -> str:
    """Return the version of the pods that are ready of a subset, or of a Service of that name."""
    own = found.places.get((subset, ""))
    subsets = found.subsets() if own is None else {**found.subsets(), subset: own}
    if subset not in subsets:
        raise ReleaseError(
            f"The sidecars that call {found.service} know no subset {subset!r} of it; they know: "
            f"{', '.join(subsets) or 'none'}. A DestinationRule defines them."
        )
    versions = sorted({pod.version for pod in subsets[subset] if pod.ready})
    if len(versions) != 1:
        there = f"has pods of the versions {', '.join(versions)}" if versions else "has no pod that is ready"
        raise ReleaseError(f"The subset {subset} of {found.service} {there}: a release takes one version.")
    return versions[0]


def _holder(cluster: Cluster, plan: Plan) -> Holder:
    holder = weights.find(cluster, plan.service)
    if holder is None:
        raise ReleaseError(
            f"No VirtualService routes {plan.service}, so there are no weights to move. "
            f"Apply one with a route to the subsets {plan.stable} and {plan.canary}."
        )
    return holder
