"""What the requests counted so far say of a canary: a verdict for each metric, and the sentence for it."""

from dataclasses import dataclass, replace
from math import log

from kata_lib.delivery.metric import Metric
from kata_lib.delivery.plan import Plan
from kata_lib.statistics import shares
from kata_lib.statistics.sequential import Counted, Limit, Verdict, against

NOTHING = Counted()


@dataclass(frozen=True)
class Look:
    """What was counted of one metric since the look before."""

    canary: Counted
    stable: Counted


@dataclass(frozen=True)
class Tally:
    """What was counted of one metric since the routing last changed, and the evidence against stable since
    the release began.
    """

    canary: Counted = NOTHING
    stable: Counted = NOTHING
    worse: float = 0.0

    def add(self, look: Look, metric: Metric) -> "Tally":
        """Return the tally with another look."""
        worse = against(look.stable, look.canary, metric.odds) if metric.odds else 0.0
        return Tally(self.canary + look.canary, self.stable + look.stable, self.worse + worse)

    def anew(self) -> "Tally":
        """Return what is left of it where the routing changes."""
        return replace(self, canary=NOTHING, stable=NOTHING)


def judge(plan: Plan, metric: Metric, tally: Tally) -> Verdict:
    """Judge one metric.

    Failed: worse than stable, or more bad requests than the limit allows. Where stable has more at the same
    time as well, that alone is Inconclusive. Successful: the limit is kept.
    """
    if _is_worse(plan, metric, tally):
        return "Failed"
    limit = plan.limit(metric)
    verdict = limit.verdict(tally.canary)
    both = verdict == "Failed" and limit.verdict(tally.stable) == "Failed"
    return "Inconclusive" if both else verdict


def explain(plan: Plan, metric: Metric, tally: Tally) -> str:
    """Say why judge() says what it says: the figures, and what would have changed it."""
    canary, stable = _seen(plan.canary, metric, tally.canary), _seen(plan.stable, metric, tally.stable)
    if _is_worse(plan, metric, tally):
        return (
            f"{canary}, {stable}. The evidence since the release began that the odds of it are "
            f"{metric.odds:g} times as high is {tally.worse:.1f}, and {log(1 / plan.alpha):.1f} is enough. "
            f"Each such request to {plan.canary} adds up to {log(metric.odds or 1):.1f}, each to "
            f"{plan.stable} takes some away."
        )
    limit = plan.limit(metric)
    verdict = limit.verdict(tally.canary)
    said = f"{canary}; {100 * metric.healthy:g} % is healthy, {100 * metric.faulty:g} % is not. "
    if verdict == "Failed" and limit.verdict(tally.stable) == "Failed":
        return f"{said}{stable} at the same time, so it is not the canary's doing alone."
    return said + _otherwise(limit, verdict, tally.canary)


def _is_worse(plan: Plan, metric: Metric, tally: Tally) -> bool:
    return metric.odds is not None and tally.worse >= log(1 / plan.alpha)


def _seen(subset: str, metric: Metric, counted: Counted) -> str:
    share = shares.share_of(subset, counted.bad, counted.n)
    if not counted.n:
        return f"No request to {subset} was counted"
    interval = f"95 % interval {shares.percent(share.low)} to {shares.percent(share.high)}"
    return f"{counted.bad} of {counted.n:,} requests to {subset} {metric.bad} ({interval})"


def _otherwise(limit: Limit, verdict: Verdict, counted: Counted) -> str:
    fails, succeeds = limit.fails_from(counted.n), limit.succeeds_to(counted.n)
    match verdict:
        case "Successful":
            return f"With {succeeds + 1} or more it would not be."
        case "Failed":
            return f"With {fails - 1} or fewer it would not be."
    if succeeds >= 0:
        return f"Successful is {succeeds} or fewer, Failed {fails} or more."
    if fails > counted.n:
        return (
            f"Nothing is judged on fewer than {min(limit.fewest_to_succeed, limit.fewest_to_fail)} requests."
        )
    return f"Failed is {fails} or more; Successful takes {limit.fewest_to_succeed} requests or more."
