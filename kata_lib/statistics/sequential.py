"""Sequential tests: is a share too high, and is one version worse than another; asked as often as one likes.

Counts go in, evidence and what it takes to decide come out. Evidence is the log of a likelihood ratio, faulty
against healthy: A. Wald, "Sequential tests of statistical hypotheses", Annals of Mathematical Statistics 16
(1945). A verdict is due where it leaves a bound. Wald's own bounds hold nearly, these exactly, at any number
of looks and any moments: the ratio is a martingale where the one hypothesis is true, its inverse where the
other is, and one exceeds 1/alpha with a probability of at most alpha (J. Ville, "Étude critique de la notion
de collectif", 1939).
"""

from dataclasses import dataclass
from functools import lru_cache
from math import ceil, exp, floor, lgamma, log
from typing import Literal

from kata_lib.statistics.shares import at_most

Verdict = Literal["Successful", "Failed", "Inconclusive"]
"""As Argo Rollouts calls what a measurement says."""


@dataclass(frozen=True)
class Counted:
    """Requests of one version: how many of `n` were bad, which is failed, or slow."""

    bad: int = 0
    n: int = 0

    def __add__(self, other: "Counted") -> "Counted":
        return Counted(self.bad + other.bad, self.n + other.n)


@dataclass(frozen=True)
class Limit:
    """A share of bad requests up to `healthy` is well, one from `faulty` on is not; in between, who knows.

    missed: the greatest chance that the limit of a version at `faulty` or above is ever called kept.
    """

    healthy: float
    faulty: float
    missed: float

    def evidence(self, counted: Counted) -> float:
        """Return the log likelihood ratio of `faulty` against `healthy`."""
        return counted.bad * self._a_bad_one + (counted.n - counted.bad) * self._a_good_one

    def is_kept(self, counted: Counted) -> bool:
        """Return whether enough was counted to say that the limit is kept."""
        return self.evidence(counted) <= log(self.missed)

    def kept_to(self, n: int) -> int:
        """Return up to how many bad ones of `n` the limit is kept; -1 where that cannot be said of so few."""
        return max(-1, floor((log(self.missed) - n * self._a_good_one) / self._apart + 1e-9))

    @property
    def fewest(self) -> int:
        """The number of requests below which the limit is never kept."""
        return ceil(log(self.missed) / self._a_good_one - 1e-9)

    @property
    def odds(self) -> float:
        """How many times the odds of a bad request at `healthy` those at `faulty` are."""
        return exp(self._a_bad_one - self._a_good_one)

    @property
    def _a_bad_one(self) -> float:
        return log(self.faulty / self.healthy)

    @property
    def _a_good_one(self) -> float:
        return log((1 - self.faulty) / (1 - self.healthy))

    @property
    def _apart(self) -> float:
        return self._a_bad_one - self._a_good_one


@dataclass(frozen=True)
class Evidence:
    """A test that is asked as long as a release lasts, and begins a new round where it has come to nothing.

    total: the log likelihood ratio of this round; round: from 1 on. Without rounds, an hour in which all was
    well would be a debt that evidence to the contrary had to pay off first. Round k may be wrong with alpha
    / (k (k + 1)), which over all rounds adds up to alpha.
    """

    total: float = 0.0
    round: int = 1

    def add(self, more: float, floor: float) -> "Evidence":
        """Return it with the evidence of one look; at the floor, which is below 0, a new round begins."""
        total = self.total + more
        return Evidence(total, self.round) if total > floor else self.again()

    def again(self) -> "Evidence":
        """Return the next round, in which nothing is counted yet."""
        return Evidence(round=self.round + 1)

    def needed(self, alpha: float) -> float:
        """Return the total that proves it in this round."""
        return log(self.round * (self.round + 1) / alpha)

    def proves(self, alpha: float) -> bool:
        """Return whether it is proven, with a chance of at most alpha, over all rounds, that it is not so."""
        return self.total >= self.needed(alpha)


def split(stable: Counted, canary: Counted, odds: float, share: float) -> float:
    """Return the evidence of one look that the canary's odds of a bad request are `odds` times stable's.

    share: the chance with which each request was sent to the canary, above 0. Where both are alike, a bad
    request is the canary's with just that chance, whatever share is bad and however it comes and goes: the
    ratio is a martingale. J. Przyborowski and H. Wilenski, "Homogeneity of results in testing samples from
    Poisson series", Biometrika 31 (1940).
    """
    each = log(1 + share * (odds - 1))
    return canary.bad * (log(odds) - each) - stable.bad * each


@lru_cache(maxsize=4096)
def against(stable: Counted, canary: Counted, odds: float) -> float:
    """Return the evidence of one look that the canary's odds of a bad request are `odds` times stable's.

    For requests that something else than chance sends to one or the other, such as a header. Given both
    numbers of requests and how many were bad in all, how many of those fell on the canary has a
    hypergeometric distribution: R. A. Fisher, "The logic of inductive inference" (1935). The evidence of
    several looks adds up, as strata do in N. Mantel and W. Haenszel, "Statistical aspects of the analysis of
    data from retrospective studies" (1959).
    """
    bad = canary.bad + stable.bad
    possible = range(max(0, bad - stable.n), min(bad, canary.n) + 1)
    if len(possible) == 1:
        return 0.0
    ways = [_log_choose(canary.n, x) + _log_choose(stable.n, bad - x) for x in possible]
    most = max(way + x * log(odds) for x, way in zip(possible, ways, strict=True))
    tilted = sum(exp(way + x * log(odds) - most) for x, way in zip(possible, ways, strict=True))
    largest = max(ways)
    plain = sum(exp(way - largest) for way in ways)
    return canary.bad * log(odds) - (most + log(tilted) - largest - log(plain))


def _log_choose(n: int, k: int) -> float:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)


def greatest_share(count: int, n: int, confidence: float = 0.99) -> float:
    """Return the upper limit of a share of which `count` of `n` were seen, 0 to 1.

    C. J. Clopper and E. S. Pearson, "The use of confidence or fiducial limits illustrated in the case of the
    binomial", Biometrika 26 (1934): a greater share would give so few with a chance below 1 - confidence.
    """
    low, high = count / n if n else 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if at_most(count, n, middle) > 1 - confidence else (low, middle)
    return high
