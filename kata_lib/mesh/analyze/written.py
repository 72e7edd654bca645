"""The shares that a rule's weights ask for, as they are written: what a change of them would do."""

from collections.abc import Mapping

from kata_lib.cluster import labels
from kata_lib.cluster.client import Obj
from kata_lib.mesh import http_routes
from kata_lib.mesh.analyze.objects import Objects, newest, rules
from kata_lib.mesh.virtual_services import is_plain
from kata_lib.mesh.weights import destinations, names, written_weights
from kata_lib.statistics.shares import percent

Shares = Mapping[str, float]


def written_shares(found: Objects, obj: Obj) -> dict[str, float]:
    """Return the share of plain requests by version, 0 to 1; {} where no rule sends them on.

    obj: a VirtualService or an HTTPRoute.
    """
    return by_version(found, plain_route(obj))


def plain_route(obj: Obj) -> list[Obj]:
    """Return the destinations of the rule that plain requests take, as a VirtualService writes them."""
    if obj["kind"] == http_routes.KIND:
        taken = http_routes.plain_rule([obj])
        return destinations(rules(obj)[taken[1]]) if taken else []
    return destinations(next((rule for rule in rules(obj) if is_plain(rule)), {}))


def by_version(found: Objects, route: list[Obj]) -> dict[str, float]:
    """Return a route's shares by version: the label version of a subset, or the destination's name."""
    weights = written_weights(route)
    shares: dict[str, float] = {}
    for version, weight in zip(versions(found, route), weights, strict=True):
        shares[version] = shares.get(version, 0.0) + weight / (sum(weights) or 1)
    return shares


def by_pods(found: Objects, service: Obj) -> dict[str, float]:
    """Return the part of a Service's pods that each version has, 0 to 1."""
    there = [labels.of(pod).get("version", "") for pod in found.pods_behind(service)]
    return {version: there.count(version) / len(there) for version in sorted(set(there))}


def versions(found: Objects, route: list[Obj]) -> list[str]:
    """Return the version behind each entry of a route: the label version of its subset, or of its Service.

    Where neither has one, the entry's name.
    """
    labels = [labels_of(found, entry["destination"]) for entry in route]
    return [own.get("version", name) for own, name in zip(labels, names(route), strict=True)]


def labels_of(found: Objects, place: Obj) -> Mapping[str, str]:
    """Return which pods a destination means: those of its subset, or those that its Service selects."""
    if "subset" in place:
        return found.subsets(place["host"]).get(place["subset"], {})
    service = found.service(place["host"])
    return (service["spec"].get("selector") if service else None) or {}


def raises_newest(before: Shares, after: Shares) -> bool:
    """Return whether a change gives the newest version more; of versions without numbers any may be it."""
    every = sorted({*before, *after})
    new = newest(every)
    watched = every if new is None else [new]
    return any(after.get(version, 0.0) > before.get(version, 0.0) + 1e-9 for version in watched)


def shares_text(shares: Shares) -> str:
    """Return shares for people, such as v1 90.0 %, v2 10.0 %."""
    return ", ".join(f"{name} {percent(share)}" for name, share in shares.items()) or "no request is sent on"
