"""A Rollout in the hand: where it stands, and `kubectl argo rollouts`' commands, by the same patches."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from kata_lib.cluster import waiting
from kata_lib.cluster.client import Obj
from kata_lib.cluster.cluster import Cluster
from kata_lib.delivery.argo.state import Measurement, RolloutState, read
from kata_lib.errors import ReleaseError
from kata_lib.mesh.analyze.rollouts import API, KIND

if TYPE_CHECKING:
    import pandas as pd

ANALYSIS_RUN = "AnalysisRun"
_POLL_SECONDS = 0.25


@dataclass(frozen=True)
class WeightSeen:
    """The canary's weight from a moment on, in per cent; at: seconds since 1970, when it was seen."""

    at: float
    weight: int


@dataclass(frozen=True)
class Sighting:
    """Where a release stood from a moment on; at: seconds since 1970, when that was seen."""

    at: float
    state: RolloutState

    def same(self, state: RolloutState) -> bool:
        """Return whether it still stands there."""
        before = self.state
        stood = before.weight, before.phase, before.observed, before.reason, before.step
        return stood == (state.weight, state.phase, state.observed, state.reason, state.step)

    @property
    def weight(self) -> int:
        """The canary's, in per cent."""
        return self.state.weight

    def __str__(self) -> str:
        return self.state.where


class ArgoRollout:
    """A Rollout that the controller releases: it decides, this looks and passes on a person's word."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        self._cluster, self._name = cluster, name
        self._moves: list[WeightSeen] = []
        self._canary = ""
        self._lock = Lock()  # the live view looks beside the notebook
        self._seen: list[Sighting] = []

    def __repr__(self) -> str:
        return str(self.state)

    @property
    def state(self) -> RolloutState:
        """Where it stands."""
        found = self._cluster.get(API, KIND, self._name)
        if found is None:
            raise ReleaseError(f"There is no Rollout {self._name}: apply its manifest first.")
        runs = self._cluster.objects(API, ANALYSIS_RUN)
        state = read(found, runs, self._cluster.objects("apps/v1", "ReplicaSet"))
        self._note(state)
        return state

    @property
    def moves(self) -> list[WeightSeen]:
        """The weights of the newest release, as far as somebody looked: each from when it was seen first."""
        return list(self._moves)

    def history(self) -> "pd.DataFrame":
        """Return what the analysis measured and how each measurement was judged, one row each."""
        import pandas as pd

        rows = [
            {
                "time": pd.Timestamp(m.at, unit="s", tz="UTC"),
                "step": m.step + 1,
                "weight": m.weight,
                "metric": m.metric,
                "value": m.value,
                "verdict": m.phase,
                "rule": m.rule,
            }
            for m in self.state.measurements
        ]
        return pd.DataFrame(rows, columns=["time", "step", "weight", "metric", "value", "verdict", "rule"])

    def reached(self) -> int:
        """Return the greatest weight, in per cent, at which the newest release was seen or measured."""
        state = self.state
        return max([state.weight, *(m.weight for m in state.measurements), *(m.weight for m in self._moves)])

    def seconds(self) -> float:
        """Return how long the newest release took, from the first weight above 0 seen to the last."""
        raised = [move.at for move in self._moves if move.weight > 0]
        return round(raised[-1] - raised[0], 1) if raised else 0.0

    def moments(self) -> "dict[str, pd.Timestamp]":
        """Return when each weight was seen first, for a picture."""
        import pandas as pd

        return {f"{move.weight} %": pd.Timestamp(move.at, unit="s", tz="UTC") for move in self._moves}

    def pause(self) -> None:
        """Hold it where it is."""
        self._patch({"spec": {"paused": True}})

    def promote(self) -> None:
        """End a pause, or else leave the step that it is at."""
        found = self._running("promote")
        if found["spec"].get("paused"):
            self._patch({"spec": {"paused": False}})
        status, steps = found.get("status", {}), found["spec"]["strategy"]["canary"].get("steps", [])
        body: Obj = {"pauseConditions": None}
        if not status.get("pauseConditions"):
            body["currentStepIndex"] = min(status.get("currentStepIndex", 0) + 1, len(steps))
        self._patch({"status": body}, "status")

    def promote_fully(self) -> None:
        """Give the canary everything, without any further step or analysis."""
        self._running("promote --full")
        self._patch({"status": {"promoteFull": True}}, "status")

    def abort(self) -> None:
        """Send everyone back to stable."""
        self._running("abort")
        self._patch({"status": {"abort": True}}, "status")

    def retry(self) -> None:
        """Begin an aborted release again."""
        self._patch({"status": {"abort": False}}, "status")

    def wait(self, timeout: float = 290.0, say: Callable[[str], None] = print) -> None:
        """Wait until it has ended or asks for a person, in seconds; say each change and measurement."""
        self.until(lambda state: state.ended or state.asks, timeout, say)

    def until(
        self,
        reached: Callable[[RolloutState], bool],
        timeout: float,
        say: Callable[[str], None] = lambda line: None,
    ) -> None:
        """Wait until it stands as asked for; WaitTimeout carries where it stands instead."""
        told: set[Measurement | Sighting] = set()

        def missing() -> str:
            state = self.state
            for event in self._events(state):
                if event not in told:
                    told.add(event)
                    say(_line(event))
            return "" if reached(state) else str(state)

        waiting.until(missing, timeout, None, "The release is not there", _POLL_SECONDS)

    def lines(self, state: RolloutState) -> list[str]:
        """Return what was measured, and each weight and phase that was seen, as lines, oldest first."""
        return [_line(event) for event in self._events(state)]

    def _events(self, state: RolloutState) -> list[Measurement | Sighting]:
        return sorted([*state.measurements, *self._seen], key=lambda event: event.at)

    def _note(self, state: RolloutState) -> None:
        """Remember when a weight and a phase were seen first: the Rollout itself does not say."""
        with self._lock:
            if state.canary != self._canary:
                self._canary, self._moves, self._seen = state.canary, [], []
            if not self._moves or self._moves[-1].weight != state.weight:
                self._moves.append(WeightSeen(time.time(), state.weight))
            if not self._seen or not self._seen[-1].same(state):
                self._seen.append(Sighting(time.time(), state))

    def _running(self, command: str) -> Obj:
        """Return the Rollout; ReleaseError where no release is under way."""
        if self.state.ended:
            raise ReleaseError(f"The release has ended ({self.state}), so {command} does nothing.")
        return self._cluster.get(API, KIND, self._name) or {}

    def _patch(self, body: Obj, subresource: str = "") -> None:
        self._cluster.patch(API, KIND, self._name, body, subresource)


def _line(event: Measurement | Sighting) -> str:
    import pandas as pd

    return f"{pd.Timestamp(event.at, unit='s', tz='UTC'):%H:%M:%S}  {event.weight:3} %  {event}"
