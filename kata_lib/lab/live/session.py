"""The live lab: what a person said, the traffic and the cluster's weights go in, what is new comes out.

One thread calls a session's methods (loop.py). A person's words reach the cluster, what is found in the
cluster reaches the slider, and neither the other way round.
"""

import math
from collections import deque
from collections.abc import Callable
from typing import Literal

from kata_lib.cluster.cluster import Cluster
from kata_lib.course import inbox
from kata_lib.errors import KataError
from kata_lib.lab.live.changes import Change, InOrder, each_in_percent, newest
from kata_lib.lab.live.loop import Subject
from kata_lib.lab.live.protocol import (
    Clear,
    LabChange,
    LabNews,
    LabWords,
    LastAnswer,
    Message,
    SetRate,
    SetRunning,
    SetWeight,
)
from kata_lib.lab.live.route import LiveRoute, LiveRouting
from kata_lib.lab.live.seconds import Minute, answers_of
from kata_lib.lab.live.settings import MINUTE, RATES
from kata_lib.lab.live.stream import Stream, Traffic
from kata_lib.statistics.change import Shares
from kata_lib.traffic.frames import RequestRecord

LOOK_SECONDS = 0.5  # between two looks at the weights in the cluster
WORDS_SECONDS = 1.0  # between two sayings of numbers that are read, not seen
SETTLE_SECONDS = 0.15  # without another weight: whoever drags a control has come to rest
KEPT = MINUTE * RATES[-1]  # records: a minute's at the highest rate
KEPT_CHANGES = 200


class Session(Subject):
    """The state of one live lab; times are seconds since its beginning, clock() nanoseconds since 1970.

    follow: is told the newest version's weight in per cent, as it is in force.
    """

    def __init__(
        self,
        cluster: Cluster,
        start_traffic: Callable[[float], Traffic],
        rate: float,
        clock: Callable[[], int],
        follow: Callable[[int], None] = lambda percent: None,
    ) -> None:
        self.records: deque[RequestRecord] = deque(maxlen=KEPT)
        self.changes: deque[Change] = deque(maxlen=KEPT_CHANGES)
        self.start_ns = clock()
        self._clock = clock
        self._minute = Minute()
        self._in_order = InOrder()
        self._stream = Stream(start_traffic, rate)
        self._routing = LiveRouting(cluster)
        self._route = LiveRoute(None, {})
        self._next_look = self._next_words = 0.0
        self._wanted: SetWeight | None = None
        self._wanted_at = 0.0
        self._follow = follow
        self._handled = 0
        self._marked: list[LabChange] = []
        self._cleared = False
        self._refused = self._unseen = ""

    def now(self) -> float:
        """Return the seconds since the beginning."""
        return (self._clock() - self.start_ns) / 1e9

    def hear(self, message: Message) -> None:
        """Take what a person asked for; of many weights the newest counts."""
        match message:
            case SetWeight():
                self._wanted, self._wanted_at = message, self.now()
            case SetRunning():
                self.paused = not message.value
            case SetRate():
                self._stream.change_rate(message.value, self.now())
            case Clear():
                self._clear()
        self._next_words = self.now()

    def turn(self, *, watched: bool) -> None:
        """Ask for the wanted weight, keep the traffic going, take its answers, look at the cluster."""
        if self._wanted is not None and not self.waits:
            self._ask(self._wanted.version, self._wanted.value)
            self._handled, self._wanted = self._wanted.number, None
        self._stream.keep(watched and not self.paused, self.now())
        self._take()
        if watched and self.now() >= self._next_look:
            self._look()

    def news(self, *, everything: bool) -> LabNews:
        """Return what is new, or everything; words only once a second, and when a person did something."""
        now = self.now()
        whole, self._cleared = everything or self._cleared, False
        marks = self._marks(now)
        changes = marks if whole else [mark for mark in marks if mark not in self._marked]
        self._marked = marks
        words = None
        if whole or changes or self.now() >= self._next_words:
            # With the second that the browser draws anew: one layout serves both.
            self._next_words = math.floor(self.now()) + WORDS_SECONDS
            words = self._words(now)
        return LabNews(whole, round(now, 2), self._minute.rows(everything=whole), changes, words)

    def end(self) -> None:
        """End the traffic."""
        self._stream.keep(False, self.now())

    @property
    def has_picture(self) -> bool:
        """Whether anything was answered."""
        return bool(self.records)

    @property
    def waits(self) -> bool:
        """Whether a weight was asked for that may still be followed by another one."""
        wanted = self._wanted
        return wanted is not None and wanted.settle and self.now() - self._wanted_at < SETTLE_SECONDS

    @property
    def asked(self) -> Shares | None:
        """The shares asked for; None without a rule."""
        return self.changes[-1].after if self.changes else None

    def _ask(self, version: str | None, percent: int) -> None:
        """Put a weight that a person chose into the cluster; version: None for the newest."""
        self._look()
        asked = self._route.asked
        if asked is None or not self._route.movable:
            return
        chosen = newest(asked) if version is None else version
        if chosen not in asked or asked[chosen] == percent / 100:
            return
        try:
            after = self._routing.set(chosen, percent, self.now())
        except KataError as error:
            self._refused = str(error)
            return
        self._refused = ""
        self._change(after, "you")

    def _look(self) -> None:
        """Find the weights in the cluster; where they are others than before, somebody else changed them."""
        self._next_look = self.now() + LOOK_SECONDS
        try:
            self._route = self._routing.look(self.now())
        except KataError as error:
            self._unseen = str(error)
            return
        self._unseen = ""
        self._minute.know(self._route.asked or self._route.pods)
        self._change(self._route.asked, "elsewhere")

    def _change(self, after: Shares | None, by: Literal["you", "elsewhere"]) -> None:
        """Note what is asked for now, if it is anything else than before."""
        if self.changes and after == self.asked:
            return
        at = self.now()
        self._take()  # what was asked before belongs to the change before
        last = self.changes[-1] if self.changes else None
        self.changes.append(last.then(at, after, by) if last else Change(0, at, None, after, by))
        self._next_words = at
        if after:
            self._follow(round(100 * after[newest(after)]))

    def _clear(self) -> None:
        """Forget what was measured; the weights that are asked for stay."""
        self._take()
        self.records.clear()
        self._minute = Minute()
        self._minute.know(self._route.asked or self._route.pods)
        asked = self.asked
        self.changes.clear()
        self.changes.append(Change(0, self.now(), None, asked, "elsewhere"))
        self._cleared = True

    def _take(self) -> None:
        self._add(self._stream.take(self.now()))

    def _add(self, records: list[RequestRecord]) -> None:
        self.records.extend(records)
        answers = answers_of(records, self.start_ns)
        self._minute.add(answers, self.now())
        in_order = self._in_order.take(answers)
        if self.changes:
            for answer in answers:
                self.changes[-1].count(answer)
            for answer in in_order:
                self.changes[-1].weigh(answer)

    def _words(self, now: float) -> LabWords:
        """Return what stands beside the picture."""
        return LabWords(
            since=self.changes[-1].shares() if self.changes else [],
            recent=self._minute.recent(now),
            last=[
                LastAnswer(answer.version, answer.failed, answer.text[:90]) for answer in self._minute.last
            ],
            movable=self._route.movable,
            pods=each_in_percent(self._route.pods),
            rate=self._stream.rate,
            handled=self._handled,
            running=not self.paused,
            note=self._unseen or self._refused or self._stream.error or self._route.note or inbox.message(),
        )

    def _marks(self, now: float) -> list[LabChange]:
        """Return the changes that are within the picture's minute, or whose weights are."""
        drawn: list[LabChange] = []
        for change in reversed(self.changes):
            drawn.append(change.message())
            if change.at < now - MINUTE:
                break
        return drawn[::-1]
