"""A live view without a kernel: a still picture beside the widget, which hides it while it is alive."""

import gc
import html
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

from kata_lib.lab.live import this_cell
from kata_lib.pictures import shown, theme
from kata_lib.pictures.stills import in_page

if TYPE_CHECKING:
    from IPython.display import DisplayHandle

FIRST_SECONDS, EVERY_SECONDS = 8.0, 60.0  # drawing one takes a fifth of a second
_DRAWER = ThreadPoolExecutor(1, "still pictures")
"""Draws while the caller moves a picture; always one thread, whose memory the next picture takes again."""
_HOW = "{}, run the cell with <code>open_lab</code>, then this one: <code>{}</code>"
_NO_WIDGET = """
.jp-OutputArea-child:has(+ .jp-OutputArea-child .kata-still-{0}):not(:has([data-still="{0}"])) {{
  display: none;
}}
"""
"""Where its widget is not found, JupyterLab says so in red beside the picture that stands for it."""


class StillBeside:
    """An output beside a widget's own, whose script hides it, so that it shows where no script runs.

    name: the widget's `still`. draw: returns the picture as SVG.
    """

    def __init__(self, name: str, draw: Callable[[], str]) -> None:
        self._name = name
        self._draw = draw
        self._cell = this_cell.code().strip().rpartition("\n")[2]
        self._handle: DisplayHandle | None = None
        self._next = time.monotonic() + FIRST_SECONDS
        self._drawing: Future[None] | None = None

    def show(self) -> None:
        """Show it below the widget, without a picture yet."""
        from IPython.display import HTML, display

        self._handle = display(HTML(self._html("")), display_id=True)

    def refresh(self, *, due: bool, now: bool = False) -> None:
        """Draw it anew if that is due and a minute has passed, or now; does not wait for it."""
        busy = self._drawing is not None and not self._drawing.done()
        if self._handle is None or busy or not due or not (now or time.monotonic() >= self._next):
            return
        self._next = time.monotonic() + EVERY_SECONDS
        self._drawing = _DRAWER.submit(self._update)
        self._drawing.add_done_callback(_tell_failure)

    def end(self, *, due: bool) -> None:
        """Leave the last picture behind, if that is due."""
        if self._handle is not None and due:
            _DRAWER.submit(self._update).result()

    def _update(self) -> None:
        from IPython.display import HTML

        assert self._handle is not None
        with _collected():
            svg = self._draw()
        if svg.startswith("<svg"):  # the release's view is a text so far
            shown.tell(_title(svg), svg)
        self._handle.update(HTML(self._html(svg)))

    def _html(self, picture: str) -> str:
        style = f"<style>{theme.page_css()}{_NO_WIDGET.format(self._name)}</style>"
        why = "A still picture. To see it move" if picture else "To see what stood here"
        how = f"<p>{_HOW.format(why, html.escape(self._cell))}</p>"
        return f'<div class="kata-still-{self._name}">{in_page(picture)}{how}{style}</div>'


def _title(svg: str) -> str:
    """Return the alternative text that a picture has as its title."""
    return html.unescape(svg.partition("<title>")[2].partition("</title>")[0])


def _tell_failure(drawing: Future[None]) -> None:
    """Print why a picture could not be drawn: nobody waits for its result."""
    if error := drawing.exception():
        traceback.print_exception(error)


@contextmanager
def _collected() -> Iterator[None]:
    """Free the cycles that a picture leaves: 0.2 MB, of which a kernel piles up an hour's before it looks.

    What was there before is left out of the search, which then takes 2 ms instead of 100.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.collect()
        gc.unfreeze()
