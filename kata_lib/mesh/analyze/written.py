"""The shares that a VirtualService's weights ask for, as they are written: what a change of them would do."""

from collections.abc import Mapping

from kata_lib.cluster import labels
from kata_lib.cluster.client import Obj
from kata_lib.mesh.analyze.objects import Objects, newest, rules
from kata_lib.mesh.virtual_services import is_plain
from kata_lib.mesh.weights import names, written_weights
from kata_lib.statistics.shares import percent

Shares = Mapping[str, float]


def written_shares(found: Objects, virtual_service: Obj) -> dict[str, float]:
    """Return the share of plain requests by version, 0 to 1; {} where no rule sends them on."""
    rule = next((rule for rule in rules(virtual_service) if is_plain(rule)), {})
    return by_version(found, rule.get("route") or [])


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
    """Return the version behind each entry of a route: its subset's label version, or the entry's name."""
    places = [entry["destination"] for entry in route]
    labels = [found.subsets(place["host"]).get(place.get("subset", ""), {}) for place in places]
    return [own.get("version", name) for own, name in zip(labels, names(route), strict=True)]


def raises_newest(before: Shares, after: Shares) -> bool:
    """Return whether a change gives the newest version more; of versions without numbers any may be it."""
    every = sorted({*before, *after})
    new = newest(every)
    watched = every if new is None else [new]
    return any(after.get(version, 0.0) > before.get(version, 0.0) + 1e-9 for version in watched)


def shares_text(shares: Shares) -> str:
    """Return shares for people, such as v1 90.0 %, v2 10.0 %."""
    return ", ".join(f"{name} {percent(share)}" for name, share in shares.items()) or "no request is sent on"
