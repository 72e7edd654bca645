"""The live lab: turn the weight and see the traffic follow, ten pictures a second.

    traffic = live.show(lab)
    live.show_graph(lab)
    live.show_release(lab, release)

A Lab goes in, a widget is shown, a handle comes out at once. A thread does the work: it hears the widget
(widget.py and view/), takes the sampler's records, looks at the weights, and sends frames (session.py). It
ends with the kernel, with close(), and when its cell runs again.
"""

import time
from threading import Event, Thread
from typing import TypeVar

import pandas as pd

from kata_lib.delivery import Release
from kata_lib.delivery.argo import ArgoRollout
from kata_lib.errors import WaitTimeout
from kata_lib.lab.lab import Lab
from kata_lib.lab.live.by_argo import ByArgo
from kata_lib.lab.live.by_plan import ByPlan
from kata_lib.lab.live.changes import Change, words
from kata_lib.lab.live.graph import LiveGraph
from kata_lib.lab.live.release import LiveRelease
from kata_lib.lab.live.session import Session
from kata_lib.lab.live.still import StillBeside, picture
from kata_lib.lab.live.widget import LiveWidget
from kata_lib.pictures.stills import Still
from kata_lib.traffic import Sampler, frame_of

__all__ = ["Live", "LiveGraph", "LiveRelease", "show", "show_graph", "show_release"]

RING = 4_000  # records between the sampler and a turn, of which there are ten a second
_Shown = TypeVar("_Shown", "Live", LiveGraph, LiveRelease)
_shown: dict[str, "Live | LiveGraph | LiveRelease"] = {}


def show(lab: Lab, rate: float = 50) -> "Live":
    """Show the live lab below the cell and return at once; rate: requests a second to the service.

    What the same cell showed before is closed first.
    """
    return _show(Live(lab, rate))


def show_graph(lab: Lab) -> LiveGraph:
    """Show below the cell who calls whom, and return at once; it sends no requests itself."""
    return _show(LiveGraph(lab))


def show_release(lab: Lab, release: Release | ArgoRollout) -> LiveRelease:
    """Show below the cell how a release goes, with its buttons, and return at once; it sends no requests."""
    source = ByArgo(release) if isinstance(release, ArgoRollout) else ByPlan(lab.cluster, release)
    return _show(LiveRelease(lab, source))


def _show(made: _Shown) -> _Shown:
    from IPython.display import display

    cell = _this_cell()
    if cell in _shown:
        _shown.pop(cell).close()
    _shown[cell] = made
    display(made.widget)
    made.still.show()
    made.start()
    return made


class Live:
    """A running live lab: moves its slider, and returns what it measured."""

    def __init__(self, lab: Lab, rate: float) -> None:
        self.widget = LiveWidget()
        url = lab.url
        self._session = Session(
            lab.cluster,
            lambda rate: Sampler(url, rate, concurrency=16, ring=RING),
            rate,
            self.widget.tell,
            time.time_ns,
        )
        self.still = StillBeside(self.widget.still, lambda: self.picture().svg)
        self._was_running = True
        self._ended = Event()
        self._thread = Thread(target=self._run, name="live lab", daemon=True)

    def __repr__(self) -> str:
        return "Live lab, closed" if self._ended.is_set() else "Live lab"

    def start(self) -> None:
        """Begin; show() does so."""
        self._thread.start()

    def move(self, percent: int) -> None:
        """Do what moving the newest version's slider to this weight does, and return at once."""
        self.widget.inbox.put({"type": "weight", "value": percent})

    def last_change(self, timeout: float = 15.0) -> Change:
        """Return the last change of the weight once it was seen in the answers; wait for that, in seconds."""
        limit = time.monotonic() + timeout
        while not (found := self._last()) or found.seen_ms is None or self.widget.inbox.unfinished_tasks:
            if self._ended.is_set() or time.monotonic() > limit:
                raise WaitTimeout(_not_seen(found, timeout))
            time.sleep(0.02)
        return found

    def answers(self) -> pd.DataFrame:
        """Return the requests since the last change, at most the last 24,000, as lab.sample does."""
        changes = self._session.changes
        since = self._session.start_ns + int(1e9 * changes[-1].at) if changes else 0
        return frame_of([record for record in self._session.records.copy() if record[0] >= since])

    def changes(self) -> pd.DataFrame:
        """Return a row for each change of the weight: by whom, and after how long it could be seen."""
        rows = [
            {
                "from": words(change.before),
                "to": words(change.after),
                "by": change.by,
                "seen after ms": change.seen_ms,
                "seen after requests": change.requests,
            }
            for change in self._session.changes.copy()
            if change.number > 0
        ]
        columns = ["from", "to", "by", "seen after ms", "seen after requests"]
        return pd.DataFrame(rows, columns=columns).round(0)

    def picture(self) -> Still:
        """Return the last minute as a still picture."""
        return picture(self._session)

    def close(self) -> None:
        """End the traffic and the picture, and wait for both; the second time do nothing."""
        if not self._ended.is_set():
            self.widget.close()
            self._thread.join(10.0)

    def _last(self) -> Change | None:
        changes = self._session.changes
        return changes[-1] if changes and changes[-1].number > 0 else None

    def _just_paused(self) -> bool:
        was, self._was_running = self._was_running, self._session.running
        return was and not self._session.running

    def _run(self) -> None:
        rest = 0.0
        try:
            while (messages := self.widget.messages(rest)) is not None:
                rest = self._session.turn(messages)
                for _ in messages:
                    self.widget.inbox.task_done()
                self.still.refresh(due=self._session.fresh, now=self._just_paused())
            self._session.end()
            self.still.end(due=bool(self._session.records))
        finally:
            self._session.end()
            self._ended.set()


def _this_cell() -> str:
    """Return the id of the cell that runs, or '' where cells have none."""
    from IPython import get_ipython

    shell = get_ipython()
    parent = shell.get_parent() if hasattr(shell, "get_parent") else {}
    return str(parent.get("metadata", {}).get("cellId", ""))


def _not_seen(change: Change | None, timeout: float) -> str:
    if change is None:
        return "The weight was not changed yet. Move the slider, or press Promote, and run this cell again."
    return (
        f"The change to {words(change.after)} could not be seen in {change.answers.total()} answers within "
        f"{timeout:g} s. Is the live lab paused, or the new weight close to the old?"
    )
