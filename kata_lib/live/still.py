"""The live lab without a kernel: a still picture beside the widget, which hides it while it is alive."""

import time
from typing import TYPE_CHECKING

import pandas as pd

from kata_lib import plots
from kata_lib.live.seconds import MINUTE
from kata_lib.stills import Still
from kata_lib.traffic import frame_of

if TYPE_CHECKING:
    from IPython.display import DisplayHandle

    from kata_lib.live.session import Session

FIRST_SECONDS, EVERY_SECONDS = 8.0, 60.0  # drawing one takes a fifth of a second
_HOW = "The live lab needs a running kernel: the menu <i>Run</i>, <i>Run All Cells</i> starts it."


def picture(session: "Session") -> Still:
    """Return the last minute of a session as plots.timeline shows it."""
    since = session.start_ns + int(1e9 * (session.now() - MINUTE))
    frame = frame_of([record for record in session.records.copy() if record[0] >= since])
    start = pd.Timestamp(session.start_ns, unit="ns", tz="UTC")
    moments = {
        f"{change.number}: {100 * change.after:.3g} %": start + pd.Timedelta(change.at, unit="s")
        for change in list(session.changes)[1:]
        if change.after is not None and change.at > session.now() - MINUTE
    }
    return plots.timeline(frame, changes=moments)


class StillBeside:
    """An output beside the widget's own; view.js hides it, so that it shows where no view.js runs."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._handle: DisplayHandle | None = None
        self._next = time.monotonic() + FIRST_SECONDS
        self._ran = True

    def show(self) -> None:
        """Show it below the widget, without a picture yet."""
        from IPython.display import HTML, display

        self._handle = display(HTML(self._html("")), display_id=True)

    def refresh(self, session: "Session") -> None:
        """Draw it anew where a minute has passed, or a person has just paused."""
        from IPython.display import HTML

        paused = self._ran and not session.running
        self._ran = session.running
        if self._handle is None or not session.records or not (paused or time.monotonic() >= self._next):
            return
        self._next = time.monotonic() + EVERY_SECONDS
        self._handle.update(HTML(self._html(picture(session).svg)))

    def _html(self, svg: str) -> str:
        return f'<div class="kata-still-{self._name}">{svg}<p>{_HOW}</p></div>'
