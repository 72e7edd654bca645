"""What the instructor tells a class, in its notebooks: with the next cell, which a gate holds for a while.

Nothing is awaited but a gate, and that only by a person who is there: at most GATE_SECONDS, never while the
board is away, and ■ goes on at once.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any

from kata_lib.cluster import waiting
from kata_lib.course import checks, inbox, progress
from kata_lib.course.inbox.told import Told
from kata_lib.lab.activity import displays

GATE_SECONDS = 600.0
AWAY_SECONDS = 10.0
"""So long a gate outlasts a board that is away, such as one that is started anew."""
POLL_SECONDS = 0.2

Heard = Callable[[], Told | None]


class Notices:
    """Shows what is new, each once."""

    def __init__(self, heard: Heard = inbox.heard, say: Callable[[str], None] = print) -> None:
        self._heard = heard
        self._say = say
        self._shown: set[object] = set()

    def show(self) -> None:
        """Say what the instructor told since the last time."""
        if (told := self._heard()) is not None:
            for id, line in _lines(told):
                if id not in self._shown:
                    self._shown.add(id)
                    self._say(line)

    def wait(self, is_right: Callable[[str], bool], limit: float = GATE_SECONDS) -> None:
        """Wait at the gate, if the learner stands there; is_right: whether a check was. limit: seconds."""
        told = self._heard()
        if told is None or told.gate is None or told.gate.id in self._shown or not is_right(told.gate.check):
            return
        self._shown.add(told.gate.id)
        try:
            opened = self._stood(told.gate.id, limit)
        except KeyboardInterrupt:
            opened = False
        self._say(
            "The class goes on." if opened else "You go on by yourself; the class is still at this gate."
        )

    def _stood(self, gate: str, limit: float) -> bool:
        """Stand at a gate until it is open; return whether it is."""
        end = time.monotonic() + limit
        heard = time.monotonic()
        with waiting.busy() as busy:
            while time.monotonic() < end:
                told = self._heard()
                heard = heard if told is None else time.monotonic()
                if told is not None and (told.gate is None or told.gate.id != gate):
                    return True
                if time.monotonic() > heard + AWAY_SECONDS:
                    return False
                if told is not None and told.gate is not None:
                    at = told.gate
                    busy(
                        f"The class waits at {at.check}: {at.here} of {at.of} are there; ■ goes on",
                        at.here / at.of,
                    )
                time.sleep(POLL_SECONDS)
        return False


def _lines(told: Told) -> Iterator[tuple[object, str]]:
    """Yield what is to be said once, each with what it is known by."""
    if told.message is not None:
        yield told.message.id, inbox.said(told.message)
    if told.timer is not None and told.timer.left > 0:
        minutes, seconds = divmod(round(told.timer.left), 60)
        yield told.timer.id, f"The instructor's timer: {minutes}:{seconds:02} minutes are left."
    if told.gate is not None:
        here = f"{told.gate.here} of {told.gate.of} are there"
        yield ("gate", told.gate.id), f"The class meets at {told.gate.check}, to go on together: {here}."
    if told.offer is not None:
        yield (
            ("offer", told.offer.number),
            f"Your instructor offers to bring back what {told.offer.step} begins with; your objects go then. "
            "lab.accept_reset() does it, lab.decline_reset() does not. Nothing happens by itself.",
        )


_OF_THIS_KERNEL: list[Notices] = []


def of_cells() -> None:
    """Show in each cell of this kernel from the next one on what the instructor tells; elsewhere nothing."""
    if not displays.in_kernel() or _OF_THIS_KERNEL:
        return
    from IPython import get_ipython

    _OF_THIS_KERNEL.append(Notices())
    inbox.heard()
    get_ipython().events.register("pre_run_cell", _before_cell)


def _before_cell(info: Any = None) -> None:
    (notices,) = _OF_THIS_KERNEL
    notices.show()
    if _is_attended():
        notices.wait(_is_right)


def _is_attended() -> bool:
    return displays.may_ask() and not checks.unattended()


def _is_right(check: str) -> bool:
    """Return whether the learner's own progress has a check as right."""
    try:
        done = progress.load().checks.get(check)
    except progress.ProgressError:
        return False
    return done is not None and done.right is not None
