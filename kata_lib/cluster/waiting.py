"""Waiting with a limit, and a visible reason for every wait: whoever shows it asks `now`."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from kata_lib.errors import WaitTimeout

Progress = Callable[[str], None]
"""Called with one line each time what is being waited for changes."""

POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Wait:
    """What a thread is busy with, in words; done: how much of it, 0 to 1, None where nobody knows."""

    what: str
    done: float | None = None


class Tell(Protocol):
    """Says what the thread is busy with from now on."""

    def __call__(self, what: str, done: float | None = None) -> None: ...


_NOW: dict[int, Wait] = {}
"""By the identity of the thread."""


@contextmanager
def busy(what: str = "") -> Iterator[Tell]:
    """Say what this thread is busy with while the block runs, which may say it anew; "" says nothing."""
    thread = threading.get_ident()
    before = _NOW.get(thread)

    def tell(what: str, done: float | None = None) -> None:
        _NOW[thread] = Wait(what, done)

    if what:
        tell(what)
    try:
        yield tell
    finally:
        if before is None:
            _NOW.pop(thread, None)
        else:
            _NOW[thread] = before


def now(thread: int) -> Wait | None:
    """Return what a thread is busy with, None where it does not say."""
    return _NOW.get(thread)


def until(
    missing: Callable[[], str],
    timeout: float,
    on_wait: Progress | None,
    what: str,
    poll: float = POLL_SECONDS,
) -> None:
    """Wait until `missing` says nothing; WaitTimeout begins with `what` and ends with the last thing seen.

    timeout, poll: seconds.
    """
    said = ""

    def nothing() -> bool:
        nonlocal said
        line = missing()
        if line and line != said:
            tell(f"Waiting: {_begin(line)}")
            if on_wait is not None:
                on_wait(line)
        said = line
        return not line

    with busy() as tell:
        if not holds(nothing, timeout, poll):
            raise WaitTimeout(f"{what} after {timeout:g} s. Last seen: {said}")


def _begin(line: str) -> str:
    """Return the first of several reasons, or sentences: the others are seen when it is gone."""
    return re.split(r"; |\. |\n", line, maxsplit=1)[0]


def holds(condition: Callable[[], bool], timeout: float, poll: float = POLL_SECONDS) -> bool:
    """Return whether a condition came true within `timeout` seconds; it is asked once at least."""
    limit = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > limit:
            return False
        time.sleep(poll)
    return True
