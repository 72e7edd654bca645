"""Who calls whom, at what share: the mesh's counters go in, a graph comes out, as Kiali draws it.

Callers and versions are round, services square. On each edge stands what part of its node's requests takes it
(Kiali: "traffic distribution"), how many a second, and what part of them failed. It is drawn as SVG, so that
it is one picture everywhere: in a notebook, without a kernel, and in an export.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from kata_lib.mesh import telemetry
from kata_lib.pictures import shown, svg
from kata_lib.pictures.layers import Layers, Route
from kata_lib.pictures.plots import style_of
from kata_lib.pictures.stills import in_page
from kata_lib.pictures.svg import FAILED, INK, PAPER, Place
from kata_lib.statistics.shares import percent

if TYPE_CHECKING:
    import pandas as pd

HIGH = 52.0  # pixels: a node
LETTERS = 11.0  # pixels: on edges
ARROW = 9.0  # pixels
_SUMMED = {"requests", "failed", "timed", *telemetry.BOUNDS}
UNKNOWN = "unknown"  # Istio's word for what it cannot tell


@dataclass(frozen=True, order=True)
class Node:
    """A service, a version of a workload, a pod, or a caller or called one that the mesh does not know.

    ejected: whether the caller's sidecar sends nothing to this pod for a while.
    """

    name: str
    kind: Literal["service", "workload", "outside"]
    version: str = ""
    ejected: bool = False

    def __str__(self) -> str:
        said = [self.name, *([self.version] if self.version else []), *(["ejected"] if self.ejected else [])]
        return "\n".join(said)


Hop = tuple[Node, Node, str]
"""A caller, a called one, and the service of whose requests the edge has a share, "" for all of a caller."""


@dataclass(frozen=True)
class Edge:
    """Requests from one node to another; share and errors are fractions, rate in requests/s if known.

    p95: between which times, in ms, the slowest twentieth of them begins, where durations are counted.
    """

    caller: Node
    called: Node
    requests: int
    share: float
    errors: float
    rate: float | None
    p95: tuple[int, int] | None = None

    def __str__(self) -> str:
        speed = f"{self.requests} requests" if self.rate is None else f"{self.rate:.1f}/s"
        lines = [percent(self.share), speed]
        lines += [f"{percent(self.errors)} failed"] * (self.errors > 0)
        return "\n".join(lines + ([f"p95 {_at_most(*self.p95)}"] if self.p95 else []))


@dataclass(frozen=True)
class Graph:
    """The edges of a graph, and how it is shown: as SVG, and in words."""

    edges: tuple[Edge, ...]

    def slower_than(self, ms: int) -> list[str]:
        """Return the services of whose requests the slowest twentieth takes longer than one of the bounds."""
        return sorted({edge.called.name for edge in self.edges if edge.p95 and edge.p95[0] >= ms})

    @property
    def alt(self) -> str:
        """The graph in words."""
        if not self.edges:
            return "Graph of who calls whom: nobody called anybody."
        said = [
            f"{_said(edge.caller)} to {_said(edge.called)}: {', '.join(str(edge).split(chr(10)))}."
            for edge in self.edges
        ]
        return " ".join(["Graph of who calls whom.", *said])

    @cached_property
    def svg(self) -> str:
        """The graph as SVG, complete in itself, titled with its words."""
        labels = {(edge.caller, edge.called): svg.room(str(edge).split("\n"), LETTERS) for edge in self.edges}
        nodes = {node: (_width(node), HIGH) for ends in labels for node in ends}
        laid = Layers(nodes, labels)
        routed = [(edge, laid.route((edge.caller, edge.called))) for edge in self.edges]
        drawn = [draw(edge, route) for draw in (_line, _label) for edge, route in routed]
        drawn += [_node(node, place) for node, place in laid.places.items()]
        return svg.document(laid.width, laid.height, self.alt, drawn)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        shown.tell(self.alt, self.svg)
        return {"text/html": in_page(self.svg), "image/svg+xml": self.svg, "text/plain": self.alt}


def draw(counted: "pd.DataFrame", services: bool = True) -> Graph:
    """Return the graph of what was counted: telemetry.difference's table, or a whole reading.

    services: whether they stand between callers and versions, with the shares of all their requests; without
    them each caller has edges of its own, with the shares of its requests to a service.
    What callers' sidecars counted (reporter="source") holds. Of services that none of them called, their own
    sidecars' numbers stand, and the caller is unknown. A Service of one version, to which an HTTPRoute sends,
    is drawn as the service of all versions. Of a reading within telemetry.BOUNDS edges have a p95.
    """
    seconds = counted.attrs.get("seconds")
    table = counted.assign(failed=counted["requests"].where(telemetry.failed(counted), 0.0)).reset_index()
    table["service"] = table["service"].replace(_whole(counted.attrs.get("versions", {})))
    by_callers = table[table["reporter"] == "source"]
    own = table[(table["reporter"] == "destination") & ~table["service"].isin(by_callers["service"])]
    found: dict[Hop, Counter[Any]] = {}
    for rows in (by_callers, own):
        for row in rows.to_dict("records"):
            sums = {key: value for key, value in row.items() if key in _SUMMED and value == value}
            for hop in _with_service(row) if services else _without_service(row):
                found.setdefault(hop, Counter()).update(sums)
    return Graph(tuple(_edges(found, seconds)))


def draw_pods(
    counted: "pd.DataFrame", service: str, caller: str, pods: Mapping[str, str], ejected: Collection[str]
) -> Graph:
    """Return the graph of who of a service's pods gets its requests.

    counted: as `draw` takes it. pods: each one's version by its name, of all that could get requests.
    ejected: those of them to which the caller's sidecar sends nothing. Requests that reached no pod have an
    edge of their own, as the callers' sidecars counted them.
    """
    table = counted.assign(failed=counted["requests"].where(telemetry.failed(counted), 0.0)).reset_index()
    mine = table[table["service"] == service]
    lost = mine[(mine["reporter"] == "source") & (mine["destination"] == UNKNOWN)]
    own = mine[mine["reporter"] == "destination"]
    start, found = Node(caller, "service"), {}
    for name, version in pods.items():
        rows = own[own["pod"] == name]
        node = Node(name, "workload", version, name in ejected)
        found[start, node, ""] = Counter({key: float(rows[key].sum()) for key in ("requests", "failed")})
    if len(lost):
        found[start, Node("no pod", "outside"), ""] = Counter(
            {key: float(lost[key].sum()) for key in ("requests", "failed")}
        )
    return Graph(tuple(_edges(found, counted.attrs.get("seconds"))))


def _whole(versions: Mapping[str, list[str]]) -> dict[str, str]:
    """Return for each Service of one version the one of all: the first, where several have its pods."""
    return {part: whole for whole, parts in sorted(versions.items(), reverse=True) for part in parts}


def _with_service(row: Mapping[Any, Any]) -> list[Hop]:
    service = Node(row["service"], "service")
    return [(_caller(row), service, ""), (service, _called(row), "")]


def _without_service(row: Mapping[Any, Any]) -> list[Hop]:
    return [(_caller(row), _called(row), row["service"])]


def _edges(found: Mapping[Hop, "Counter[Any]"], seconds: float | None) -> Iterable[Edge]:
    sent: dict[tuple[Node, str], float] = {}
    for (caller, _, of), sums in found.items():
        sent[caller, of] = sent.get((caller, of), 0.0) + sums["requests"]
    for (caller, called, of), sums in sorted(found.items(), key=lambda entry: entry[0]):
        requests = sums["requests"]
        rate, p95 = requests / seconds if seconds else None, telemetry.percentile(sums, 0.95)
        errors = sums["failed"] / requests if requests else 0.0
        yield Edge(caller, called, int(requests), requests / (sent[caller, of] or 1.0), errors, rate, p95)


def _at_most(low: int, high: int) -> str:
    return f"≤ {high} ms" if low < high else f"> {low} ms"


def _caller(row: Mapping[Any, Any]) -> Node:
    if row["source"] == UNKNOWN:
        return Node("outside", "outside")
    return _workload(row["source"], row["source version"])


def _called(row: Mapping[Any, Any]) -> Node:
    if row["destination"] == UNKNOWN:
        return Node("no pod", "outside")
    return _workload(row["destination"], row["version"])


def _workload(name: str, version: str) -> Node:
    known = "" if version == UNKNOWN else version
    return Node(name.removesuffix(f"-{known}"), "workload", known)


def _node(node: Node, middle: Place) -> str:
    style = style_of(node.version)
    color, ink = (style.color, style.ink) if node.version and not node.ejected else (PAPER, INK)
    width = _width(node)
    corner = (middle[0] - width / 2, middle[1] - HIGH / 2)
    dashes = "5 4" if node.ejected else None
    edge: dict[str, svg.Attribute] = {
        "fill": color,
        "stroke": INK,
        "stroke_width": 1.2,
        "stroke_dasharray": dashes,
    }
    shape = svg.rectangle(corner, width, HIGH, rx=2 if node.kind == "service" else HIGH / 2, **edge)
    return shape + svg.lines(middle, str(node).split("\n"), color=ink)


def _width(node: Node) -> float:
    return max(76.0, svg.room(str(node).split("\n"))[0] + HIGH / 2)


def _line(edge: Edge, route: Route) -> str:
    (x, y), back = route.points[-1], -ARROW if route.rightward else ARROW
    head = svg.through([(x, y), (x + back, y - ARROW / 2), (x + back, y + ARROW / 2)]) + "z"
    line = svg.curve([*route.points[:-1], (x + back / 2, y)])
    return svg.path(line, stroke=_color(edge), stroke_width=1.3) + svg.path(head, fill=_color(edge))


def _label(edge: Edge, route: Route) -> str:
    said = str(edge).split("\n")
    width, height = svg.room(said, LETTERS)
    corner = (route.label[0] - width / 2, route.label[1] - height / 2)
    behind = svg.rectangle(corner, width, height, fill=PAPER)
    return behind + svg.lines(route.label, said, color=_color(edge), size=LETTERS)


def _color(edge: Edge) -> str:
    return FAILED if edge.errors > 0 else INK


def _said(node: Node) -> str:
    return f"service {node}" if node.kind == "service" else str(node).replace("\n", " ")
