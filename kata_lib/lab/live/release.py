"""The live view of a release: its plan, where it stands, what the mesh counts, and what was decided.

The state is the cluster's, whoever decides the release (told.py); the shares of each second are the
difference of two readings of the sidecars' counters, in the rows that the live lab's picture draws.
"""

import html
import time
from contextlib import suppress

import pandas as pd

from kata_lib.cluster.cluster import Cluster
from kata_lib.delivery import metrics
from kata_lib.delivery.judging import NOTHING
from kata_lib.errors import KataError
from kata_lib.lab.lab import Lab
from kata_lib.lab.live.handle import LiveView
from kata_lib.lab.live.loop import Subject
from kata_lib.lab.live.protocol import (
    Decide,
    Interval,
    MarkedChange,
    Message,
    ReleaseNews,
    ReleaseWords,
    Second,
    Standing,
)
from kata_lib.lab.live.settings import COMMANDS, MINUTE
from kata_lib.lab.live.told import Source, Told
from kata_lib.lab.live.widget import ReleaseWidget
from kata_lib.mesh import telemetry
from kata_lib.statistics.sequential import Counted
from kata_lib.statistics.shares import in_percent, wilson

FRAME_SECONDS = 1.0
TOLD = 8  # decisions beside the picture


class Watch(Subject):
    """A release that is watched: where it stands, and what the mesh counts, second by second."""

    def __init__(self, cluster: Cluster, source: Source) -> None:
        self._cluster, self._source = cluster, source
        self._start = time.time()
        self._told: Told | None = None
        self._before: pd.DataFrame | None = None
        self._seconds: dict[int, Second] = {}
        self._moved_at = 0.0
        self._since = (NOTHING, NOTHING)
        self._note = ""

    @property
    def has_picture(self) -> bool:
        """Whether anything was read of the release."""
        return self._told is not None

    def hear(self, message: Message) -> None:
        """Carry out what a button says; a refusal becomes the note."""
        if not isinstance(message, Decide) or message.command not in COMMANDS:
            return
        try:
            self._source.do(message.command)
            self._note = ""
        except KataError as error:
            self._note = str(error)

    def news(self, *, everything: bool) -> ReleaseNews:
        """Return where it stands, or why that cannot be said."""
        now = round(self._now(), 2)
        try:
            told = self._told = self._source.told(self._since)
            self._count(told)
        except KataError as error:
            return ReleaseNews(True, now, [], [], ReleaseWords(str(error)))
        words = ReleaseWords(self._note, _standing(told))
        return ReleaseNews(True, now, list(self._seconds.values()), self._changes(told), words)

    def end(self) -> None:
        """Read once more, for the text that stays."""
        with suppress(KataError):  # what was read before stays
            self._told = self._source.told(self._since)

    def text(self) -> str:
        """Return as HTML what a reader without a kernel sees: what was read last."""
        lines = [self._told.status, *self._told.decisions] if self._told else []
        return f"<pre>{html.escape(chr(10).join(lines))}</pre>"

    def _now(self) -> float:
        """Return the seconds since the beginning by the clock that dates the moves."""
        return time.time() - self._start

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

    def _changes(self, told: Told) -> list[MarkedChange]:
        """Return the moves of the weight, as the live lab's frames hold its changes."""
        return [
            MarkedChange(
                number=number,
                at=round(move.at - self._start, 2),
                before=told.after(told.moves[number - 1]) if number else None,
                after=told.after(move),
                mark=move.mark,
            )
            for number, move in enumerate(told.moves)
        ]


class LiveRelease(LiveView):
    """A running view of a release, which goes on without it."""

    name = "Live release"

    def __init__(self, lab: Lab, source: Source) -> None:
        watch = Watch(lab.cluster, source)
        super().__init__(ReleaseWidget(FRAME_SECONDS), watch, watch.text, FRAME_SECONDS)


def _standing(told: Told) -> Standing:
    return Standing(
        status=told.status,
        phase=told.phase,
        steps=told.steps,
        step=told.step,
        may=told.may,
        metrics=told.figures,
        decisions=told.decisions[: -TOLD - 1 : -1],
    )


def _row(at: int, counted: dict[str, Counted]) -> Second:
    """Return a second's row: requests, failures in percent, and each version's share with its interval."""
    total = sum(c.n for c in counted.values())
    shares = {name: _interval(c.n, total) for name, c in counted.items() if total and name}
    failed = in_percent(sum(c.bad for c in counted.values()) / total) if total else 0.0
    return Second(at, total, failed, shares)


def _interval(n: int, total: int) -> Interval:
    low, high = wilson(n, total)
    return in_percent(n / total), in_percent(low), in_percent(high)
