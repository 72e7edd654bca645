"""Where requests go, by version: read often at little cost, and set when a person moved a slider."""

from collections import Counter
from dataclasses import dataclass, replace

from kata_lib.cluster.cluster import Cluster
from kata_lib.cluster.hosts import short_name
from kata_lib.course import service
from kata_lib.errors import ClusterError, MeshError
from kata_lib.mesh import proxy_config, weights
from kata_lib.mesh.destinations import spread
from kata_lib.mesh.in_force import InForce
from kata_lib.statistics.change import Shares

SELDOM_SECONDS = 5.0
"""Between two looks at pods and weights, unless the sidecar's routes changed."""
LAG_SECONDS = 3.0
"""How long what a person set stands for what the sidecar has, while that does not change."""

Place = tuple[str, str]
"""A host and a subset, "" for none."""
Weight = tuple[str, int]
"""A destination's name, and its weight as written."""


@dataclass(frozen=True)
class LiveRoute:
    """What was found.

    asked: each version's share as the calling sidecar has it, None where the pods decide. pods: the shares
    if nothing but the number of ready pods decided. note: what a person should know, "" for nothing.
    movable: whether there are weights to turn: two destinations or more, each a version.
    """

    asked: Shares | None
    pods: Shares
    note: str = ""
    movable: bool = False


class LiveRouting:
    """The route to one service of a cluster; times in seconds of any clock."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._caller: str | None = None
        self._seen = ""
        self._next = 0.0
        self._found = LiveRoute(None, {})
        self._versions: dict[Place, str] = {}
        self._written: dict[str, Weight] = {}

    def look(self, now: float) -> LiveRoute:
        """Read the sidecar's routes, and now and then the pods and the weights."""
        seen = self._routes()
        if seen != self._seen or now >= self._next:
            found = service.in_force(self._cluster)
            self._caller, self._seen, self._next = found.caller, seen, now + SELDOM_SECONDS
            self._found = self._by_version(found)
        return self._found

    def set(self, version: str, percent: int, now: float) -> Shares:
        """Give a version its weight and the route's others the rest; return the shares that this makes."""
        total = sum(weight for _, weight in self._written.values())
        wanted = linked({v: weight / total for v, (_, weight) in self._written.items()}, version, percent)
        named = {self._written[v][0]: weight for v, weight in wanted.items()}
        service.set_weights(self._cluster, named)
        self._written = dict(zip(wanted, named.items(), strict=True))
        asked = {v: weight / 100 for v, weight in wanted.items()}
        self._found, self._next = replace(self._found, asked=asked), now + LAG_SECONDS
        return asked

    def _routes(self) -> str:
        """Return the caller's routes as text, "" without a caller, or where its pod may be gone."""
        try:
            return proxy_config.routes_text(self._cluster, self._caller) if self._caller else ""
        except ClusterError:
            return ""

    def _by_version(self, found: InForce) -> LiveRoute:
        note = ""
        try:
            written = _written(self._cluster, found.service)
        except MeshError as error:
            written, note = {}, str(error)
        if found.only_pods_decide:
            why = f"The route sends to {found.service}" if written else "No rule sets weights"
            note = note or f"{why}: each pod of {found.service} gets its part."
            return LiveRoute(None, found.by_pods, note)
        shares = {**dict.fromkeys(written, 0.0), **_shares(found)}
        versions = {place: self._version(place, found) for place in shares}
        counts = Counter(versions.values())
        unclear = [subset or host for (host, subset), v in versions.items() if not v or counts[v] > 1]
        if unclear or not shares:
            note = note or f"The route sends to {', '.join(unclear)}, which is not one version of its own."
            return LiveRoute(found.versions, found.by_pods, note)
        self._written = {versions[place]: weight for place, weight in written.items()}
        asked = {versions[place]: round(share, 4) for place, share in shares.items()}
        if len(asked) == 1:
            note = note or f"The route has one destination, {min(asked)}: no weight to turn."
        movable = len(asked) > 1 and self._written.keys() == asked.keys()
        return LiveRoute(dict(sorted(asked.items())), found.by_pods, note, movable)

    def _version(self, place: Place, found: InForce) -> str:
        """Return the version behind a place, "" for several; without pods the last one known, or its name."""
        there = [*spread(found.places.get(place, ()))]
        if len(there) == 1:
            self._versions[place] = there[0]
        return "" if len(there) > 1 else self._versions.get(place, place[1] or place[0])


def _shares(found: InForce) -> dict[Place, float]:
    route = found.route()
    shares: dict[Place, float] = {}
    for place in route.destinations if route else ():
        shares[place.host, place.subset] = shares.get((place.host, place.subset), 0.0) + place.share
    return shares


def _written(cluster: Cluster, host: str) -> dict[Place, Weight]:
    """Return the weights as written by the place that each is for."""
    holder = weights.find(cluster, host)
    if holder is None:
        return {}
    places = [entry["destination"] for entry in holder.route]
    named = zip(weights.names(holder.route), places, strict=True)
    return {
        (short_name(place["host"], cluster.namespace), place.get("subset", "")): (name, holder.weights[name])
        for name, place in named
    }


def linked(asked: Shares, version: str, percent: int) -> dict[str, int]:
    """Return whole weights of 100: `percent` for a version, the rest among the others as it was among them.

    Where the others had nothing, the first of them gets it.
    """
    others = {name: share for name, share in asked.items() if name != version}
    if not any(others.values()):
        others[min(others)] = 1.0
    rest, total = 100 - percent, sum(others.values())
    exact = {name: rest * share / total for name, share in others.items()}
    weights = {name: int(part) for name, part in exact.items()}
    most_cut = sorted(others, key=lambda name: weights[name] - exact[name])
    for name in most_cut[: rest - sum(weights.values())]:
        weights[name] += 1
    return {name: weights.get(name, percent) for name in asked}
