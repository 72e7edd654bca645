"""How releases end under other rules than ours: those of other projects' examples, and plain limits.

All release by the same schedule to the same users: a step a minute, 10 to 50 per cent. What a project's
example says of its own steps is kept in proportion. The canary's pods are ready, and Prometheus scrapes each
15 seconds, so that irate() sees the last 15.
"""

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kata_lib.cluster import waiting
from kata_lib.delivery.common_troubles import Outages
from kata_lib.delivery.plan import Plan, read
from kata_lib.delivery.simulation import Counts, Traffic, Which, outcomes
from kata_lib.statistics.shares import percent

if TYPE_CHECKING:
    import pandas as pd

ARGO = "https://argo-rollouts.readthedocs.io/en/stable/features/analysis/"
FLAGGER = "https://docs.flagger.app/tutorials/istio-progressive-delivery"
WEIGHTS = (10, 20, 30, 40, 50)
STEP_SECONDS = 60.0
RATE, RELEASES, SEED = 50.0, 1000, 6
_LONGEST = 30 * STEP_SECONDS


@dataclass(frozen=True)
class Rule:
    """Measure the share of good requests again and again, and abort where it is too small too often.

    least: the share asked for, 0 to 1. every, window: seconds between two measurements, and of the requests
    that one sees. bears: failed ones that do not abort yet. whole: of canary and stable together. fewest:
    requests below which nothing is said. steps: at which it measures, None for all; halts: a failed
    measurement keeps the weight.
    """

    name: str
    source: str
    least: float
    every: float
    window: float
    bears: int = 0
    whole: bool = False
    fewest: int = 1
    steps: tuple[int, ...] | None = None
    halts: bool = False


RULES = (
    Rule("Argo Rollouts, background analysis", ARGO, 0.95, 30, 15, 3, whole=True, steps=(1, 2, 3, 4)),
    Rule("Argo Rollouts, one measurement at 20 %", ARGO, 0.95, 60, 15, whole=True, steps=(1,)),
    Rule("Argo Rollouts, a measurement a minute", ARGO, 0.95, 60, 15, whole=True),
    Rule("the same of the canary alone", "", 0.95, 60, 15),
    Rule("Flagger, its Istio tutorial", FLAGGER, 0.99, 60, 60, 4, halts=True),
    Rule("abort above 5 %, a look each 10 s", "", 0.95, 10, 10),
    Rule("the same from 50 requests on", "", 0.95, 10, 10, fewest=50),
)
KINDS = {
    "both 0.1 %": Traffic(RATE, 0.001, 0.001),
    "both 4 %": Traffic(RATE, 0.04, 0.04),
    "both out 10 s": Traffic(RATE, 0.001, 0.001, common=Outages(10.0, every=150.0)),
    "5 %": Traffic(RATE, 0.05, 0.001),
    "10 %": Traffic(RATE, 0.10, 0.001),
    "50 %": Traffic(RATE, 0.50, 0.001),
}
"""The first three are no worse than stable: each abort is a false one. The others should not go through."""
FALSE_ABORTS = 3


@dataclass(frozen=True)
class Ended:
    """Shares of the releases, 0 to 1; hurt: users whose request failed at the canary, on average."""

    through: float
    held: float
    aborted: float
    hurt: float


def by_rule(rule: Rule, traffic: Traffic, releases: int = RELEASES) -> Ended:
    """Return how so many releases end under a rule."""
    made = _Releases(rule, traffic, releases)
    while made.running.any() and made.now < _LONGEST:
        made.measure()
    return made.ended()


class _Releases:
    """Many releases side by side: each array has a place for each of them."""

    def __init__(self, rule: Rule, traffic: Traffic, number: int) -> None:
        self._rule, self._traffic = rule, traffic
        self._random = np.random.default_rng(SEED)
        self._common = traffic.common.begin(self._random, number) if traffic.common else None
        self._step, self._measured_in_step, self._failed = np.zeros((3, number), dtype=int)
        self._hurt = np.zeros(number)
        self.running, self._aborted = np.ones(number, dtype=bool), np.zeros(number, dtype=bool)
        self.now = 0.0

    def measure(self) -> None:
        """Have the time until the next measurement pass, and measure."""
        rule = self._rule
        self._pass(rule.every - rule.window)
        n, bad = self._pass(rule.window)
        measured = self.running & (n >= rule.fewest)
        if rule.steps is not None:
            measured &= np.isin(self._step, rule.steps)
        low = measured & (bad > (1 - rule.least) * n)
        self._failed += low
        self._aborted |= self.running & (self._failed > rule.bears)
        self.running &= ~self._aborted
        self._go_on(self.running & ~low if rule.halts else self.running)

    def ended(self) -> Ended:
        """Return how they ended."""
        through = ~self._aborted & (self._step >= len(WEIGHTS))
        held = ~self._aborted & ~through
        return Ended(*(float(part.mean()) for part in (through, held, self._aborted, self._hurt)))

    def _pass(self, seconds: float) -> tuple[Counts, Counts]:
        """Return the requests of so many seconds that the rule asks for, and how many were bad."""
        traffic, release = self._traffic, self._random
        share = np.array([*WEIGHTS, 100])[self._step] / 100
        both = self._common(self.now, self.now + seconds) if self._common else 0.0
        self.now += seconds
        mine = release.poisson(traffic.rate * seconds * share)
        others = release.poisson(traffic.rate * seconds * (1 - share))
        bad = release.binomial(mine, traffic.canary + (1 - traffic.canary) * both)
        bad_of_others = release.binomial(others, traffic.stable + (1 - traffic.stable) * both)
        self._hurt[self.running] += bad[self.running]
        return (mine + others, bad + bad_of_others) if self._rule.whole else (mine, bad)

    def _go_on(self, which: Which) -> None:
        self._measured_in_step[which] += 1
        done = which & (self._measured_in_step * self._rule.every >= STEP_SECONDS)
        self._step[done] += 1
        self._measured_in_step[done] = 0
        self.running &= self._step < len(WEIGHTS)


def by_plan(plan: Plan, traffic: Traffic, releases: int = RELEASES) -> Ended:
    """Return how so many releases end by a plan of ours."""
    found = outcomes(plan, traffic, releases, seed=SEED)
    return Ended(found.through / releases, found.held / releases, found.aborted / releases, found.hurt)


def scheduled(plan: Plan) -> Plan:
    """Return a plan of ours with the same schedule."""
    return plan.changed(steps=[step for weight in WEIGHTS for step in _minute(weight)])


def _minute(weight: int) -> tuple[dict[str, Any], ...]:
    return {"setWeight": weight}, {"pause": {"duration": f"{STEP_SECONDS:g}s"}}, {"analysis": {}}


def table(plan: Plan, releases: int = RELEASES) -> "pd.DataFrame":
    """Return one row a rule: false aborts, then bad versions that go through, in per cent of the releases.

    plan: the one of ours that stands beside the rules. users hurt: those whose request failed at the
    canary that fails 50 %. held: releases that ask a person, where both are out.
    """
    import pandas as pd

    ended = {}
    for rule in RULES:
        with waiting.busy(f"Simulating {releases:,} releases: {rule.name}"):
            ended[rule.name] = {kind: by_rule(rule, traffic, releases) for kind, traffic in KINDS.items()}
    ended["kata release, the same schedule"] = {
        kind: by_plan(scheduled(plan), traffic, releases) for kind, traffic in KINDS.items()
    }
    return pd.DataFrame.from_dict({name: _row(kinds) for name, kinds in ended.items()}, orient="index")


def _row(kinds: dict[str, Ended]) -> dict[str, object]:
    alike, worse = list(kinds)[:FALSE_ABORTS], list(kinds)[FALSE_ABORTS:]
    return {
        **{f"aborted: {kind}": percent(kinds[kind].aborted) for kind in alike},
        f"held: {alike[-1]}": percent(kinds[alike[-1]].held),
        **{f"through: {kind}": percent(kinds[kind].through) for kind in worse},
        "users hurt": round(kinds[worse[-1]].hurt),
    }


def markdown(plan: Plan, releases: int = RELEASES) -> str:
    """Return the table as docs/argo-rollouts.md shows it."""
    found = table(plan, releases)
    rows = [["", *found.columns], ["---"] * (len(found.columns) + 1)]
    rows += [[str(name), *map(str, row)] for name, row in zip(found.index, found.to_numpy(), strict=True)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


if __name__ == "__main__":
    print(markdown(read(sys.argv[1])))
