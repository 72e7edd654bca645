"""The live view of a release: its plan, where it stands, what the mesh counts, and what was decided.

The state is the cluster's, whoever decides the release (told.py); the shares of each second are the
difference of two readings of the sidecars' counters, in the rows that the live lab's picture draws.
"""

import html
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from kata_lib.cluster.cluster import Cluster
from kata_lib.course import inbox
from kata_lib.delivery import metrics
from kata_lib.delivery.judging import NOTHING
from kata_lib.errors import KataError
from kata_lib.lab.lab import Lab
from kata_lib.lab.live.handle import LiveView
from kata_lib.lab.live.loop import Subject
from kata_lib.lab.live.protocol import (
    Decide,
    MarkedChange,
    Message,
    ReleaseNews,
    ReleaseWords,
    Second,
    Standing,
    VersionSecond,
)
from kata_lib.lab.live.seconds import nobody, share_interval
from kata_lib.lab.live.settings import COMMANDS, MINUTE
from kata_lib.lab.live.told import Source, Told
from kata_lib.lab.live.widget import ReleaseWidget
from kata_lib.mesh import durations, telemetry
from kata_lib.statistics.sequential import Counted
from kata_lib.statistics.shares import in_percent
from kata_lib.traffic.frames import UNKNOWN

if TYPE_CHECKING:
    import pandas as pd

FRAME_SECONDS = 1.0
TOLD = 3  # decisions beside the picture; wait() says them all


class Watch(Subject):
    """A release that is watched: where it stands, and what the mesh counts, second by second.

    clock: seconds since 1970, as the moves have them.
    """

    def __init__(self, cluster: Cluster, source: Source, clock: Callable[[], float] = time.time) -> None:
        self._cluster, self._source, self._clock = cluster, source, clock
        self._start = clock()
        self._told: Told | None = None
        self._read: pd.DataFrame | None = None
        self._read_at = -1
        self._seconds: dict[int, Second] = {}
        self._moved_at = 0.0
        self._since = (NOTHING, NOTHING)
        self._note = self._unseen = ""

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
        self._look()

    def turn(self, *, watched: bool) -> None:
        """Look once a second, whether or not a browser draws it yet: a release does not wait for one."""
        if watched and int(self._now()) > self._read_at:
            self._look()

    def _look(self) -> None:
        try:
            self._told = self._source.told(self._since)
            self._count(self._told)
            self._unseen = ""
        except KataError as error:
            self._unseen = str(error)

    def news(self, *, everything: bool) -> ReleaseNews:
        """Return where it stands, or why that cannot be said."""
        now = round(self._now(), 2)
        if self._told is None or self._unseen:
            return ReleaseNews(True, now, [], [], ReleaseWords(self._unseen))
        words = ReleaseWords(self._note or inbox.message(), _standing(self._told))
        return ReleaseNews(True, now, list(self._seconds.values()), self._changes(self._told), words)

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
        return self._clock() - self._start

    def _count(self, told: Told) -> None:
        """Count what the callers did since the last reading; for copies of requests are no user's.

        A reading that covers more than a second speaks of each of them.
        """
        now = int(self._now())
        if now <= self._read_at:
            return
        after = telemetry.counters(self._cluster, durations.BUCKETS)
        if told.moves and told.moves[-1].at != self._moved_at:
            self._moved_at, self._since = told.moves[-1].at, (NOTHING, NOTHING)
        if self._read is not None:
            asked = {told.service, told.canary, told.stable}
            parts = metrics.split(telemetry.difference(self._read, after), asked, told.versions)
            canary, stable, lost = map(metrics.failures, parts)
            self._since = (self._since[0] + canary, self._since[1] + stable)
            named = {told.canary: parts[0], told.stable: parts[1]}
            for second in range(self._read_at, now):
                self._seconds[second] = _row(second, named, lost)
        self._read, self._read_at = after, now
        for second in [s for s in self._seconds if s < now - MINUTE - 1]:
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


def _row(at: int, parts: "Mapping[str, pd.DataFrame]", lost: Counted) -> Second:
    """Return a second's row; parts: what was counted of each version, lost: of none."""
    counted = {name: metrics.failures(part) for name, part in parts.items() if name}
    everybodys = sum(counted.values(), lost)
    versions = {name: _version(c, everybodys.n, parts[name]) for name, c in counted.items()}
    if lost.bad:
        versions[UNKNOWN] = nobody(lost.bad, everybodys.n)
    failed = in_percent(everybodys.bad / everybodys.n) if everybodys.n else 0.0
    return Second(at, everybodys.n, failed, versions)


def _version(counted: Counted, everybodys: int, part: "pd.DataFrame") -> VersionSecond:
    failed = in_percent(counted.bad / counted.n) if counted.n else 0.0
    latencies = (durations.quantile(part, q) for q in (0.5, 0.95))
    return VersionSecond(*share_interval(counted.n, everybodys), failed, *map(_rounded, latencies))


def _rounded(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else round(milliseconds, 1)
