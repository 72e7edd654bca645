"""The kernel's half of a live view's loop, the same for all views; the browser's half is view/loop.js.

What the browser says goes in, frames come out as fast as it keeps up (pace.py). What they hold, and what else
is to be done, a subject says.
"""

import time
from collections.abc import Callable, Iterable

from kata_lib.lab.live.pace import Pace
from kata_lib.lab.live.protocol import Drawn, Frame, Message, News, Shown


class Subject:
    """What a live view shows. One thread calls it; none of its methods raises a KataError."""

    paused = False
    """Whether a person stopped what is shown."""

    def news(self, *, everything: bool) -> News:
        """Return what the browser shows next: everything, or what it has not been told."""
        raise NotImplementedError

    @property
    def has_picture(self) -> bool:
        """Whether there is something to leave for a reader without a kernel."""
        return True

    def hear(self, message: Message) -> None:
        """Take what a person asked for."""

    def turn(self, *, watched: bool) -> None:
        """Do what is due between frames; watched: whether anybody was there lately."""

    def end(self) -> None:
        """Do what comes after the last frame."""


class Loop:
    """Turns of a subject's; send: takes a frame to the browser. clock: seconds that do not go back."""

    def __init__(
        self,
        subject: Subject,
        send: Callable[[Frame], None],
        frame_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._subject, self._send, self._clock = subject, send, clock
        self._pace = Pace(clock(), frame_seconds)
        self._number = 0

    @property
    def watched(self) -> bool:
        """Whether anybody was there lately."""
        return self._pace.traffic(self._clock())

    def turn(self, messages: Iterable[Message]) -> float:
        """Do what is due and return for how many seconds nothing will be, unless a message comes."""
        for message in messages:
            self._hear(message)
        self._subject.turn(watched=self.watched)
        self._draw()
        return self._pace.rest(self._clock())

    def _hear(self, message: Message) -> None:
        match message:
            case Shown():
                self._pace.shown(self._clock(), message.calm)
            case Drawn():
                self._pace.drawn(message.number, self._clock())
            case _:
                self._pace.heard(self._clock())
                self._subject.hear(message)

    def _draw(self) -> None:
        due = self._pace.due(self._clock())
        if due == "nothing":
            return
        self._number += 1
        self._send(Frame(self._number, self._subject.news(everything=due == "snapshot")))
        self._pace.sent(self._number, self._clock())
