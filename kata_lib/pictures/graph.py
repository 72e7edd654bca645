"""Who calls whom, at what share: the mesh's counters go in, a graph comes out, as Kiali draws it.

Callers and versions are round, services square. On each edge stands what part of its node's requests takes it
(Kiali: "traffic distribution"), how many a second, and what part of them failed. networkx orders and draws it
on matplotlib, so that it is one picture everywhere: in a notebook, without a kernel, and in an export.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal

from kata_lib.mesh import telemetry
from kata_lib.pictures import shown
from kata_lib.pictures.plots import style_of
from kata_lib.pictures.stills import FAILED, INK, PAPER, in_page, painted
from kata_lib.statistics.shares import percent

if TYPE_CHECKING:
    import networkx as nx
    import pandas as pd
    from matplotlib.axes import Axes

WIDTH, HEIGHT = 900, 330  # pixels
NODE_SIZE = 3400  # square points
UNKNOWN = "unknown"  # Istio's word for what it cannot tell


@dataclass(frozen=True, order=True)
class Node:
    """A service, a version of a workload, or a caller or called one that the mesh does not know."""

    name: str
    kind: Literal["service", "workload", "outside"]
    version: str = ""

    def __str__(self) -> str:
        return f"{self.name}\n{self.version}" if self.version else self.name


@dataclass(frozen=True)
class Edge:
    """Requests from one node to another; share and errors are fractions, rate in requests/s if known."""

    caller: Node
    called: Node
    requests: int
    share: float
    errors: float
    rate: float | None

    def __str__(self) -> str:
        speed = f"{self.requests} requests" if self.rate is None else f"{self.rate:.1f}/s"
        lines = [percent(self.share), speed]
        return "\n".join(lines + [f"{percent(self.errors)} failed"] * (self.errors > 0))


@dataclass(frozen=True)
class Graph:
    """The edges of a graph, and how it is shown: as SVG, and in words."""

    edges: tuple[Edge, ...]

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
        return painted(self._paint, self.alt, WIDTH, HEIGHT)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        shown.tell(self.alt, self.svg)
        return {"text/html": in_page(self.svg), "image/svg+xml": self.svg, "text/plain": self.alt}

    def _paint(self, axes: "Axes") -> None:
        import networkx as nx

        graph = nx.DiGraph([(edge.caller, edge.called) for edge in self.edges])
        place = _places(graph)
        labels = {(edge.caller, edge.called): str(edge) for edge in self.edges}
        bad = {(edge.caller, edge.called) for edge in self.edges if edge.errors > 0}
        for edges, color in ((labels.keys() - bad, INK), (bad, FAILED)):
            nx.draw_networkx_edges(
                graph, place, sorted(edges), node_size=NODE_SIZE, edge_color=color, ax=axes
            )
            chosen = {edge: labels[edge] for edge in sorted(edges)}
            nx.draw_networkx_edge_labels(
                graph,
                place,
                chosen,
                rotate=False,
                font_size=8,
                font_color=color,
                ax=axes,
                bbox={"facecolor": PAPER, "edgecolor": PAPER, "pad": 1},
            )
        for node in graph:
            _paint_node(axes, graph, place, node)
        axes.set_axis_off()
        axes.margins(0.08, 0.25)
        axes.set_position((0, 0, 1, 1))


def draw(counted: "pd.DataFrame") -> Graph:
    """Return the graph of what was counted: telemetry.difference's table, or a whole reading.

    What callers' sidecars counted (reporter="source") holds. Of services that none of them called, their own
    sidecars' numbers stand, and the caller is unknown.
    """
    seconds = counted.attrs.get("seconds")
    table = counted.assign(failed=counted["requests"].where(telemetry.failed(counted), 0.0)).reset_index()
    by_callers = table[table["reporter"] == "source"]
    own = table[(table["reporter"] == "destination") & ~table["service"].isin(by_callers["service"])]
    found: dict[tuple[Node, Node], list[float]] = {}
    for rows in (by_callers, own):
        for row in rows.to_dict("records"):
            service = Node(row["service"], "service")
            for edge in ((_caller(row), service), (service, _called(row))):
                sums = found.setdefault(edge, [0.0, 0.0])
                sums[0] += row["requests"]
                sums[1] += row["failed"]
    return Graph(tuple(_edges(found, seconds)))


def _edges(found: dict[tuple[Node, Node], list[float]], seconds: float | None) -> Iterable[Edge]:
    sent: dict[Node, float] = {}
    for (caller, _), (requests, _) in found.items():
        sent[caller] = sent.get(caller, 0.0) + requests
    for (caller, called), (requests, failed) in sorted(found.items()):
        rate = requests / seconds if seconds else None
        yield Edge(caller, called, int(requests), requests / sent[caller], failed / requests, rate)


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


def _places(graph: "nx.DiGraph") -> dict[Node, Any]:
    """Return where each node stands: callers left of those they call; who call each other, in one column."""
    import networkx as nx

    groups = nx.condensation(graph)
    layers = {}
    for layer, numbers in enumerate(nx.topological_generations(groups)):
        members = (groups.nodes[number]["members"] for number in numbers)
        layers[layer] = sorted(chain.from_iterable(members), reverse=True)  # the first on top
    places: dict[Node, Any] = nx.multipartite_layout(graph, subset_key=layers)
    return places


def _paint_node(axes: "Axes", graph: "nx.DiGraph", place: dict[Node, Any], node: Node) -> None:
    import networkx as nx

    style = style_of(node.version)
    color, ink = (style.color, style.ink) if node.version else (PAPER, INK)
    shape = "s" if node.kind == "service" else "o"
    nx.draw_networkx_nodes(
        graph, place, [node], NODE_SIZE, color, shape, edgecolors=INK, linewidths=1.2, ax=axes
    )
    nx.draw_networkx_labels(graph, place, {node: str(node)}, font_size=9, font_color=ink, ax=axes)


def _said(node: Node) -> str:
    return f"service {node}" if node.kind == "service" else str(node).replace("\n", " ")
