"""The live lab's turns: what the browser said, the traffic and the cluster's weights go in, frames come out.

One thread calls `turn`; nothing else touches a session. A person's words reach the cluster, what is found in
the cluster reaches the slider, and neither the other way round.
"""

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from kata_lib import mesh
from kata_lib.cluster import Cluster
from kata_lib.errors import KataError
from kata_lib.live.changes import Change
from kata_lib.live.pace import Pace
from kata_lib.live.seconds import MINUTE, Minute, answers_of
from kata_lib.traffic.frames import Record

Message = dict[str, Any]
VERSION, SUBSET = "v2", "name-v2"
LOOK_SECONDS = 0.5  # between two looks at the weights in the cluster
RETRY_SECONDS = 5.0
KEPT = 100_000  # records


class Traffic(Protocol):
    """What a session needs of traffic.Sampler."""

    def since(self, number: int) -> tuple[list[Record], int]: ...
    def stop(self) -> None: ...


class Session:
    """The state of one live lab; times are seconds since its beginning, clock() nanoseconds since 1970."""

    def __init__(
        self,
        cluster: Cluster,
        start_traffic: Callable[[], Traffic],
        send: Callable[[Message], None],
        clock: Callable[[], int],
    ) -> None:
        self.records: deque[Record] = deque(maxlen=KEPT)
        self.changes: list[Change] = []
        self.start_ns = clock()
        self.running = True
        self._cluster, self._start_traffic, self._send, self._clock = cluster, start_traffic, send, clock
        self._pace = Pace(0.0)
        self._minute = Minute(VERSION)
        self._traffic: Traffic | None = None
        self._taken = 0
        self._next_look = self._next_start = 0.0
        self._number = 0
        self._handled = 0
        self._marked: list[Message] = []
        self._note = ""
        self._paused_at = 0.0

    def now(self) -> float:
        """Return the seconds since the beginning."""
        return (self._clock() - self.start_ns) / 1e9

    def turn(self, messages: Iterable[Message]) -> float:
        """Do what is due and return for how many seconds nothing will be, unless a message comes."""
        self._hear(messages)
        self._keep_traffic()
        self._take()
        if self.now() >= self._next_look and self._pace.traffic(self.now()):
            self._look()
        self._draw()
        return self._pace.rest(self.now())

    def end(self) -> None:
        """End the traffic."""
        self._stop_traffic()

    @property
    def weight(self) -> float | None:
        """The share asked for, as a fraction; None without a VirtualService."""
        return self.changes[-1].after if self.changes else None

    def _hear(self, messages: Iterable[Message]) -> None:
        wanted = None
        for message in messages:
            match message:
                case {"type": "shown"}:
                    self._pace.shown(self.now(), bool(message.get("calm")))
                case {"type": "drawn", "number": self._number}:
                    self._pace.answered(self.now())
                case {"type": "weight", "value": int(value)} if 0 <= value <= 100:
                    wanted = value
                    self._handled = message.get("number", 0)
                    self._pace.heard(self.now())
                case {"type": "run", "value": bool(running)}:
                    self.running, self._paused_at = running, self.now()
                    self._pace.heard(self.now())
        if wanted is not None:
            self._ask(wanted)

    def _ask(self, percent: int) -> None:
        """Put a weight that a person chose into the cluster."""
        self._look()
        if self.weight == percent / 100:
            return
        try:
            mesh.set_weights(self._cluster, {SUBSET: percent})
        except KataError as error:
            self._note = str(error)
            return
        self._note = ""
        self._change(percent / 100, "you")

    def _look(self) -> None:
        """Find the weights in the cluster; where they are others than before, somebody else changed them."""
        self._next_look = self.now() + LOOK_SECONDS
        try:
            shares = mesh.weights(self._cluster)
        except KataError as error:
            self._note = str(error)
            return
        found = round(shares.get(SUBSET, 0.0), 4) if shares else None
        if not self.changes or found != self.weight:
            self._note = "" if shares else "No VirtualService sets weights: each pod of name gets its part."
            self._change(found, "elsewhere")

    def _change(self, after: float | None, by: str) -> None:
        self._take()  # what was asked before belongs to the change before
        change = Change(len(self.changes), self.now(), self.weight, after, by, VERSION)
        self.changes.append(change)

    def _keep_traffic(self) -> None:
        wanted = self.running and self._pace.traffic(self.now())
        if not wanted:
            self._stop_traffic()
        elif self._traffic is None and self.now() >= self._next_start:
            try:
                self._traffic, self._taken = self._start_traffic(), 0
            except KataError as error:
                self._broken(error)

    def _stop_traffic(self) -> None:
        if self._traffic is not None:
            traffic, self._traffic = self._traffic, None
            try:
                traffic.stop()
                self._add(traffic.since(self._taken)[0])
            except KataError as error:
                self._broken(error)

    def _take(self) -> None:
        if self._traffic is None:
            return
        try:
            records, self._taken = self._traffic.since(self._taken)
            self._add(records)
        except KataError as error:
            self._traffic = None
            self._broken(error)

    def _broken(self, error: KataError) -> None:
        self._note = str(error)
        self._next_start = self.now() + RETRY_SECONDS

    def _add(self, records: list[Record]) -> None:
        self.records.extend(records)
        answers = answers_of(records, self.start_ns)
        self._minute.add(answers, self.now())
        for answer in answers:
            if self.changes:
                self.changes[-1].add(answer)

    def _draw(self) -> None:
        due = self._pace.due(self.now())
        if due == "nothing":
            return
        self._number += 1
        self._send(self._frame(everything=due == "snapshot"))
        self._pace.sent(self.now())

    def _frame(self, *, everything: bool) -> Message:
        now = self.now() if self.running else self._paused_at
        marks = [c.message() for i, c in enumerate(self.changes) if self._still_drawn(i, now)]
        news = marks if everything else [mark for mark in marks if mark not in self._marked]
        self._marked = marks
        return {
            "type": "frame",
            "number": self._number,
            "whole": everything,
            "now": round(now, 2),
            "seconds": self._minute.rows(everything=everything),
            "changes": news,
            "since": self.changes[-1].shares() if self.changes else [],
            "recent": self._minute.recent(now),
            "last": [[answer.version, answer.text[:90]] for answer in self._minute.last],
            "handled": self._handled,
            "running": self.running,
            "note": self._note,
        }

    def _still_drawn(self, index: int, now: float) -> bool:
        """Tell whether a change or the weight that it set is within the picture's minute."""
        follows = index + 1 < len(self.changes)
        return not follows or self.changes[index + 1].at > now - MINUTE
