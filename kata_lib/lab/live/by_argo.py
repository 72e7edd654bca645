"""A release of Argo Rollouts' controller as the live view shows it (delivery/argo/state.py)."""

import re
from collections.abc import Callable, Mapping

from kata_lib.delivery.argo import ArgoRollout
from kata_lib.delivery.argo.state import RolloutState
from kata_lib.delivery.state import Versions
from kata_lib.lab.live.told import Move, Told, figure
from kata_lib.statistics.sequential import Counted

COMMANDS: Mapping[str, Callable[[ArgoRollout], None]] = {
    "pause": ArgoRollout.pause,
    "promote": ArgoRollout.promote,
    "promote fully": ArgoRollout.promote_fully,
    "abort": ArgoRollout.abort,
    "retry": ArgoRollout.retry,
}
"""What the buttons do; an undo is the apply of the version before, which is a release of its own."""

_LEAST = re.compile(r"result\[0\] >= (0?\.\d+|1(?:\.0*)?)")


class ByArgo:
    """Reads a release that the controller decides; the Rollout has the name of the Service before it."""

    def __init__(self, rollout: ArgoRollout) -> None:
        self._rollout = rollout

    def told(self, since: tuple[Counted, Counted]) -> Told:
        """Return where it stands; its figures are the sidecars' since the last move, which nobody judges."""
        state = self._rollout.state
        canary, stable = since
        figures = [figure(state.canary, "success-rate", canary, _least(state))]
        if state.stable:
            figures.append(figure(state.stable, "success-rate", stable, None))
        return Told(
            service=state.name,
            canary=state.canary,
            stable=state.stable,
            versions=Versions(state.canary, state.stable),
            status=str(state),
            phase=state.phase,
            steps=list(state.steps),
            step=-1 if state.phase == "Degraded" else state.step,
            may=_may(state),
            moves=[Move(move.at, move.weight, f"{move.weight} %") for move in self._rollout.moves],
            figures=figures,
            decisions=self._rollout.lines(state),
        )

    def do(self, command: str) -> None:
        """Carry out what a button says."""
        COMMANDS[command](self._rollout)


def _may(state: RolloutState) -> list[str]:
    """Return the commands that make sense now; promote ends a pause, too."""
    if state.phase == "Healthy":
        return []
    if state.phase == "Degraded":
        return ["retry"]
    running = ["promote", "promote fully", "abort"]
    return running if state.phase == "Paused" else ["pause", *running]


def _least(state: RolloutState) -> float | None:
    """Return the share of good requests that the analysis asks for, where its condition says so plainly."""
    rules = [_LEAST.search(m.success) for m in state.measurements]
    return next((float(found[1]) for found in rules if found), None)
