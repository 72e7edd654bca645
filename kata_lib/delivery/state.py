"""Where a release stands. Phases are Argo Rollouts' own: Progressing, Paused, Healthy (all requests go to the
canary), Degraded (all are back on stable). What makes one state of another is in events.py, the words for it
in words.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from kata_lib.delivery.judging import Judgement, Tally
from kata_lib.delivery.observed import Pods
from kata_lib.delivery.plan import Plan
from kata_lib.delivery.steps import HeaderRoute, MirrorRoute, SetWeight

Phase = Literal["Progressing", "Paused", "Healthy", "Degraded"]
Hold = Literal["", "plan", "person", "inconclusive", "unreadable", "elsewhere"]
"""Why a release is Paused: by the plan, by a person, without a verdict, without metrics, or because somebody
else changed the routing."""

What = Literal[
    "started",
    "routed",
    "successful",
    "borne",
    "compared",
    "paused",
    "resumed",
    "promoted",
    "taken over",
    "healthy",
    "aborted",
    "undone",
]
"""borne: a Failed that failureLimit allows; compared: the weight went down, to compare with stable again."""
By = Literal["plan", "metrics", "person"]

BESIDE = 50
"""The canary's weight, per cent, at which it is compared with stable once more: sharpest at a half each."""


@dataclass(frozen=True)
class Decision:
    """What was decided, by whom, and on what: the figures, not the words (words.py).

    at: seconds since 1970; step: from 1 on; weight: the canary's from then on, per cent. findings: of the
    metrics that it rests on. canary, stable: their pods, where these are why. count: of seconds that nobody
    ran it, of looks without metrics, or of looks at a canary without a ready pod. quote: what the API said.
    found: weights that somebody else wrote.
    """

    at: float
    step: int
    weight: int
    what: What
    by: By
    hold: Hold = ""
    findings: tuple[Judgement, ...] = ()
    canary: Pods | None = None
    stable: Pods | None = None
    count: int = 0
    quote: str = ""
    found: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Versions:
    """The values of the label `version` of the pods of both subsets, as they were when the release began."""

    canary: str
    stable: str


@dataclass(frozen=True)
class ReleaseRouting:
    """What the mesh should do: the canary's weight in per cent, and routes beside it."""

    weight: int
    headers: tuple[HeaderRoute, ...] = ()
    mirror: int = 0

    @property
    def by_chance(self) -> float | None:
        """The chance that a request, or its copy, is the canary's; None where something else decides."""
        if self.headers or not (self.weight or self.mirror):
            return None
        return self.weight / 100 if self.weight else self.mirror / (100 + self.mirror)


@dataclass(frozen=True)
class ReleaseState:
    """Where a release stands. step: index in the plan; since: when it was entered, seconds since 1970.

    beside: at the weight BESIDE in the step's place, to be compared; compared: how often that was so. stage:
    how often the routing changed. failures: measurements borne in this stage; inconclusive, errors: such
    measurements in a row; gone: of those, at how many no pod of the canary was ready, and one of stable.
    tallies: by metric.
    """

    plan: Plan
    versions: Versions
    step: int = 0
    phase: Phase = "Progressing"
    hold: Hold = ""
    since: float = 0.0
    beside: bool = False
    compared: int = 0
    stage: int = 0
    tallies: Mapping[str, Tally] = field(default_factory=dict)
    failures: int = 0
    inconclusive: int = 0
    errors: int = 0
    gone: int = 0
    decisions: tuple[Decision, ...] = ()

    @property
    def ended(self) -> bool:
        return self.phase in ("Healthy", "Degraded")

    @property
    def asks(self) -> bool:
        """Whether it waits for a person."""
        step = self.plan.steps[min(self.step, len(self.plan.steps) - 1)]
        return self.phase == "Paused" and (self.hold != "plan" or getattr(step, "seconds", None) is None)

    @property
    def since_started(self) -> tuple[Decision, ...]:
        """The decisions of the last run, from its beginning on, as far as they are kept."""
        starts = [place for place, decision in enumerate(self.decisions) if decision.what == "started"]
        return self.decisions[starts[-1] if starts else 0 :]

    @property
    def moves(self) -> list[Decision]:
        """The decisions after which the canary had another weight."""
        weights = [0, *(decision.weight for decision in self.decisions)]
        return [d for before, d in zip(weights, self.decisions, strict=False) if d.weight != before]

    @property
    def routing(self) -> ReleaseRouting:
        """What the mesh should do now."""
        if self.phase == "Healthy":
            return ReleaseRouting(100)
        if self.phase == "Degraded":
            return ReleaseRouting(0)
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
        return ReleaseRouting(BESIDE if self.beside else weight, tuple(headers.values()), mirror)
