"""Where it is shown what is being waited for: in a notebook's cell, in a terminal, as lines elsewhere."""

import html
import sys
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from kata_lib.cluster.waiting import Wait

if TYPE_CHECKING:
    from IPython.display import DisplayHandle
    from rich.progress import TaskID


class Display(Protocol):
    """One place that shows a wait, and is empty again in the end."""

    def show(self, wait: Wait, seconds: float) -> None:
        """Show a wait that has lasted for `seconds`."""

    def end(self) -> None:
        """Take away what is shown."""


def here() -> Display:
    """Return the display of this process: of a notebook's kernel, of a terminal, or lines."""
    if in_kernel():
        return Cell()
    return Terminal() if sys.stderr.isatty() else Lines(sys.stderr)


def in_kernel() -> bool:
    """Return whether a notebook's kernel runs this, without loading IPython for it."""
    interactive = sys.modules.get("IPython")
    shell = interactive.get_ipython() if interactive else None
    return hasattr(shell, "kernel")


def may_ask() -> bool:
    """Return whether whoever runs the cell can be asked: a person can, nbval and nbclient cannot."""
    interactive = sys.modules.get("IPython")
    shell: Any = interactive.get_ipython() if interactive else None
    request = shell.get_parent() if hasattr(shell, "get_parent") else {}
    return bool(request.get("content", {}).get("allow_stdin"))


class Cell:
    """One output of the running cell, empty in the end.

    It is the browser's own progress element, which moves by itself and leaves nothing. What ipywidgets shows
    has a model in the kernel, and a notebook that is opened again says in red that it is not there.
    """

    def __init__(self) -> None:
        self._handle: DisplayHandle | None = None

    def show(self, wait: Wait, seconds: float) -> None:
        """Show it, from the second time on in the same output."""
        self._put(bar(wait, seconds))

    def end(self) -> None:
        """Empty the output."""
        if self._handle is not None:
            self._put("")

    def _put(self, text: str) -> None:
        from IPython.display import DisplayHandle

        bundle = {"text/html": text, "text/plain": ""}
        if self._handle is None:
            self._handle = DisplayHandle()
            self._handle.display(bundle, raw=True)
        else:
            self._handle.update(bundle, raw=True)


LASTS_SECONDS = 5
"""How long a bar is seen that is not shown again: its kernel may have been restarted meanwhile."""


def bar(wait: Wait, seconds: float) -> str:
    """Return a wait as HTML, with how long it has lasted in seconds."""
    words = html.escape(wait.what)
    value = "" if wait.done is None else f' value="{wait.done:.3f}"'
    return (
        f'<div class="kata-wait" style="animation: kata-wait-over 0s {LASTS_SECONDS}s forwards">'
        "<style>@keyframes kata-wait-over { to { visibility: hidden } }</style>"
        f'<progress max="1"{value} aria-label="{words}"></progress> {words} · {seconds:.0f} s</div>'
    )


class Terminal:
    """A line of the terminal with a bar, gone in the end."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        columns = TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()
        self._progress = Progress(*columns, console=Console(stderr=True), transient=True)
        self._task: TaskID | None = None

    def show(self, wait: Wait, seconds: float) -> None:
        """Show it; without a known end the bar moves to and fro."""
        total = None if wait.done is None else 1.0
        if self._task is None:
            self._progress.start()
            self._task = self._progress.add_task(wait.what)
        self._progress.update(self._task, description=wait.what, total=total, completed=wait.done or 0.0)

    def end(self) -> None:
        """Remove the line."""
        self._progress.stop()


class Lines:
    """A line each time what is waited for changes."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._last = ""

    def show(self, wait: Wait, seconds: float) -> None:
        """Print it if it is new."""
        if wait.what != self._last:
            print(wait.what, file=self._stream, flush=True)
            self._last = wait.what

    def end(self) -> None:
        """Leave what was printed."""


class Nowhere:
    """Shows nothing: for who shows it in a way of their own."""

    def show(self, wait: Wait, seconds: float) -> None:
        """Show nothing."""

    def end(self) -> None:
        """Have nothing to take away."""
