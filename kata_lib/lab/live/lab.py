"""The live lab in the hand: moves its slider, and returns what it measured."""

import time

import pandas as pd

from kata_lib.cluster import waiting
from kata_lib.course.application import Sampler, frame_of
from kata_lib.errors import WaitTimeout
from kata_lib.lab.lab import Lab
from kata_lib.lab.live.changes import Change, newest, words
from kata_lib.lab.live.handle import LiveView
from kata_lib.lab.live.protocol import SetWeight
from kata_lib.lab.live.session import Session
from kata_lib.lab.live.settings import MINUTE
from kata_lib.lab.live.widget import LabWidget
from kata_lib.pictures import plots
from kata_lib.pictures.stills import Still

FRAME_SECONDS = 0.1
RING = 4_000  # records between the sampler and a turn, of which there are ten a second


class Live(LiveView):
    """A running live lab."""

    name = "Live lab"

    def __init__(self, lab: Lab, rate: float) -> None:
        url = lab.url
        self._session = Session(
            lab.cluster,
            lambda rate: Sampler(url, rate, concurrency=16, ring=RING),
            rate,
            time.time_ns,
        )
        super().__init__(LabWidget(FRAME_SECONDS), self._session, lambda: self.picture().svg, FRAME_SECONDS)

    def move(self, percent: int) -> None:
        """Do what moving the newest version's slider to this weight does, and return at once.

        ValueError for what is no weight: a whole number from 0 to 100.
        """
        if percent not in range(101):
            raise ValueError(f"A weight is a whole number from 0 to 100, in percent; found {percent!r}.")
        self.widget.inbox.put(SetWeight(int(percent)))

    def last_change(self, timeout: float = 15.0) -> Change:
        """Return the last change of the weight once it was seen in the answers; wait for that, in seconds."""

        def seen() -> bool:
            last = self._last()
            return last is not None and last.seen_ms is not None and not self.widget.inbox.unfinished_tasks

        with waiting.busy("Waiting: the answers do not tell the change yet"):
            waiting.holds(lambda: seen() or self._ended.is_set(), timeout, 0.02)
        found = self._last()
        if found is None or not seen():
            raise WaitTimeout(_not_seen(found, timeout))
        return found

    def answers(self) -> pd.DataFrame:
        """Return the requests since the last change, at most the last 24,000, as lab.sample does."""
        changes = self._session.changes
        since = self._session.start_ns + int(1e9 * changes[-1].at) if changes else 0
        return frame_of([record for record in self._session.records.copy() if record[0] >= since])

    def changes(self) -> pd.DataFrame:
        """Return a row for each change of the weight: by whom, and after how long it could be seen."""
        rows = [
            {
                "from": words(change.before),
                "to": words(change.after),
                "by": change.by,
                "seen after ms": change.seen_ms,
                "seen after requests": change.requests,
            }
            for change in self._session.changes.copy()
            if change.number > 0
        ]
        columns = ["from", "to", "by", "seen after ms", "seen after requests"]
        whole = dict.fromkeys(columns[3:], "Int64")
        return pd.DataFrame(rows, columns=columns).round(0).astype(whole)

    def picture(self) -> Still:
        """Return the last minute as a still picture."""
        session = self._session
        begin = session.now() - MINUTE
        since = session.start_ns + int(1e9 * begin)
        start = pd.Timestamp(session.start_ns, unit="ns", tz="UTC")
        moments = {
            f"{change.number}: {words(change.after)}": start + pd.Timedelta(change.at, unit="s")
            for change in session.changes.copy()
            if change.number > 0 and change.after is not None and change.at > begin
        }
        sample = frame_of([record for record in session.records.copy() if record[0] >= since])
        return plots.timeline(sample, newest(session.asked or {"v2": 1.0}), changes=moments)

    def _last(self) -> Change | None:
        changes = self._session.changes
        return changes[-1] if changes and changes[-1].number > 0 else None


def _not_seen(change: Change | None, timeout: float) -> str:
    if change is None:
        return "The weight was not changed yet. Move the slider, or press Promote, and run this cell again."
    return (
        f"The change to {words(change.after)} could not be seen in {change.answers.total()} answers within "
        f"{timeout:g} s. Is the live lab paused, or the new weight close to the old?"
    )
