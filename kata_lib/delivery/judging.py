"""What the requests counted so far say of a canary: one Judgement for each metric, with its figures."""

from dataclasses import dataclass, replace
from math import ceil, log
from typing import Literal

from kata_lib.delivery.metric import Metric
from kata_lib.delivery.observed import Look
from kata_lib.delivery.plan import Plan
from kata_lib.statistics.sequential import Counted, Evidence, Verdict, against, split

NOTHING, NO_EVIDENCE = Counted(), Evidence()

Reason = Literal["worse", "gone", "kept", "broken", "few", "silent"]
"""Why a metric has its verdict.

Failed: the canary is worse than stable; or the limit is broken, and the canary has no pod that is ready.
Successful: the limit is kept. Inconclusive: the limit is broken, but stable may be no better; there are too
few requests; the canary answered nothing in the last look.
"""


@dataclass(frozen=True)
class Tally:
    """What was counted of one metric since the step was entered, and the evidence.

    canary: with what was lost; last: of the canary in the last look. worse: than stable, since the release
    began; broken: the limit by the canary, since the routing changed.
    """

    canary: Counted = NOTHING
    stable: Counted = NOTHING
    lost: int = 0
    last: Counted = NOTHING
    worse: Evidence = NO_EVIDENCE
    broken: Evidence = NO_EVIDENCE

    def add(self, look: Look, plan: Plan, metric: Metric, share: float | None) -> "Tally":
        """Return the tally with another look; share: the canary's by chance, None where headers choose."""
        more = _against(look, plan.odds(metric), share)
        return Tally(
            self.canary + look.canary + Counted(look.lost, look.lost),
            self.stable + look.stable,
            self.lost + look.lost,
            look.canary,
            self.worse.add(more, log(plan.missed)),
            self.broken.add(plan.limit(metric).evidence(look.canary), log(plan.missed)),
        )

    def anew(self) -> "Tally":
        """Return what is left of it where a step begins."""
        return Tally(worse=self.worse, broken=self.broken)

    def rerouted(self) -> "Tally":
        """Return what is left of it where the routing changes."""
        return Tally(worse=self.worse)

    def forgiven(self) -> "Tally":
        """Return what is left of it where a Failed is borne."""
        return Tally(worse=self.worse.again())


@dataclass(frozen=True)
class Judgement:
    """What one metric says, and the figures on which it rests.

    fails_from: from how many bad requests of the canary on it is worse than stable, all else alike, -1 where
    that cannot be said; kept_to: up to how many the limit is kept, -1 where it cannot be yet.
    """

    metric: str
    verdict: Verdict
    reason: Reason
    canary: Counted
    stable: Counted
    lost: int
    evidence: float
    needed: float
    fails_from: int
    kept_to: int


def judge(plan: Plan, metric: Metric, tally: Tally, share: float | None, gone: bool = False) -> Judgement:
    """Judge one metric; gone: no pod of the canary is ready, and stable has one."""
    verdict, reason = _verdict(plan, metric, tally, gone)
    worse, needed = tally.worse, tally.worse.needed(plan.alpha)
    return Judgement(
        metric.name,
        verdict,
        reason,
        replace(tally.canary, bad=tally.canary.bad - tally.lost, n=tally.canary.n - tally.lost),
        tally.stable,
        tally.lost,
        round(worse.total, 2),
        round(needed, 2),
        _fails_from(plan, metric, tally, share),
        plan.limit(metric).kept_to(tally.canary.n),
    )


def _verdict(plan: Plan, metric: Metric, tally: Tally, gone: bool) -> tuple[Verdict, Reason]:
    if tally.worse.proves(plan.alpha):
        return "Failed", "worse"
    if tally.broken.proves(plan.alpha):
        return ("Failed", "gone") if gone else ("Inconclusive", "broken")
    if not plan.limit(metric).is_kept(tally.canary):
        return "Inconclusive", "few"
    return ("Successful", "kept") if tally.last.n > tally.last.bad else ("Inconclusive", "silent")


def _against(look: Look, odds: float, share: float | None) -> float:
    if share is None:
        return against(look.stable, look.canary, odds)
    return split(look.stable, look.canary, odds, share)


def _fails_from(plan: Plan, metric: Metric, tally: Tally, share: float | None) -> int:
    """Return how many bad requests of the canary's make it worse than stable, where each adds the same."""
    each = 0.0 if share is None else split(NOTHING, Counted(1, 1), plan.odds(metric), share)
    if each < 1e-9:
        return -1
    lacks = tally.worse.needed(plan.alpha) - tally.worse.total
    return max(0, tally.canary.bad - tally.lost + ceil(lacks / each - 1e-9))
