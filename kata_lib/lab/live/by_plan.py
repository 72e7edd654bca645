"""A release of `kata release` as the live view shows it: as the cluster keeps it (delivery/record.py)."""

from collections.abc import Callable, Mapping

from kata_lib.delivery import Release
from kata_lib.delivery.state import Decision, ReleaseState
from kata_lib.lab.live.protocol import Metric
from kata_lib.lab.live.told import Move, Told, figure
from kata_lib.statistics.sequential import Counted

COMMANDS: Mapping[str, Callable[[Release], None]] = {
    "pause": Release.pause,
    "resume": Release.resume,
    "promote": Release.promote,
    "promote fully": lambda release: release.promote(full=True),
    "abort": Release.abort,
    "retry": Release.retry,
    "undo": Release.undo,
}
"""What the buttons do."""


class ByPlan:
    """Reads a release that our own loop runs."""

    def __init__(self, release: Release) -> None:
        self._release = release

    def told(self, since: tuple[Counted, Counted]) -> Told:
        """Return where it stands; its figures are those on which it is judged, none once it is back."""
        state = self._release.state
        plan = state.plan
        through = len(plan.steps) if state.phase == "Healthy" else -1
        return Told(
            service=plan.service,
            canary=plan.canary,
            stable=plan.stable,
            versions=state.versions,
            status=self._release.where(),
            phase=state.phase,
            steps=[str(step) for step in plan.steps],
            step=through if state.ended else state.step,
            may=_may(state),
            moves=[Move(d.at, d.weight, _mark(d, state)) for d in state.decisions],
            figures=[row for subset in _judged(state) for row in _figures(state, subset)],
            decisions=self._release.lines(),
        )

    def do(self, command: str) -> None:
        """Carry out what a button says."""
        COMMANDS[command](self._release)


def _judged(state: ReleaseState) -> list[str]:
    """Return the versions of which something is counted; the others' zeros would say that nobody came."""
    return [] if state.phase == "Degraded" else [state.plan.canary, state.plan.stable]


def _figures(state: ReleaseState, subset: str) -> list[Metric]:
    """Return for each metric what was counted of a version since the routing last changed."""
    rows = []
    for metric in state.plan.metrics:
        tally = state.tallies[metric.name]
        counted = tally.canary if subset == state.plan.canary else tally.stable
        name = metric.name if metric.within is None else f"within {metric.within} ms"
        rows.append(figure(subset, name, counted, 1 - metric.healthy))
    return rows


def _may(state: ReleaseState) -> list[str]:
    """Return the commands that make sense now."""
    if state.phase == "Healthy":
        return ["undo"]
    if state.phase == "Degraded":
        return ["retry"]
    return ["resume" if state.phase == "Paused" else "pause", "promote", "promote fully", "abort"]


def _mark(decision: Decision, state: ReleaseState) -> str:
    """Return the name in the picture of a decision that moved the weight, "" for another."""
    if decision.what in ("healthy", "aborted", "undone"):
        return decision.what.capitalize()
    return f"{decision.weight} %" if decision in state.moves else ""
