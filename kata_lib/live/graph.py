"""The live graph: who calls whom, of the last ten seconds, drawn anew every two.

The kernel draws (kata_lib/graph.py), the browser shows: the picture is the same as in a reopened notebook.
"""

import time
from collections import deque
from threading import Thread

import pandas as pd

from kata_lib import graph, observe
from kata_lib.errors import KataError
from kata_lib.lab import Lab
from kata_lib.live.pace import Pace
from kata_lib.live.still import StillBeside
from kata_lib.live.widget import GraphWidget, Message

FRAME_SECONDS = 2.0
SPAN = 5  # readings between the two that a picture is the difference of


class LiveGraph:
    """A running live graph; `graph` is what it shows now."""

    def __init__(self, lab: Lab) -> None:
        self.widget = GraphWidget()
        self.graph = graph.Graph(())
        self.still = StillBeside(self.widget.still, lambda: self.graph.svg)
        self._cluster = lab.cluster
        self._readings: deque[pd.DataFrame] = deque(maxlen=SPAN + 1)
        self._pace = Pace(time.monotonic(), FRAME_SECONDS)
        self._number = 0
        self._thread = Thread(target=self._run, name="live graph", daemon=True)

    def __repr__(self) -> str:
        return "Live graph" if self._thread.is_alive() else "Live graph, closed"

    def start(self) -> None:
        """Begin; show_graph() does so."""
        self._thread.start()

    def close(self) -> None:
        """End it, and wait for that; the second time do nothing."""
        if self._thread.is_alive():
            self.widget.close()
            self._thread.join(10.0)

    def _run(self) -> None:
        self._read()
        rest = 0.0
        while (messages := self.widget.messages(rest)) is not None:
            for message in messages:
                self._hear(message)
            if self._pace.due(time.monotonic()) != "nothing":
                self._draw()
            self.still.refresh(due=bool(self.graph.edges) and self._pace.traffic(time.monotonic()))
            rest = self._pace.rest(time.monotonic())
        self._read()
        self.still.end(due=bool(self.graph.edges))

    def _hear(self, message: Message) -> None:
        match message:
            case {"type": "shown"}:
                self._pace.shown(time.monotonic(), calm=False)
            case {"type": "drawn", "number": int(number)}:
                self._pace.drawn(number, time.monotonic())

    def _read(self) -> str:
        """Read the counters for the next picture; return why that was not possible, or ""."""
        try:
            self._readings.append(observe.counters(self._cluster))
            self.graph = graph.of(observe.difference(self._readings[0], self._readings[-1]))
        except KataError as error:
            return str(error)
        return ""

    def _draw(self) -> None:
        self._number += 1
        note = self._read()
        picture = {} if note else {"svg": self.graph.svg, "alt": self.graph.alt}
        self.widget.tell({"type": "graph", "number": self._number, "note": note, **picture})
        self._pace.sent(self._number, time.monotonic())
