"""What takes long moves: from the second second on it is shown what is waited for, in one place.

The main thread says what it is busy with (cluster/waiting); a thread beside it shows that once a second until
the block, or the notebook's cell, has ended.
"""

import functools
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from typing import Any, ParamSpec, TypeVar

from kata_lib.cluster import waiting
from kata_lib.cluster.waiting import Wait
from kata_lib.lab.activity import displays
from kata_lib.lab.activity.displays import Display, Nowhere

__all__ = ["Nowhere", "of_cells", "shown", "shows"]

FIRST_SECONDS = 1.0
EVERY_SECONDS, CHANGED_SECONDS = 1.0, 0.5
"""Between two times that something is shown: the same, whose seconds go on, and something new."""
POLL_SECONDS = 0.1
_RUNNING = Wait("Running")

P = ParamSpec("P")
R = TypeVar("R")


class _Shower:
    """Shows from a thread of its own what the thread that made it is busy with, until end()."""

    def __init__(
        self, make: Callable[[], Display], first_seconds: float, otherwise: Wait | None = None
    ) -> None:
        self._make, self._first_seconds, self._otherwise = make, first_seconds, otherwise
        self._busy = threading.get_ident()
        self._began = time.monotonic()
        self._ended = threading.Event()
        self._display: Display | None = None
        self._last: Wait | None = None
        self._at = 0.0
        here = copy_context()  # else the kernel shows it as part of what any of its threads heard last
        self._thread = threading.Thread(target=here.run, args=(self._run,), name="activity", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Show nothing any more, and wait for that."""
        self._ended.set()
        self._thread.join()
        if self._display is not None:
            self._display.end()

    def _run(self) -> None:
        while not self._ended.wait(POLL_SECONDS):
            seconds = time.monotonic() - self._began
            wait = waiting.now(self._busy) or self._otherwise
            if wait is not None and seconds >= self._first_seconds and self._is_due(wait, seconds):
                self._last, self._at = wait, seconds
                self._display = self._display or self._make()
                self._display.show(wait, seconds)

    def _is_due(self, wait: Wait, seconds: float) -> bool:
        pause = EVERY_SECONDS if wait == self._last else CHANGED_SECONDS
        return self._last is None or seconds - self._at >= pause


_SHOWERS: list[_Shower] = []
"""The one that shows, if any."""


@contextmanager
def shown(
    make: Callable[[], Display] = displays.here, first_seconds: float = FIRST_SECONDS
) -> Iterator[None]:
    """Show what this thread waits for while the block runs, from `first_seconds` on.

    Where it is shown already, and beside the main thread, do nothing.
    """
    if _SHOWERS or threading.current_thread() is not threading.main_thread():
        yield
        return
    _SHOWERS.append(_Shower(make, first_seconds))
    try:
        yield
    finally:
        _SHOWERS.pop().end()


def shows(what: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Return what makes a function say that it is busy with `what`, and show it."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            with shown(), waiting.busy(what):
                return function(*args, **kwargs)

        return call

    return decorate


def of_cells() -> None:
    """Show in each cell of this kernel, from the running one on, what it waits for; elsewhere do nothing."""
    if not displays.in_kernel() or _CELLS:
        return
    shell = sys.modules["IPython"].get_ipython()
    shell.events.register("pre_run_cell", _begin_cell)
    shell.events.register("post_run_cell", _end_cell)
    _CELLS.append(shell)
    _begin_cell()


_CELLS: list[Any] = []
"""The shell whose cells are watched."""


def _begin_cell(info: object = None) -> None:
    if not _SHOWERS and threading.current_thread() is threading.main_thread():
        _SHOWERS.append(_Shower(displays.here, FIRST_SECONDS, _RUNNING))


def _end_cell(result: object = None) -> None:
    if _SHOWERS and threading.current_thread() is threading.main_thread():
        _SHOWERS.pop().end()
