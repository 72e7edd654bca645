"""A route's status: for each of its parents, whether it is one, and whether every backend is there."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from kata_lib.engines.embedded.mesh.translate.gateway_api import attachment, parents, rules
from kata_lib.engines.embedded.mesh.translate.gateway_api.listeners import Gateways
from kata_lib.engines.embedded.mesh.translate.gateway_api.parents import Parent
from kata_lib.engines.embedded.mesh.translate.gateway_api.problems import Problem
from kata_lib.engines.embedded.store import Obj

CONTROLLER = "istio.io/gateway-controller"
_NONE = Gateways()

Status = dict[str, Any]


@dataclass(frozen=True)
class Condition:
    """One condition that holds unless there is a problem; status: what it is then."""

    type: str
    reason: str
    message: str
    problem: Problem | None = None
    status: str = "True"


def statuses(route: Obj, hostnames: Collection[str], now: str, among: Gateways = _NONE) -> list[Status]:
    """Return `status.parents` as istiod writes it over what stands there.

    Other controllers' entries stay, and so do place and time of what has not changed. New entries come last.
    """
    wanted = {
        parents.reference(parent, route): (parent, said) for parent, said in _said(route, hostnames, among)
    }
    made = []
    for entry in route.get("status", {}).get("parents", ()):
        reference = parents.reference(entry["parentRef"], route)
        if entry["controllerName"] != CONTROLLER:
            made.append(entry)
        elif found := wanted.pop(reference, None):
            made.append(_entry(*found, route, entry["conditions"], now))
    for reference in sorted(wanted, reverse=True):
        made.append(_entry(*wanted[reference], route, [], now))
    return made


def written(
    conditions: Sequence[Condition], generation: int, before: Sequence[Status], now: str
) -> list[Status]:
    """Return conditions as a status has them; `before`: those that stand there, whose times stay."""
    made = [{**_shown(condition), "observedGeneration": generation} for condition in conditions]
    return [_timed(condition, before, now) for condition in made]


def _said(
    route: Obj, hostnames: Collection[str], among: Gateways
) -> Iterator[tuple[Parent, list[Condition]]]:
    """Yield the parents that are istiod's to judge, and what it says of each."""
    for parent in parents.services(route):
        missing = None
        if parents.host(parent, route) not in hostnames:
            missing = Problem("NoMatchingParent", f'parent service: "{parent["name"]}" not found')
        yield parent, _judgement(1, missing, rules.of(route, hostnames).problem)
    for parent in route["spec"].get("parentRefs", ()):
        if found := attachment.listeners(parent, route, among):
            problem = rules.of(route, hostnames, among.grants).problem
            yield parent, _judgement(*attachment.judged(parent, route, found), problem)


def _judgement(attached: int, refused: Problem | None, problem: Problem | None) -> list[Condition]:
    bound = f", bound to {attached} parents" if attached > 1 else ""
    return [
        Condition("Accepted", "Accepted", f"Route was valid{bound}", refused),
        Condition("ResolvedRefs", "ResolvedRefs", "All references resolved", problem),
    ]


def _entry(
    parent: Parent, conditions: Sequence[Condition], route: Obj, before: Sequence[Status], now: str
) -> Status:
    generation = route["metadata"].get("generation", 1)
    made = written(conditions, generation, before, now)
    return {"parentRef": parent, "controllerName": CONTROLLER, "conditions": made}


def _shown(condition: Condition) -> Status:
    type_, status, problem = condition.type, condition.status, condition.problem
    if problem:
        other = "False" if status == "True" else "True"
        return {"type": type_, "status": other, "reason": problem.reason, "message": problem.message}
    return {"type": type_, "status": status, "reason": condition.reason, "message": condition.message}


def _timed(condition: Status, before: Sequence[Status], now: str) -> Status:
    """Return a condition with the time at which its status became what it is."""
    same = (b for b in before if (b["type"], b["status"]) == (condition["type"], condition["status"]))
    return {**condition, "lastTransitionTime": next((b["lastTransitionTime"] for b in same), now)}
