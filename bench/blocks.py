"""How much a process has in use, told by itself: seen from outside, what is free but kept counts as well.

A drawing takes 10 MB for a moment, and one answer that arrives meanwhile and is kept for minutes holds on to
a megabyte of it. So the size of a process wavers by 10 MB, without anything that grows.
"""

import gc
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path


def tell(file: str, seconds: float, when: Callable[[], bool] = lambda: True) -> None:
    """Append to a file, every so many seconds, how many blocks Python has in use after a collection.

    when: what has to have come true before the first of them.
    """

    def go_on() -> None:
        while not when():
            time.sleep(seconds)
        with Path(file).open("a", buffering=1) as lines:
            while True:
                gc.collect()
                lines.write(f"{sys.getallocatedblocks()}\n")
                time.sleep(seconds)

    threading.Thread(target=go_on, name="blocks in use", daemon=True).start()


def last_told(file: Path) -> int:
    """Return the newest number in a file that `tell` has written to."""
    return int(file.read_text().rstrip("\n").rpartition("\n")[2])
