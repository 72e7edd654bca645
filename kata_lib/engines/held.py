"""One start or stop of a cluster at a time: the lock of its folder."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kata_lib.errors import EngineError

_POLL = 0.01


@contextmanager
def held(lock: Path, seconds: float) -> Iterator[None]:
    """Hold the lock file; EngineError where another process still has it after `seconds`."""
    end = time.monotonic() + seconds
    with lock.open("w") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > end:
                    raise EngineError(
                        f"Another process has been starting or stopping the cluster for {seconds:g} s."
                    ) from None
                time.sleep(_POLL)
        yield
