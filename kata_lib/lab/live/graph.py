"""The live graph: who calls whom, of the last ten seconds, drawn anew every two.

The kernel draws (kata_lib/pictures/graph.py), the browser shows: the picture is the same as in a reopened
notebook.
"""

from collections import deque

import pandas as pd

from kata_lib.errors import KataError
from kata_lib.lab.lab import Lab
from kata_lib.lab.live.follower import Follower
from kata_lib.lab.live.still import StillBeside
from kata_lib.lab.live.widget import GraphWidget, Message
from kata_lib.mesh import telemetry
from kata_lib.pictures import graph

FRAME_SECONDS = 2.0
SPAN = 5  # readings between the two that a picture is the difference of


class LiveGraph(Follower):
    """A running live graph; `graph` is what it shows now."""

    name = "Live graph"

    def __init__(self, lab: Lab) -> None:
        widget = GraphWidget()
        super().__init__(widget, StillBeside(widget.still, lambda: self.graph.svg), FRAME_SECONDS)
        self.graph = graph.Graph(())
        self._cluster = lab.cluster
        self._readings: deque[pd.DataFrame] = deque(maxlen=SPAN + 1)

    def _begin(self) -> None:
        self._read()

    def _end(self) -> None:
        self._read()

    def _has_picture(self) -> bool:
        return bool(self.graph.edges)

    def _frame(self) -> Message:
        note = self._read()
        picture = {} if note else {"svg": self.graph.svg, "alt": self.graph.alt}
        return {"type": "graph", "note": note, **picture}

    def _read(self) -> str:
        """Read the counters for the next picture; return why that was not possible, or ""."""
        try:
            self._readings.append(telemetry.counters(self._cluster))
            self.graph = graph.draw(telemetry.difference(self._readings[0], self._readings[-1]))
        except KataError as error:
            return str(error)
        return ""
