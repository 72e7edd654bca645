"""A route's status: for each of its parents, whether it is one, and whether every backend is there."""

from collections.abc import Collection
from typing import Any

from kata_lib.engines.embedded.mesh.translate.gateway_api import parents, rules
from kata_lib.engines.embedded.mesh.translate.gateway_api.problems import Problem
from kata_lib.engines.embedded.store import Obj

CONTROLLER = "istio.io/gateway-controller"

Status = dict[str, Any]


def statuses(route: Obj, hostnames: Collection[str], now: str) -> list[Status]:
    """Return `status.parents` as istiod writes it over what stands there.

    Other controllers' entries stay, and so do place and time of what has not changed. New entries come last.
    """
    problem = rules.of(route, hostnames).problem
    wanted = {parents.reference(parent, route): parent for parent in parents.services(route)}
    made = []
    for entry in route.get("status", {}).get("parents", ()):
        reference = parents.reference(entry["parentRef"], route)
        if entry["controllerName"] != CONTROLLER:
            made.append(entry)
        elif parent := wanted.pop(reference, None):
            made.append(_entry(parent, route, hostnames, problem, entry["conditions"], now))
    for reference in sorted(wanted, reverse=True):
        made.append(_entry(wanted[reference], route, hostnames, problem, [], now))
    return made


def _entry(
    parent: parents.Parent,
    route: Obj,
    hostnames: Collection[str],
    problem: Problem | None,
    before: list[Status],
    now: str,
) -> Status:
    missing = None
    if parents.host(parent, route) not in hostnames:
        missing = Problem("NoMatchingParent", f'parent service: "{parent["name"]}" not found')
    said = (
        _condition("Accepted", "Accepted", "Route was valid", missing),
        _condition("ResolvedRefs", "ResolvedRefs", "All references resolved", problem),
    )
    generation = route["metadata"].get("generation", 1)
    conditions = [_timed({**condition, "observedGeneration": generation}, before, now) for condition in said]
    return {"parentRef": parent, "controllerName": CONTROLLER, "conditions": conditions}


def _condition(type_: str, reason: str, message: str, problem: Problem | None) -> Status:
    if problem:
        return {"type": type_, "status": "False", "reason": problem.reason, "message": problem.message}
    return {"type": type_, "status": "True", "reason": reason, "message": message}


def _timed(condition: Status, before: list[Status], now: str) -> Status:
    """Return a condition with the time at which its status became what it is."""
    same = (b for b in before if (b["type"], b["status"]) == (condition["type"], condition["status"]))
    return {**condition, "lastTransitionTime": next((b["lastTransitionTime"] for b in same), now)}
