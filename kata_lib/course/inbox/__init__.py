"""What a learner's kernel hears from the class's board; nothing where it joined none, or the board is away.

A thread holds the board's stream open and keeps the last thing told. No cell waits for it: whoever asks gets
what was heard, or None.
"""

import threading
import time

import msgspec

from kata_lib.course import outbox
from kata_lib.course.inbox.told import Note, Told
from kata_lib.course.outbox import membership
from kata_lib.course.outbox.membership import ClassError, Membership

RETRY_SECONDS = (1.0, 2.0, 5.0, 15.0, 60.0)


class Listener:
    """Hears one kernel's class; `told` is the last thing heard, None while the board is away."""

    def __init__(self) -> None:
        self.told: Told | None = None
        self._begun = threading.Lock()
        self._thread: threading.Thread | None = None

    def listen(self) -> None:
        """Hear the class that the learner is in from now on, until they leave it."""
        with self._begun:
            if membership.current() is None or (self._thread and self._thread.is_alive()):
                return
            self._thread = threading.Thread(target=self._run, name="kata-inbox", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        failed = 0
        while (joined := membership.current()) is not None:
            try:
                self._hear(joined)
                failed = 0
            except membership.Refused as refused:
                if refused.code == 401:
                    return
                failed += 1
            except ClassError:
                failed += 1
            self.told = None
            time.sleep(RETRY_SECONDS[min(failed, len(RETRY_SECONDS) - 1)])

    def _hear(self, joined: Membership) -> None:
        """Take what the stream brings until it ends, or the learner is in this class no more."""
        for line in membership.lines(joined, "/api/mine"):
            if membership.current() != joined:
                return
            if line.startswith("data: "):
                if self.told is None:
                    outbox.wake()  # the board is there: what it missed is sent
                self.told = _read(line)


def _read(line: str) -> Told:
    try:
        return msgspec.json.decode(line.removeprefix("data: "), type=Told)
    except msgspec.MsgspecError as error:
        raise ClassError(f"The board says what this version cannot read: {error}.") from error


LISTENER = Listener()
"""This process's."""


def ask() -> Told:
    """Ask the board now; raises ClassError where there is none, or no class."""
    if (joined := membership.current()) is None:
        raise ClassError("You are in no class: `kata class join URL --code CODE` joins one.")
    for line in membership.lines(joined, "/api/mine"):
        if line.startswith("data: "):
            return _read(line)
    raise ClassError(f"The board at {joined.url} ends without a word.")


def message() -> str:
    """Return the instructor's message as a line, "" for none; by what was heard already."""
    told = LISTENER.told
    return said(told.message) if told and told.message else ""


def said(note: Note) -> str:
    """Return a message of the instructor's as a line."""
    return f"Your instructor: {note.text}"


def heard() -> Told | None:
    """Return what the board said last, None where there is none; hear it from now on."""
    LISTENER.listen()
    return LISTENER.told if membership.current() is not None else None
