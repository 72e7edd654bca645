"""Waiting with a limit, and a visible reason for every wait."""

import time
from collections.abc import Callable

from kata_lib.errors import WaitTimeout

_POLL_SECONDS = 0.1


def until(
    missing: Callable[[], str], timeout: float, on_wait: Callable[[str], None] | None, what: str
) -> None:
    """Wait until `missing` says nothing; WaitTimeout begins with `what` and ends with the last thing seen."""
    limit = time.monotonic() + timeout
    said = ""
    while line := missing():
        if line != said and on_wait is not None:
            on_wait(line)
        said = line
        if time.monotonic() > limit:
            raise WaitTimeout(f"{what} after {timeout:g} s. Last seen: {line}")
        time.sleep(_POLL_SECONDS)
