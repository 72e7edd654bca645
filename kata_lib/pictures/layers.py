"""Where the nodes and edges of a graph stand: sizes go in, places come out; no label lies on anything else.

Callers stand in a column left of those they call; who call each other share one (layered drawing, K. Sugiyama
and others, 1981). Between two columns each edge has a height of its own, its lane, with room for its label;
and in a column that it passes.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from graphlib import TopologicalSorter
from itertools import chain
from statistics import fmean
from typing import Any

from kata_lib.pictures.svg import Place

WIDTH = 900.0  # pixels, of a picture that needs no more
MARGIN = 12.0  # pixels
REACH = 30.0  # pixels in which an edge comes from a node to its lane, and back
APART = 14.0  # pixels between two that are above each other
LINE = 6.0  # pixels: the height of an edge without a label

Node = Any
"""What is equal to itself alone, and has an order."""
Edge = tuple[Node, Node]
Lane = tuple[Edge, int]
"""An edge, with the number of the column that it passes, or leaves to the right."""
Size = tuple[float, float]


@dataclass(frozen=True)
class Route:
    """Where an edge goes, from border to border, and where the middle of its label is."""

    points: tuple[Place, ...]
    label: Place
    rightward: bool


@dataclass(frozen=True)
class Layers:
    """A graph of nodes of these sizes, whose edges have labels of these sizes; all in pixels."""

    nodes: Mapping[Node, Size]
    labels: Mapping[Edge, Size]

    @property
    def width(self) -> float:
        """The width of the picture."""
        return max([WIDTH, *(end + MARGIN for _, end in self._across)])

    @property
    def height(self) -> float:
        """The height of the picture."""
        return max(self._ends, default=0.0) - min(self._ends, default=0.0) + 2 * MARGIN

    @cached_property
    def places(self) -> dict[Node, Place]:
        """Where the middle of each node is."""
        return {
            node: (fmean(self._across[2 * i]), self._y(self._rows[node])) for node, i in self._column.items()
        }

    def route(self, edge: Edge) -> Route:
        """Return where an edge goes."""
        caller, called = edge
        first, last = self._column[caller], self._column[called]
        label = (fmean(self._across[2 * first + 1]), self._y(self._lanes[edge, first]))
        points = [self._border(caller, 1)]
        if first == last:
            return Route((*points, label, self._border(called, 1)), label, rightward=False)
        for number in range(first, last):
            if number > first:
                points.append((fmean(self._across[2 * number]), self._y(self._rows[edge, number])))
            y = self._y(self._lanes[edge, number])
            points += [(x, y) for x in self._across[2 * number + 1]]
        return Route((*points, self._border(called, -1)), label, rightward=True)

    def _border(self, node: Node, side: int) -> Place:
        x, y = self.places[node]
        return x + side * self.nodes[node][0] / 2, y

    def _y(self, row: float) -> float:
        return row - min(self._ends) + MARGIN

    @cached_property
    def _columns(self) -> list[list[Node]]:
        return columns(self.labels)

    @cached_property
    def _column(self) -> dict[Node, int]:
        return {node: number for number, members in enumerate(self._columns) for node in members}

    @cached_property
    def _rows(self) -> dict[Node | Lane, float]:
        """The heights of nodes, and of edges that pass a column; the middle of the first column is 0."""
        rows: dict[Node | Lane, float] = {}
        for number, members in enumerate(self._columns):
            wished = {node: self._callers(rows, node) for node in members}
            for caller, called in self.labels:
                if self._column[caller] < number < self._column[called]:
                    wished[(caller, called), number] = rows.get(((caller, called), number - 1), rows[caller])
            rows |= _apart(
                wished, {stop: self.nodes[stop][1] if stop in members else LINE for stop in wished}
            )
        return rows

    def _callers(self, rows: Mapping[Any, float], node: Node) -> float:
        """Return the mean height of those left of a node that call it."""
        before = self._column[node] - 1
        edges = [edge for edge in self.labels if edge[1] == node and self._column[edge[0]] <= before]
        return fmean(rows.get((edge, before), rows[edge[0]]) for edge in edges) if edges else 0.0

    @cached_property
    def _lanes(self) -> dict[Lane, float]:
        """The heights of edges between columns."""
        lanes: dict[Lane, float] = {}
        for number in range(len(self._columns)):
            wished = {
                (edge, number): fmean([self._row(edge, number), self._row(edge, number + 1)])
                for edge in self.labels
                if number in self._gaps(edge)
            }
            lanes |= _apart(wished, {lane: self._high(lane) for lane in wished})
        return lanes

    def _gaps(self, edge: Edge) -> range:
        first, last = (self._column[node] for node in edge)
        return range(first, max(last, first + 1))

    def _row(self, edge: Edge, number: int) -> float:
        """Return the height of an edge in a column: of the node at its end, or where it passes."""
        caller, called = edge
        ends = caller if number <= self._column[caller] else called
        return self._rows.get((edge, number), self._rows[ends])

    def _high(self, lane: Lane) -> float:
        edge, number = lane
        return self.labels[edge][1] if number == self._column[edge[0]] else LINE

    @cached_property
    def _ends(self) -> list[float]:
        """The heights at which something begins or ends."""
        high = [(y, self.nodes[stop][1] if stop in self._column else LINE) for stop, y in self._rows.items()]
        high += [(y, self._high(lane)) for lane, y in self._lanes.items()]
        return [y + side * size / 2 for y, size in high for side in (-1, 1)]

    @cached_property
    def _across(self) -> list[tuple[float, float]]:
        """Where each column, and the lanes right of it, begin and end."""
        wide = self._wide
        needed = sum(wide) + REACH * (len(wide) - 1) + 2 * MARGIN
        more = min(REACH, max(0.0, WIDTH - needed) / max(1, len(wide) - 1))
        x = MARGIN + max(0.0, WIDTH - needed - more * (len(wide) - 1)) / 2
        found = []
        for size in wide:
            found.append((x, x + size))
            x += size + REACH + more
        return found

    @property
    def _wide(self) -> list[float]:
        """How wide each column, and the lanes right of it, are; right of the last there may be none."""
        found: list[float] = []
        for number, members in enumerate(self._columns):
            labels = [self.labels[edge][0] for edge in self.labels if number in self._gaps(edge)]
            found += [max(self.nodes[node][0] for node in members), *([max(labels)] if labels else [])]
        return found


def _apart(wished: Mapping[Any, float], high: Mapping[Any, float]) -> dict[Any, float]:
    """Return heights near the wished ones, of which no two touch, in their order or else in the given one."""
    found: dict[Any, float] = {}
    free = float("-inf")
    for key, y in sorted(wished.items(), key=lambda item: round(item[1], 3)):
        found[key] = max(y, free + high[key] / 2)
        free = found[key] + high[key] / 2 + APART
    up = fmean(found[key] - y for key, y in wished.items()) if wished else 0.0
    return {key: y - up for key, y in found.items()}


def columns(edges: Iterable[Edge]) -> list[list[Node]]:
    """Return the nodes in columns: callers before those they call, who call each other in one."""
    edges = list(edges)
    reached = _reached(edges)
    circle = {
        node: frozenset({node, *(other for other in below if node in reached[other])})
        for node, below in reached.items()
    }
    order: TopologicalSorter[frozenset[Node]] = TopologicalSorter({found: () for found in circle.values()})
    for caller, called in edges:
        if circle[caller] != circle[called]:
            order.add(circle[called], circle[caller])
    order.prepare()
    found = []
    while ready := order.get_ready():
        found.append(sorted(chain.from_iterable(ready)))
        order.done(*ready)
    return found


def _reached(edges: Sequence[Edge]) -> dict[Node, set[Node]]:
    """Return for each node where its requests lead."""
    reached: dict[Node, set[Node]] = {node: set() for edge in edges for node in edge}
    for _ in reached:
        for caller, called in edges:
            reached[caller] |= {called} | reached[called]
    return reached
