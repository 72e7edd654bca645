"""The live lab's turns: what the browser said, the traffic and the cluster's weights go in, frames come out.

One thread calls `turn`; nothing else touches a session. A person's words reach the cluster, what is found in
the cluster reaches the slider, and neither the other way round.
"""

import math
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from kata_lib.cluster.cluster import Cluster
from kata_lib.errors import KataError
from kata_lib.lab.live.changes import Change, InOrder, in_percent, newest
from kata_lib.lab.live.pace import Pace
from kata_lib.lab.live.route import Route, Routing
from kata_lib.lab.live.seconds import MINUTE, Minute, answers_of
from kata_lib.lab.live.stream import Stream, Traffic
from kata_lib.statistics.change import Shares
from kata_lib.traffic.frames import Record

Message = dict[str, Any]
LOOK_SECONDS = 0.5  # between two looks at the weights in the cluster
WORDS_SECONDS = 1.0  # between two sayings of numbers that are read, not seen
RATES = (1, 400)  # requests a second that a person may ask for
KEPT = 24_000  # records: a minute's at the highest rate
KEPT_CHANGES = 200


class Session:
    """The state of one live lab; times are seconds since its beginning, clock() nanoseconds since 1970."""

    def __init__(
        self,
        cluster: Cluster,
        start_traffic: Callable[[float], Traffic],
        rate: float,
        send: Callable[[Message], None],
        clock: Callable[[], int],
    ) -> None:
        self.records: deque[Record] = deque(maxlen=KEPT)
        self.changes: deque[Change] = deque(maxlen=KEPT_CHANGES)
        self.start_ns = clock()
        self.running = True
        self._send, self._clock = send, clock
        self._pace = Pace(0.0)
        self._minute = Minute()
        self._in_order = InOrder()
        self._stream = Stream(start_traffic, rate)
        self._routing = Routing(cluster)
        self._route = Route(None, {})
        self._next_look = self._next_words = 0.0
        self._number = 0
        self._handled = 0
        self._marked: list[Message] = []
        self._refused = self._unseen = ""
        self._paused_at = 0.0

    def now(self) -> float:
        """Return the seconds since the beginning."""
        return (self._clock() - self.start_ns) / 1e9

    def turn(self, messages: Iterable[Message]) -> float:
        """Do what is due and return for how many seconds nothing will be, unless a message comes."""
        self._hear(messages)
        self._stream.keep(self.running and self._pace.traffic(self.now()), self.now())
        self._take()
        if self.now() >= self._next_look and self._pace.traffic(self.now()):
            self._look()
        self._draw()
        return self._pace.rest(self.now())

    def end(self) -> None:
        """End the traffic."""
        self._stream.keep(False, self.now())

    @property
    def fresh(self) -> bool:
        """Whether there is something to see that was not there a minute ago."""
        return bool(self.records) and self._pace.traffic(self.now())

    @property
    def asked(self) -> Shares | None:
        """The shares asked for; None without a VirtualService."""
        return self.changes[-1].after if self.changes else None

    def _hear(self, messages: Iterable[Message]) -> None:
        wanted = None
        for message in messages:
            match message:
                case {"type": "shown"}:
                    self._pace.shown(self.now(), bool(message.get("calm")))
                case {"type": "drawn", "number": int(number)}:
                    self._pace.drawn(number, self.now())
                case {"type": "weight", "value": int(value)} if 0 <= value <= 100:
                    wanted = message.get("version"), value
                    self._handled = message.get("number", 0)
                    self._person_did_something()
                case {"type": "run", "value": bool(running)}:
                    self.running, self._paused_at = running, self.now()
                    self._person_did_something()
                case {"type": "rate", "value": int(rate)} if RATES[0] <= rate <= RATES[1]:
                    self._stream.change_rate(rate, self.now())
                    self._person_did_something()
                case {"type": "clear"}:
                    self._clear()
                    self._person_did_something()
        if wanted is not None:
            self._ask(*wanted)

    def _person_did_something(self) -> None:
        self._pace.heard(self.now())
        self._next_words = self.now()

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
            after = self._routing.set(self._route, chosen, percent)
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
        if not self.changes or self._route.asked != self.asked:
            self._change(self._route.asked, "elsewhere")

    def _change(self, after: Shares | None, by: str) -> None:
        at = self.now()
        self._take()  # what was asked before belongs to the change before
        last = self.changes[-1] if self.changes else None
        self.changes.append(last.then(at, after, by) if last else Change(0, at, None, after, by))
        self._next_words = at

    def _clear(self) -> None:
        """Forget what was measured; the weights that are asked for stay."""
        self._take()
        self.records.clear()
        self._minute = Minute()
        self._minute.know(self._route.asked or self._route.pods)
        asked = self.asked
        self.changes.clear()
        self.changes.append(Change(0, self.now(), None, asked, "elsewhere"))
        self._pace.renew()

    def _take(self) -> None:
        self._add(self._stream.take(self.now()))

    def _add(self, records: list[Record]) -> None:
        self.records.extend(records)
        answers = answers_of(records, self.start_ns)
        self._minute.add(answers, self.now())
        in_order = self._in_order.take(answers)
        if self.changes:
            for answer in answers:
                self.changes[-1].count(answer)
            for answer in in_order:
                self.changes[-1].weigh(answer)

    def _draw(self) -> None:
        due = self._pace.due(self.now())
        if due == "nothing":
            return
        self._number += 1
        self._send(self._frame(everything=due == "snapshot"))
        self._pace.sent(self._number, self.now())

    def _frame(self, *, everything: bool) -> Message:
        now = self.now() if self.running else self._paused_at
        marks = self._marks(now)
        news = marks if everything else [mark for mark in marks if mark not in self._marked]
        self._marked = marks
        frame = {
            "type": "frame",
            "number": self._number,
            "whole": everything,
            "now": round(now, 2),
            "seconds": self._minute.rows(everything=everything),
            "changes": news,
        }
        if everything or news or self.now() >= self._next_words:
            # With the second that the browser draws anew: one layout serves both.
            self._next_words = math.floor(self.now()) + WORDS_SECONDS
            frame["words"] = self._words(now)
        return frame

    def _words(self, now: float) -> Message:
        """Return what stands beside the picture."""
        return {
            "since": self.changes[-1].shares() if self.changes else [],
            "recent": self._minute.recent(now),
            "last": [[answer.version, answer.failed, answer.text[:90]] for answer in self._minute.last],
            "movable": self._route.movable,
            "pods": in_percent(self._route.pods),
            "rate": self._stream.rate,
            "handled": self._handled,
            "running": self.running,
            "note": self._unseen or self._refused or self._stream.error or self._route.note,
        }

    def _marks(self, now: float) -> list[Message]:
        """Return the changes that are within the picture's minute, or whose weights are."""
        drawn: list[Message] = []
        for change in reversed(self.changes):
            drawn.append(change.message())
            if change.at < now - MINUTE:
                break
        return drawn[::-1]
