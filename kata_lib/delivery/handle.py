"""A release in the hand: its state, its commands, and the thread that runs it."""

import time
from collections.abc import Callable
from dataclasses import replace
from threading import Event, Thread
from typing import TYPE_CHECKING

from kata_lib.cluster import waiting
from kata_lib.cluster.client import ApiRefused
from kata_lib.cluster.cluster import Cluster
from kata_lib.delivery import events, record, words
from kata_lib.delivery.record import CONFLICT, Record
from kata_lib.delivery.runner import Runner, alive, settle
from kata_lib.delivery.state import ReleaseState
from kata_lib.errors import ClusterError

if TYPE_CHECKING:
    import pandas as pd

AWAY_SECONDS = 60.0
"""For so long a runner bears a cluster that does not answer."""
_POLL_SECONDS = 0.05


class Release:
    """A service's release in a cluster: each command takes effect at once, whoever runs it."""

    def __init__(self, cluster: Cluster, service: str) -> None:
        self._cluster, self._service = cluster, service
        self._ended = Event()
        self._thread: Thread | None = None
        self._error: Exception | None = None
        self._said = 0.0  # when the last decision was made that wait() told

    def __repr__(self) -> str:
        return self.status()

    @property
    def state(self) -> ReleaseState:
        """Where it stands."""
        return self._load().release

    def where(self) -> str:
        """Say where it stands, and if so that nobody runs it."""
        return _where(self._load())

    def lines(self) -> list[str]:
        """Return each decision as a line, oldest first."""
        state = self.state
        return [words.line(decision, state.plan) for decision in state.decisions]

    def status(self) -> str:
        """Say where it stands, and the last decision."""
        return _status(self._load())

    def history(self) -> "pd.DataFrame":
        """Return the decisions, one row each: who made it, in words what and why."""
        import pandas as pd

        state = self.state
        rows = [
            {
                "time": pd.Timestamp(decision.at, unit="s", tz="UTC").floor("ms"),
                "step": decision.step,
                "weight": decision.weight,
                "by": decision.by,
                "decision": words.name(decision, state.plan),
                "why": words.why(decision, state.plan),
            }
            for decision in state.decisions
        ]
        return pd.DataFrame(rows, columns=["time", "step", "weight", "by", "decision", "why"])

    def reached(self) -> int:
        """Return the canary's greatest weight, in per cent, since the release was begun."""
        return max(decision.weight for decision in self.state.since_started)

    def seconds(self) -> float:
        """Return how long the newest run took, from its first weight above 0 to its last; 0.0 before one."""
        run = self.state.since_started
        raised = [move.at for move in self.state.moves if move.weight > 0 and move in run]
        return round(raised[-1] - raised[0], 1) if raised else 0.0

    def moments(self) -> "dict[str, pd.Timestamp]":
        """Return when each weight was set, for a picture."""
        import pandas as pd

        return {f"{d.weight} %": pd.Timestamp(d.at, unit="s", tz="UTC") for d in self.state.moves}

    def pause(self) -> None:
        """Hold the weight where it is."""
        self._do(events.pause)

    def resume(self) -> None:
        """Go on after a pause, or where whoever ran it is gone."""
        found = self._load()
        if found.release.phase == "Paused" or found.release.ended or alive(found, time.time()):
            self._do(events.resume)
        self.run()

    def promote(self, full: bool = False) -> None:
        """Go on to the next step; full: give the canary everything, without any further analysis."""
        self._do(events.promote_fully if full else events.promote)
        self.run()

    def abort(self) -> None:
        """Send everyone back to stable, at once."""
        self._do(events.abort)

    def retry(self) -> None:
        """Begin an aborted release again."""
        self._do(events.retry)
        self.run()

    def undo(self) -> None:
        """Send everyone back to the version before, after a release that went through."""
        self._do(events.undo)

    def run(self) -> None:
        """Run it in the background, unless somebody does; close() ends that, and the release holds."""
        if (self._thread is None or not self._thread.is_alive()) and not alive(self._load(), time.time()):
            self._ended.clear()
            self._error = None
            self._thread = Thread(target=self._loop, name="release", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Run it no longer: the release holds where it is."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(10.0)

    def wait(
        self, timeout: float = 120.0, say: Callable[[str], None] = print, *, through: bool = False
    ) -> None:
        """Wait until it has ended or asks for a person, in seconds; say each decision as it is made.

        through: also while it asks for a person. WaitTimeout carries where it stands; an error that ended the
        loop is raised here.
        """

        def missing() -> str:
            found = self._load()
            for decision in found.release.decisions:
                if decision.at > self._said:
                    say(words.line(decision, found.release.plan))
            self._said = found.release.decisions[-1].at
            if self._error is not None:
                raise self._error
            over = found.release.ended or (found.release.asks and not through)
            return "" if over and found.routed == found.release.stage else _status(found)

        waiting.until(missing, timeout, None, "The release has not ended", _POLL_SECONDS)

    def _load(self) -> Record:
        return record.load(self._cluster, self._service)

    def _do(self, event: Callable[[ReleaseState, float], ReleaseState]) -> None:
        def changed(found: Record) -> Record:
            seen = 0.0 if found.release.ended else found.seen
            return replace(found, release=event(found.release, time.time()), seen=seen)

        found = record.change(self._cluster, self._service, changed)
        try:
            settle(self._cluster, found)
        except ApiRefused as refused:
            if refused.code != CONFLICT:
                raise  # in a conflict the runner has put it in force

    def _loop(self) -> None:
        runner = Runner(self._cluster, self._service)
        answered = time.monotonic()
        try:
            while not self._ended.is_set():
                began = time.monotonic()
                try:
                    found = runner.turn()
                    answered = time.monotonic()
                except ClusterError:
                    if time.monotonic() - answered > AWAY_SECONDS:
                        raise
                    self._ended.wait(1.0)
                    continue
                if found.release.ended and found.routed == found.release.stage:
                    break
                self._ended.wait(max(0.0, began + found.release.plan.interval - time.monotonic()))
            runner.leave()
        except Exception as error:  # told by wait(); a thread's own last words land in any cell
            self._error = error


def _status(found: Record) -> str:
    return f"{_where(found)}\n{words.line(found.release.decisions[-1], found.release.plan)}"


def _where(found: Record) -> str:
    idle = not found.release.ended and not alive(found, time.time())
    return words.where(found.release) + (
        " Nobody runs it: it holds until `resume`, or `abort`." if idle else ""
    )
