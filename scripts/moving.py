"""What the set-up shows while a command runs: a bar in a terminal, a line now and then elsewhere."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TextIO

WIDTH, PART = 24, 4
FIRST_SECONDS, LINE_SECONDS = 1.0, 10.0

State = Callable[[], tuple[str, float | None]]
"""Returns what is being done, in words, and how much of it is (0 to 1); None where nobody knows."""


@dataclass
class Moving:
    """One command's progress.

    state: asked each time that something is shown. stream: by default the standard output.
    """

    state: State
    stream: TextIO = field(default_factory=lambda: sys.stdout)
    _began: float = field(default_factory=lambda: time.monotonic())
    _said: float = 0.0

    def show(self) -> None:
        """Show where it is; nothing in the first second."""
        seconds = time.monotonic() - self._began
        terminal = self.stream.isatty()
        if seconds < FIRST_SECONDS or not (terminal or seconds - self._said >= LINE_SECONDS):
            return
        self._said = seconds
        words, done = self.state()
        line = f"  {bar(done, seconds)} {words}, {seconds:.0f} s"
        print(
            f"\r\033[K{line}" if terminal else line,
            end="" if terminal else "\n",
            file=self.stream,
            flush=True,
        )

    def end(self) -> None:
        """Take the bar away."""
        if self.stream.isatty():
            print("\r\033[K", end="", file=self.stream, flush=True)


def bar(done: float | None, seconds: float) -> str:
    """Return a bar that is full as far as `done` (0 to 1) says; without it, of which a part moves."""
    if done is None:
        at = int(seconds) % (WIDTH - PART + 1)
        return f"[{'.' * at}{'#' * PART}{'.' * (WIDTH - PART - at)}]"
    full = round(WIDTH * min(1.0, max(0.0, done)))
    return f"[{'#' * full}{'.' * (WIDTH - full)}]"


def of_packages(total: int, there: int, fetched: int, installed: int) -> tuple[str, float]:
    """Return where an installation of `total` packages is: some are there, each other is fetched, then all of
    those are installed.
    """
    if there + fetched < total:
        return f"{there + fetched} of {total} packages are here", (there + fetched) / total / 2
    return f"{installed} of {fetched} packages installed", 0.5 + installed / max(fetched, 1) / 2


def of_downloads(
    megabytes: float, here: float, total: int, installed: int, downloaded: bool
) -> tuple[str, float | None]:
    """Return where an installation is: `here` of so many megabytes are here, then packages are installed."""
    if downloaded:
        left = max(0.0, 1.0 - installed / max(total, 1))
        return f"{installed} of {total} packages installed", 1.0 - 0.1 * left
    if not megabytes:
        return "asking the index", None
    return f"{megabytes - here:.0f} of {megabytes:.0f} MB are still to come", 0.9 * here / megabytes
