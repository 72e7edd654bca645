"""The live graph: who calls whom, of the last ten seconds, drawn anew every two.

The kernel draws (kata_lib/pictures/graph.py), the browser shows: the picture is the same as in a reopened
notebook.
"""

from collections import deque
from typing import TYPE_CHECKING

from kata_lib.cluster.cluster import Cluster
from kata_lib.course import released_pods
from kata_lib.errors import KataError
from kata_lib.lab.live.handle import LiveView
from kata_lib.lab.live.loop import Subject
from kata_lib.lab.live.protocol import GraphNews
from kata_lib.lab.live.widget import GraphWidget
from kata_lib.mesh import telemetry
from kata_lib.pictures import graph

if TYPE_CHECKING:
    import pandas as pd

FRAME_SECONDS = 2.0
SPAN = 5  # readings between the two that a picture is the difference of


class Readings(Subject):
    """The last counters of a cluster's sidecars, and the graph of what they counted since the oldest.

    services: whether they stand between callers and versions. durations: whether the edges say how long
    requests take.
    """

    def __init__(self, cluster: Cluster, services: bool = True, durations: bool = False) -> None:
        self._within = telemetry.BOUNDS if durations else ()
        self.graph = graph.Graph(())
        self._cluster = cluster
        self._services = services
        self._readings: deque[pd.DataFrame] = deque(maxlen=SPAN + 1)

    @property
    def has_picture(self) -> bool:
        """Whether anybody called anybody."""
        return bool(self.graph.edges)

    def turn(self, *, watched: bool) -> None:
        """Read what the first picture is the difference to."""
        if not self._readings:
            self._read()

    def news(self, *, everything: bool) -> GraphNews:
        """Return the graph of the last readings and a new one."""
        note = self._read()
        return GraphNews(note) if note else GraphNews(note, self.graph.svg, self.graph.alt)

    def end(self) -> None:
        """Read once more, for the picture that stays."""
        self._read()

    def _read(self) -> str:
        """Read the counters for the next picture; return why that was not possible, or ""."""
        try:
            self._readings.append(telemetry.counters(self._cluster, self._within))
            self.graph = self._draw(telemetry.difference(self._readings[0], self._readings[-1]))
        except KataError as error:
            return str(error)
        return ""

    def _draw(self, counted: "pd.DataFrame") -> graph.Graph:
        return graph.draw(counted, self._services)


class OfPods(Readings):
    """The same of the pods of the service that is released: which of them gets requests, and which none."""

    def _draw(self, counted: "pd.DataFrame") -> graph.Graph:
        return released_pods.graph_of(self._cluster, counted)


class LiveGraph(LiveView):
    """A running live graph."""

    name = "Live graph"

    def __init__(self, readings: Readings) -> None:
        self._readings = readings
        super().__init__(GraphWidget(FRAME_SECONDS), self._readings, lambda: self.graph.svg, FRAME_SECONDS)

    @property
    def graph(self) -> graph.Graph:
        """What it shows now."""
        return self._readings.graph
