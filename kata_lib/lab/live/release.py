"""The live view of a release: its plan, where it stands, what the mesh counts, and what was decided.

The state is the cluster's, whoever decides the release (told.py); the shares of each second are the
difference of two readings of the sidecars' counters, in the rows that the live lab's picture draws.
"""

import html
import time
from typing import Any

import pandas as pd

from kata_lib.delivery import metrics
from kata_lib.delivery.judging import NOTHING
from kata_lib.errors import KataError
from kata_lib.lab.lab import Lab
from kata_lib.lab.live.follower import Follower
from kata_lib.lab.live.seconds import MINUTE
from kata_lib.lab.live.still import StillBeside
from kata_lib.lab.live.told import Source, Told, percent
from kata_lib.lab.live.widget import Message, ReleaseWidget
from kata_lib.mesh import telemetry
from kata_lib.statistics.sequential import Counted
from kata_lib.statistics.shares import wilson

FRAME_SECONDS = 1.0
TOLD = 8  # decisions beside the picture
BUTTONS = ("pause", "resume", "promote", "promote fully", "abort", "retry", "undo")


class LiveRelease(Follower):
    """A running view of a release, which goes on without it."""

    name = "Live release"

    def __init__(self, lab: Lab, source: Source) -> None:
        widget = ReleaseWidget()
        super().__init__(widget, StillBeside(widget.still, self._as_text), FRAME_SECONDS)
        self._cluster, self._source = lab.cluster, source
        self._start = time.time()
        self._before: pd.DataFrame | None = None
        self._seconds: dict[int, list[Any]] = {}
        self._moved_at = 0.0
        self._since = (NOTHING, NOTHING)
        self._note = ""

    def _now(self) -> float:
        """Return the seconds since the beginning by the clock that dates the moves."""
        return time.time() - self._start

    def _has_picture(self) -> bool:
        return True

    def _do(self, message: Message) -> None:
        match message:
            case {"type": "do", "command": str(command)} if command in BUTTONS:
                self._pace.heard(time.monotonic())
                try:
                    self._source.do(command)
                    self._note = ""
                except KataError as error:
                    self._note = str(error)

    def _frame(self) -> Message:
        frame: Message = {"type": "frame", "whole": True, "now": round(self._now(), 2)}
        try:
            told = self._source.told(self._since)
            self._count(told)
            return frame | self._picture(told) | {"words": self._words(told)}
        except KataError as error:
            return frame | {"seconds": [], "changes": [], "words": {"note": str(error)}}

    def _count(self, told: Told) -> None:
        """Add a second: what the callers counted, for copies of requests are no user's."""
        after = telemetry.counters(self._cluster)
        if told.moves and told.moves[-1].at != self._moved_at:
            self._moved_at, self._since = told.moves[-1].at, (NOTHING, NOTHING)
        if self._before is not None:
            counted = telemetry.difference(self._before, after)
            parts = metrics.split(counted, told.service, told.versions)
            canary, stable, lost = map(metrics.failures, parts)
            self._since = (self._since[0] + canary, self._since[1] + stable)
            now = int(self._now())
            self._seconds[now] = _row(now, {told.canary: canary, told.stable: stable, "": lost})
        self._before = after
        for second in [s for s in self._seconds if s < self._now() - MINUTE - 1]:
            del self._seconds[second]

    def _picture(self, told: Told) -> Message:
        """Return the seconds and the changes of the weight, as the live lab's frames hold them."""
        changes = [
            {
                "number": number,
                "at": round(move.at - self._start, 2),
                "before": told.after(told.moves[number - 1]) if number else None,
                "after": told.after(move),
                "mark": move.mark,
            }
            for number, move in enumerate(told.moves)
        ]
        return {"seconds": list(self._seconds.values()), "changes": changes}

    def _words(self, told: Told) -> Message:
        """Return what stands beside the picture."""
        return {
            "status": told.status,
            "phase": told.phase,
            "steps": told.steps,
            "step": told.step,
            "may": told.may,
            "metrics": told.figures,
            "decisions": told.decisions[: -TOLD - 1 : -1],
            "pods": {},
            "note": self._note,
        }

    def _as_text(self) -> str:
        told = self._source.told(self._since)
        return f"<pre>{html.escape(chr(10).join([told.status, *told.decisions]))}</pre>"


def _row(at: int, counted: dict[str, Counted]) -> list[Any]:
    """Return a second's row: requests, failures in percent, and each version's share with its interval."""
    total = sum(c.n for c in counted.values())
    shares = {
        name: [percent(value) for value in (c.n / total, *wilson(c.n, total))]
        for name, c in counted.items()
        if total and name
    }
    failed = percent(sum(c.bad for c in counted.values()) / total) if total else 0.0
    return [at, total, failed, shares]
