"""Waiting with a limit, and a visible reason for every wait."""

import time
from collections.abc import Callable

from kata_lib.errors import WaitTimeout

Progress = Callable[[str], None]
"""Called with one line each time what is being waited for changes."""

POLL_SECONDS = 0.1


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
        if line and line != said and on_wait is not None:
            on_wait(line)
        said = line
        return not line

    if not holds(nothing, timeout, poll):
        raise WaitTimeout(f"{what} after {timeout:g} s. Last seen: {said}")


def holds(condition: Callable[[], bool], timeout: float, poll: float = POLL_SECONDS) -> bool:
    """Return whether a condition came true within `timeout` seconds; it is asked once at least."""
    limit = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > limit:
            return False
        time.sleep(poll)
    return True
