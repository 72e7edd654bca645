"""The live lab in the hand: moves its slider, and returns what it measured."""

import time
import traceback
from typing import TYPE_CHECKING

from kata_lib.cluster import waiting
from kata_lib.course.application import Sampler, frame_of
from kata_lib.errors import WaitTimeout
from kata_lib.lab.lab import Lab
from kata_lib.lab.live.changes import Change, words
from kata_lib.lab.live.handle import LiveView
from kata_lib.lab.live.protocol import SetWeight
from kata_lib.lab.live.session import Session
from kata_lib.lab.live.settings import MINUTE
from kata_lib.lab.live.widget import LabWidget
from kata_lib.pictures import plots
from kata_lib.pictures.stills import Still
from kata_lib.traffic.frames import UNKNOWN

if TYPE_CHECKING:
    import pandas as pd

FRAME_SECONDS = 0.1
RING = 4_000  # records between the sampler and a turn, of which there are ten a second


class Live(LiveView):
    """A running live lab."""

    name = "Live lab"

    def __init__(self, lab: Lab, rate: float) -> None:
        url = lab.url()
        self._session = Session(
            lab.cluster,
            lambda rate: Sampler(url, rate, concurrency=16, ring=RING),
            rate,
            time.time_ns,
            self._follow,
        )
        super().__init__(LabWidget(FRAME_SECONDS), self._session, lambda: self.picture().svg, FRAME_SECONDS)
        self._weight = lab.weight
        self._weight.write = self._moved

    def move(self, percent: int) -> None:
        """Do what moving the newest version's slider to this weight does, and return at once.

        ValueError for what is no weight: a whole number from 0 to 100.
        """
        if percent not in range(101):
            raise ValueError(f"A weight is a whole number from 0 to 100, in percent; found {percent!r}.")
        self.widget.inbox.put(SetWeight(int(percent)))

    def close(self) -> None:
        """End it; the lab's weight is written by itself again."""
        if self._weight.write == self._moved:
            self._weight.write = None
        super().close()

    def _moved(self, percent: int) -> None:
        """Take a weight from a control that is linked with the lab's weight, and may still be dragged."""
        self.widget.inbox.put(SetWeight(percent, settle=True))

    def _follow(self, percent: int) -> None:
        """Move the controls that are linked with the lab's weight; a fault of theirs ends nothing here."""
        try:
            self._weight.follow(percent)
        except Exception:
            traceback.print_exc()

    def last_change(self, timeout: float = 15.0) -> Change:
        """Return the last change of the weight once it was seen in the answers; wait for that, in seconds."""

        def seen() -> bool:
            last = self._last()
            waits = self.widget.inbox.unfinished_tasks or self._session.waits
            return last is not None and last.seen_ms is not None and not waits

        with waiting.busy("Waiting: the answers do not tell the change yet"):
            waiting.holds(lambda: seen() or self._ended.is_set(), timeout, 0.02)
        found = self._last()
        if found is None or not seen():
            raise WaitTimeout(_not_seen(found, timeout))
        return found

    def answers(self) -> "pd.DataFrame":
        """Return the requests since the last change, at most the last 24,000, as lab.sample does."""
        changes = self._session.changes
        since = self._session.start_ns + int(1e9 * changes[-1].at) if changes else 0
        return frame_of([record for record in self._session.records.copy() if record[0] >= since])

    def changes(self) -> "pd.DataFrame":
        """Return a row for each change of the weight: by whom, and after how long it could be seen."""
        import pandas as pd

        changes = [change for change in self._session.changes.copy() if change.number > 0]
        rows = [
            [words(change.before), words(change.after), change.by, *_seen(change, change is changes[-1])]
            for change in changes
        ]
        return pd.DataFrame(rows, columns=["from", "to", "by", "seen after", "requests"])

    def picture(self) -> Still:
        """Return the last minute of the traffic as a still picture."""
        import pandas as pd

        session = self._session
        records = session.records.copy()
        end = (records[-1][0] - session.start_ns) / 1e9 if records else session.now()
        since = session.start_ns + int(1e9 * (end - MINUTE))
        start = pd.Timestamp(session.start_ns, unit="ns", tz="UTC")
        moments = {
            f"{change.number}: {words(change.after)}": start + pd.Timedelta(change.at, unit="s")
            for change in session.changes.copy()
            if change.number > 0 and change.after is not None and end - MINUTE < change.at <= end
        }
        sample = frame_of([record for record in records if record[0] >= since])
        known = {*(session.asked or {}), *sample["version"].dropna()} - {UNKNOWN}
        return plots.timeline(sample, sorted(known) or "v2", changes=moments)

    def _last(self) -> Change | None:
        changes = self._session.changes
        return changes[-1] if changes and changes[-1].number > 0 else None


def _seen(change: Change, last: bool) -> tuple[str, str]:
    """Say after how long and how many requests a change was seen; last: nothing followed it so far."""
    if change.seen_ms is None:
        return "not yet" if last else "not before the next", ""
    return f"{change.seen_ms:.0f} ms", f"{change.requests}"


def _not_seen(change: Change | None, timeout: float) -> str:
    if change is None:
        return "The weight was not changed yet. Move the slider, or press Promote, and run this cell again."
    return (
        f"The change to {words(change.after)} could not be seen in {change.answers.total()} answers within "
        f"{timeout:g} s. Is the live lab paused, or the new weight close to the old?"
    )
