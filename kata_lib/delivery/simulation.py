"""How releases by a plan end, for a traffic of one's own: what the plan promises, and what it does not.

A Plan and a Traffic go in; how many of some thousand releases go through, are held, are aborted comes out.
The same arithmetic as judging.py, for all releases at once. One metric is judged, and the others are taken as
kept; steps before the first weight are left out, a pause for a person ends at once, and the pods are ready.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import log
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kata_lib.delivery.common_troubles import Trouble
from kata_lib.delivery.illnesses import Illness
from kata_lib.delivery.metric import Metric
from kata_lib.delivery.plan import Plan
from kata_lib.delivery.state import BESIDE
from kata_lib.delivery.steps import Analysis, Pause, SetWeight
from kata_lib.statistics.sequential import Counted, split

RELEASES = 4000
SEED = 6
_ENDLESS = 20_000
"""Looks after which a release that is neither through nor back counts as held."""

Numbers = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
Which = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Traffic:
    """What users send, and what becomes of it.

    rate: requests a second. canary, stable: the share of each version's requests that is bad, 0 to 1. clump:
    how many of one version in a row are bad at a time. common, illness: a trouble that both have besides, and
    one that only the canary has.
    """

    rate: float
    canary: float
    stable: float
    clump: int = 1
    common: Trouble | None = None
    illness: Illness | None = None


@dataclass(frozen=True)
class Outcomes:
    """How releases ended.

    met, hurt: requests to the canary, and bad ones among them, of a release on average; seconds: of half of
    them not more. stopped: of the aborted ones, how many at each weight of the canary's, in per cent.
    """

    through: int
    held: int
    aborted: int
    met: float
    hurt: float
    seconds: float
    stopped: Mapping[int, int] = field(default_factory=dict)

    @property
    def releases(self) -> int:
        """How many there were."""
        return self.through + self.held + self.aborted


class Stop(NamedTuple):
    """A step at which a release stays. share: the canary's; seconds: at least; asks: for a verdict."""

    share: float
    seconds: float
    asks: bool


def stops(plan: Plan, metric: Metric) -> list[Stop]:
    """Return the steps of a plan at which requests may be lost."""
    found, share = [], 0.0
    for step in plan.steps:
        match step:
            case SetWeight(weight):
                share = weight / 100
            case Pause(seconds) if share:
                found.append(Stop(share, seconds or 0.0, False))
            case Analysis(metrics) if share:
                found.append(Stop(share, 0.0, not metrics or metric.name in metrics))
    return found


def outcomes(
    plan: Plan, traffic: Traffic, releases: int = RELEASES, metric: int = 0, seed: int = SEED
) -> Outcomes:
    """Return how so many releases end, of random requests; metric: the index of the one that is judged."""
    made = _Releases(plan, traffic, releases, plan.metrics[metric], np.random.default_rng(seed))
    for _ in range(_ENDLESS):
        if not made.running.any():
            break
        made.look()
    return made.outcomes()


class _Releases:
    """Many releases side by side: each attribute is an array with a place for each of them."""

    def __init__(
        self, plan: Plan, traffic: Traffic, number: int, metric: Metric, generator: np.random.Generator
    ) -> None:
        self._plan, self._traffic, self._random = plan, traffic, generator
        self._common = traffic.common.begin(generator, number) if traffic.common else None
        self._ill = traffic.illness.begin(number) if traffic.illness else None
        self._now = 0.0
        self._stops = stops(plan, metric)
        limit, odds = plan.limit(metric), plan.odds(metric)
        self._bad_one, self._good_one = limit.evidence(Counted(1, 1)), limit.evidence(Counted(0, 1))
        self._floor, self._number = log(plan.missed), number
        shares = [stop.share for stop in self._stops]
        self._shares = np.array([*shares, *(min(share, BESIDE / 100) for share in shares)])
        one = Counted(1, 1)
        self._against = np.array([split(Counted(), one, odds, share) for share in self._shares])
        self._for = np.array([split(one, Counted(), odds, share) for share in self._shares])
        self.running = np.ones(number, dtype=bool)
        self._ended = np.full(number, "held", dtype="U7")
        self._stop = np.zeros(number, dtype=int)
        self._beside = np.zeros(number, dtype=bool)
        self._kept, self._worse, self._broken = np.zeros((3, number))
        self._worse_round, self._broken_round = np.ones((2, number))
        self._since, self._undecided, self._compared, self._failures = np.zeros((4, number))
        self._met, self._hurt, self._seconds = np.zeros((3, number))
        self._blind = np.ones(number, dtype=bool)  # the first look at a new routing only reads the counters

    def look(self) -> None:
        """Have an interval pass, and each release look at what was counted in it."""
        self._now += self._plan.interval
        n, bad, bad_of_stable = self._requests()
        running = self.running
        self._met[running] += n[running]
        self._hurt[running] += bad[running]
        self._seconds[running] += self._plan.interval
        self._since += self._plan.interval
        seen = running & ~self._blind
        self._blind[:] = False
        self._count(seen, n, bad, bad_of_stable)
        seen &= ~self._judge(seen)
        seen &= ~self._compare(seen)
        self._go_on(seen, n > bad)

    def outcomes(self) -> Outcomes:
        """Return how they ended."""
        ended = [int((self._ended == name).sum()) for name in ("through", "held", "aborted")]
        met, hurt = float(self._met.mean()), float(self._hurt.mean())
        weights = np.round(100 * self._shares[self._stop[self._ended == "aborted"]])
        at, how_many = np.unique(weights, return_counts=True)
        stopped = dict(zip(map(int, at), map(int, how_many), strict=True))
        return Outcomes(ended[0], ended[1], ended[2], met, hurt, float(np.median(self._seconds)), stopped)

    def _requests(self) -> tuple[Counts, Counts, Counts]:
        """Return of one interval the canary's requests, and how many were bad of it and of stable."""
        traffic, place = self._traffic, self._stop + len(self._stops) * self._beside
        since = self._now - self._plan.interval
        total = self._random.poisson(traffic.rate * self._plan.interval, self._number)
        mine = self._random.binomial(total, self._shares[place])
        common = self._common(since, self._now) if self._common else 0.0
        of_its_own = self._ill(since, self._now, mine) if self._ill else 0.0
        bad = self._bad(mine, _either(traffic.canary, common, of_its_own))
        return mine, bad, self._bad(total - mine, _either(traffic.stable, common))

    def _bad(self, requests: Counts, share: Numbers | float) -> Counts:
        if self._traffic.clump == 1:
            return self._random.binomial(requests, share)
        clumps = self._random.poisson(requests * share / self._traffic.clump)
        return np.minimum(requests, clumps * self._traffic.clump)

    def _count(self, seen: Which, n: Counts, bad: Counts, bad_of_stable: Counts) -> None:
        place = self._stop + len(self._stops) * self._beside
        limit = bad * self._bad_one + (n - bad) * self._good_one
        self._kept[seen] += limit[seen]
        self._broken[seen] += limit[seen]
        self._worse[seen] += (bad * self._against[place] + bad_of_stable * self._for[place])[seen]
        for total, rounds in ((self._worse, self._worse_round), (self._broken, self._broken_round)):
            low = seen & (total <= self._floor)
            total[low] = 0.0
            rounds[low] += 1

    def _judge(self, seen: Which) -> Which:
        """Send back those that are worse than stable, or bear it; return which."""
        failed: Which = seen & (
            self._worse >= np.log(self._worse_round * (self._worse_round + 1) / self._plan.alpha)
        )
        self._failures[failed] += 1
        self._end(failed & (self._failures > self._plan.failure_limit), "aborted")
        self._kept[failed] = self._worse[failed] = self._broken[failed] = 0.0
        self._worse_round[failed] += 1
        self._broken_round[failed] = 1
        return failed

    def _compare(self, seen: Which) -> Which:
        """Put those beside stable that break the limit where there is too little of it; return which."""
        needed = np.log(self._broken_round * (self._broken_round + 1) / self._plan.alpha)
        high = self._shares[self._stop + len(self._stops) * self._beside] > BESIDE / 100
        broken: Which = seen & (self._broken >= needed) & high
        self._end(broken & (self._compared > 0), "held")
        self._beside |= broken
        self._compared[broken] += 1
        self._reroute(broken)
        return broken

    def _go_on(self, seen: Which, answered: Which) -> None:
        """Go on to the next step, where this one is done, or hold what had no verdict for too long."""
        asks = np.array([stop.asks for stop in self._stops])[self._stop] | self._beside
        decided = ~asks | ((self._kept <= self._floor) & answered)
        self._undecided[seen & decided] = 0
        self._undecided[seen & ~decided] += 1
        self._end(seen & (self._undecided > self._plan.inconclusive_limit), "held")
        back = seen & decided & self._beside
        self._beside[back] = False
        self._reroute(back)
        waits = np.array([stop.seconds for stop in self._stops])[self._stop]
        done = seen & decided & ~back & (self._since >= waits)
        last = self._stop == len(self._stops) - 1
        self._end(done & last, "through")
        self._next(done & ~last)

    def _next(self, done: Which) -> None:
        before = self._shares[self._stop]
        self._stop[done] += 1
        self._compared[done] = 0
        self._enter(done)
        self._reroute(done & (self._shares[self._stop] != before))

    def _reroute(self, which: Which) -> None:
        self._broken[which] = 0.0
        self._broken_round[which] = 1
        self._failures[which] = 0
        self._blind[which] = True
        self._enter(which)

    def _enter(self, which: Which) -> None:
        self._kept[which] = self._since[which] = self._undecided[which] = 0.0

    def _end(self, which: Which, how: str) -> None:
        self._ended[which & self.running] = how
        self.running &= ~which


def _either(*shares: Numbers | float) -> Numbers | float:
    """Return which share of the requests is bad for at least one of several reasons."""
    good: Numbers | float = 1.0
    for share in shares:
        good = good * (1 - share)
    return 1 - good
