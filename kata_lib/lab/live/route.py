"""What the cluster asks for, by version: read often at little cost, and set when a person moved a slider."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from kata_lib.cluster.cluster import Cluster
from kata_lib.mesh import old_weights as mesh
from kata_lib.statistics.change import Shares

SELDOM_SECONDS = 5.0
"""Between two looks at pods and subsets, unless the route changed."""


@dataclass(frozen=True)
class Route:
    """What was found.

    asked: each version's share by weight, None where no VirtualService sets it. pods: each version's share if
    nothing but the number of ready pods decided. note: what a person should know, "" for nothing.
    """

    asked: Shares | None
    pods: Shares
    note: str = ""

    @property
    def movable(self) -> bool:
        """Whether there are weights to turn: two destinations or more, each a version."""
        return self.asked is not None and len(self.asked) > 1 and not self.note


class Routing:
    """The route to one service of a cluster; times in seconds of any clock."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._seen: Any = None
        self._next = 0.0
        self._versions: dict[str, str] = {}
        self._subsets: dict[str, str] = {}
        self._pods: Shares = {}

    def look(self, now: float) -> Route:
        """Read the route, and now and then the subsets and the pods; MeshError for weights that are none."""
        service = mesh.virtual_service(self._cluster)
        spec = service and service["spec"]
        if spec != self._seen or now >= self._next:
            self._seen, self._next = spec, now + SELDOM_SECONDS
            labels = mesh.subsets(self._cluster)
            self._versions = {name: found["version"] for name, found in labels.items() if "version" in found}
            self._pods = mesh.pods_by_version(mesh.ready_pods(self._cluster))
        if service is None:
            return Route(None, self._pods, "No VirtualService sets weights: each pod of name gets its part.")
        return self._by_version(mesh.shares_in(service))

    def set(self, route: Route, version: str, percent: int) -> Shares:
        """Give a version its weight and the route's others the rest; return the shares that this makes."""
        assert route.asked is not None
        wanted = linked(route.asked, version, percent)
        mesh.set_weights(self._cluster, {self._subsets[name]: weight for name, weight in wanted.items()})
        return {name: weight / 100 for name, weight in wanted.items()}

    def _by_version(self, shares: Shares) -> Route:
        versions = {name: self._versions.get(name, "") for name in shares}
        counts = Counter(versions.values())
        unclear = [name for name, version in versions.items() if not version or counts[version] > 1]
        if unclear:
            note = f"The route sends to {', '.join(unclear)}: no DestinationRule gives it its own version."
            return Route(None, self._pods, note)
        self._subsets = {version: name for name, version in versions.items()}
        asked = {versions[name]: round(share, 4) for name, share in shares.items()}
        note = "" if len(asked) > 1 else f"The route has one destination, {min(asked)}: no weight to turn."
        return Route(dict(sorted(asked.items())), self._pods, note)


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
