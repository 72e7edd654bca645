"""One of a sidecar's routes: which requests take it, and what becomes of them.

Envoy's Route as the configuration dump has it goes in (envoy.config.route.v3.Route).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from kata_lib.cluster.client import Obj
from kata_lib.mesh import matches
from kata_lib.mesh.destinations import Destination, Upstreams
from kata_lib.mesh.matches import Match
from kata_lib.statistics.shares import percent

EVERY: Match = {"prefix": "/"}
_REDIRECTS = {
    "MOVED_PERMANENTLY": 301,
    "FOUND": 302,
    "SEE_OTHER": 303,
    "TEMPORARY_REDIRECT": 307,
    "PERMANENT_REDIRECT": 308,
}
_FAULT = "envoy.filters.http.fault"
_PARTS = {"HUNDRED": 100, "TEN_THOUSAND": 10_000, "MILLION": 1_000_000}


@dataclass(frozen=True)
class Outcome:
    """What becomes of a request on average: all shares together are 1.

    versions: the share that each version gets. answered: what the sidecar answers itself, by status.
    """

    versions: Mapping[str, float]
    answered: Mapping[int, float]

    def __str__(self) -> str:
        """Return the shares for people, such as `v1 90.0 %, status 503 10.0 %`."""
        parts = [f"{version} {percent(share)}" for version, share in self.versions.items()]
        parts += [f"status {status} {percent(share)}" for status, share in sorted(self.answered.items())]
        return ", ".join(parts)


@dataclass(frozen=True)
class Abort:
    """A fault on purpose: a share of the requests, 0 to 1, gets this status from the sidecar."""

    share: float
    status: int


@dataclass(frozen=True)
class Route:
    """match: Envoy's RouteMatch. name: the rule's, "" where it has none.

    status: what the sidecar answers itself, by a redirect or a direct response.
    """

    match: Match
    destinations: tuple[Destination, ...] = ()
    name: str = ""
    status: int | None = None
    abort: Abort | None = None

    def __str__(self) -> str:
        """Return which requests take it, such as `header x-tester is yes`."""
        return matches.text(self.match)

    @property
    def shares(self) -> dict[str, float]:
        """Each destination's share by its name, 0 to 1; {} where the sidecar answers itself."""
        found: dict[str, float] = {}
        for destination in self.destinations:
            found[destination.name] = found.get(destination.name, 0.0) + destination.share
        return found

    @property
    def outcome(self) -> Outcome:
        """What becomes of the requests that take it."""
        if self.status is not None:
            return Outcome({}, {self.status: 1.0})
        versions: dict[str, float] = {}
        answered = {self.abort.status: self.abort.share} if self.abort and self.abort.share else {}
        passed = 1.0 - sum(answered.values())
        for place in self.destinations:
            if place.status and place.share:
                answered[place.status] = answered.get(place.status, 0.0) + passed * place.share
            for version, part in place.versions.items():
                versions[version] = versions.get(version, 0.0) + passed * place.share * part
        return Outcome(dict(sorted(versions.items())), answered)


def of_envoy(route: Obj, upstreams: Upstreams, passed_through: Destination) -> Route:
    """Return one of Envoy's routes; passed_through: where requests arrive that a route only passes on."""
    action = route.get("route", {})
    places = tuple(
        replace(passed_through, share=share)
        if upstreams.passes_through(cluster)
        else upstreams.destination(cluster, share, action.get("cluster_not_found_response_code", ""))
        for cluster, share in clusters(action)
    )
    return Route(route.get("match", EVERY), places, route.get("name", ""), _status(route), _abort(route))


def clusters(action: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Yield the clusters of a route's action, or of a filter that passes bytes on, and the share of each."""
    if "weighted_clusters" in action:
        entries = action["weighted_clusters"]["clusters"]
        total = sum(entry.get("weight", 0) for entry in entries)
        yield from ((entry["name"], entry.get("weight", 0) / total) for entry in entries)
    elif "cluster" in action:
        yield action["cluster"], 1.0


def _status(route: Obj) -> int | None:
    if "direct_response" in route:
        return int(route["direct_response"]["status"])
    if "redirect" in route:
        return _REDIRECTS[route["redirect"].get("response_code", "MOVED_PERMANENTLY")]
    return None


def _abort(route: Obj) -> Abort | None:
    abort = route.get("typed_per_filter_config", {}).get(_FAULT, {}).get("abort")
    if abort is None or "http_status" not in abort:
        return None
    part = abort.get("percentage", {})
    return Abort(part.get("numerator", 0) / _PARTS[part.get("denominator", "HUNDRED")], abort["http_status"])
