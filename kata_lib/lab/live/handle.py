"""What a notebook holds of a live view: it runs on a thread of its own, and can be closed."""

from collections.abc import Callable
from threading import Event, Thread

from kata_lib.lab.live.loop import Loop, Subject
from kata_lib.lab.live.still import StillBeside
from kata_lib.lab.live.widget import Widget


class LiveView:
    """A running live view. It ends with the kernel, with close(), and when its cell runs again.

    draw: returns what a reader without a kernel sees. frame_seconds: between two frames.
    """

    name = "Live view"

    def __init__(
        self, widget: Widget, subject: Subject, draw: Callable[[], str], frame_seconds: float
    ) -> None:
        self.widget = widget
        self.still = StillBeside(widget.still, draw)
        self._subject = subject
        self._loop = Loop(subject, widget.tell, frame_seconds)
        self._was_paused = False
        self._ended = Event()
        self._thread = Thread(target=self._run, name=self.name, daemon=True)

    def __repr__(self) -> str:
        return f"{self.name}, closed" if self._ended.is_set() else self.name

    def start(self) -> None:
        """Start the thread that follows the cluster; live.show() calls this."""
        self._thread.start()

    def close(self) -> None:
        """End it, and wait for that; the second time do nothing."""
        if not self._ended.is_set():
            self.widget.close()
            self._thread.join(10.0)

    def _run(self) -> None:
        try:
            self._turns()
        finally:
            self._subject.end()
            self._ended.set()
        self.still.end(due=self._subject.has_picture)

    def _turns(self) -> None:
        rest = 0.0
        while (messages := self.widget.messages(rest)) is not None:
            rest = self._loop.turn(messages)
            for _ in messages:
                self.widget.inbox.task_done()
            self.still.refresh(due=self._subject.has_picture and self._loop.watched, now=self._just_paused())

    def _just_paused(self) -> bool:
        was, self._was_paused = self._was_paused, self._subject.paused
        return self._subject.paused and not was
