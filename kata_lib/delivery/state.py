"""Where a release stands. Phases are Argo Rollouts' own: Progressing, Paused, Healthy (all requests go to the
canary), Degraded (all are back on stable). What makes one state of another is in events.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from kata_lib.delivery.judging import Tally
from kata_lib.delivery.plan import Plan
from kata_lib.delivery.steps import HeaderRoute, MirrorRoute, SetWeight

Phase = Literal["Progressing", "Paused", "Healthy", "Degraded"]
Hold = Literal["", "by the plan", "by a person", "inconclusive", "weights changed elsewhere"]
"""Why a release is Paused; only the first two of these go on watching the metrics as before."""


@dataclass(frozen=True)
class Decision:
    """One line of the history. at: seconds since 1970; step: from 1 on; weight: the canary's, per cent."""

    at: float
    step: int
    weight: int
    word: str
    text: str

    def __str__(self) -> str:
        return f"{self.word}: {self.text}"


@dataclass(frozen=True)
class Routing:
    """What the mesh should do: the canary's weight in per cent, and routes beside it."""

    weight: int
    headers: tuple[HeaderRoute, ...] = ()
    mirror: int = 0


@dataclass(frozen=True)
class ReleaseState:
    """Where a release stands. step: index in the plan; since: when it was entered, seconds since 1970.

    stage: how often the routing changed. failures: measurements borne in this stage; inconclusive, errors:
    such measurements in a row. tallies: by metric.
    """

    plan: Plan
    step: int = 0
    phase: Phase = "Progressing"
    hold: Hold = ""
    since: float = 0.0
    stage: int = 0
    tallies: Mapping[str, Tally] = field(default_factory=dict)
    failures: int = 0
    inconclusive: int = 0
    errors: int = 0
    decisions: tuple[Decision, ...] = ()

    @property
    def ended(self) -> bool:
        return self.phase in ("Healthy", "Degraded")

    @property
    def routing(self) -> Routing:
        """What the mesh should do now."""
        if self.phase == "Healthy":
            return Routing(100)
        if self.phase == "Degraded":
            return Routing(0)
        weight = mirror = 0
        headers: dict[str, HeaderRoute] = {}
        for step in self.plan.steps[: self.step + 1]:
            match step:
                case SetWeight(weight):
                    mirror = mirror if weight == 0 else 0
                case HeaderRoute(name):
                    headers[name] = step
                case MirrorRoute(mirror):
                    pass
        return Routing(weight, tuple(headers.values()), mirror)
