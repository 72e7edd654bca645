"""A live view that follows the cluster, a frame at a time as its browser keeps up, on a thread of its own."""

import time
from threading import Thread

from kata_lib.lab.live.pace import Pace
from kata_lib.lab.live.still import StillBeside
from kata_lib.lab.live.widget import Message, Widget


class Follower:
    """It ends with the kernel, with close(), and when its cell runs again.

    frame: seconds between two frames, each of which holds everything. Whatever follows says what a frame
    holds, and may hear more than a browser's own words.
    """

    name = "Live view"

    def __init__(self, widget: Widget, still: StillBeside, frame: float) -> None:
        self.widget, self.still = widget, still
        self._pace = Pace(time.monotonic(), frame)
        self._number = 0
        self._thread = Thread(target=self._run, name=self.name, daemon=True)

    def __repr__(self) -> str:
        return self.name if self._thread.is_alive() else f"{self.name}, closed"

    def start(self) -> None:
        """Begin; what shows it does so."""
        self._thread.start()

    def close(self) -> None:
        """End it, and wait for that; the second time do nothing."""
        if self._thread.is_alive():
            self.widget.close()
            self._thread.join(10.0)

    def _frame(self) -> Message:
        """Return what the browser shows next."""
        raise NotImplementedError

    def _has_picture(self) -> bool:
        """Return whether there is something to leave for a reader without a kernel."""
        raise NotImplementedError

    def _do(self, message: Message) -> None:
        """Do what a person asked for in the browser."""

    def _begin(self) -> None:
        """Do what comes before the first frame."""

    def _end(self) -> None:
        """Do what comes after the last frame."""

    def _run(self) -> None:
        self._begin()
        rest = 0.0
        while (messages := self.widget.messages(rest)) is not None:
            for message in messages:
                self._hear(message)
            if self._pace.due(time.monotonic()) != "nothing":
                self._draw()
            self.still.refresh(due=self._has_picture() and self._pace.traffic(time.monotonic()))
            rest = self._pace.rest(time.monotonic())
        self._end()
        self.still.end(due=self._has_picture())

    def _hear(self, message: Message) -> None:
        match message:
            case {"type": "shown"}:
                self._pace.shown(time.monotonic(), bool(message.get("calm")))
            case {"type": "drawn", "number": int(number)}:
                self._pace.drawn(number, time.monotonic())
            case _:
                self._do(message)

    def _draw(self) -> None:
        self._number += 1
        self.widget.tell({"number": self._number, **self._frame()})
        self._pace.sent(self._number, time.monotonic())
