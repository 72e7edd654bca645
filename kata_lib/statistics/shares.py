"""Observed shares of a version: how sure they are, and what they prove.

In: counts, or the data frame of the sampler. Out: shares with Wilson intervals, verdicts, sample sizes. The
sums below are exact binomial tails in double precision, without scipy, whose import takes a second.
"""

import itertools
from bisect import bisect_left
from dataclasses import dataclass
from functools import lru_cache
from math import exp, lgamma, log, log1p, nan, sqrt
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import pandas as pd

Verdict = Literal["right", "wrong", "not enough yet"]


@dataclass(frozen=True)
class Share:
    """`count` of `n` answers came from `version`; share, low and high are fractions (95 % Wilson interval).

    Without answers the share is NaN and the interval says nothing: 0 to 1.
    """

    version: str
    count: int
    n: int
    share: float
    low: float
    high: float

    def __str__(self) -> str:
        if self.n == 0:
            return "no answers yet"
        return f"{percent(self.share)} of {self.n:,} ({percent(self.low)} to {percent(self.high)})"


def percent(fraction: float) -> str:
    """Write a fraction for people: 0.1 is "10.0 %"."""
    return f"{in_percent(fraction):.1f} %"


def number(value: float) -> str:
    """Write a number for people, with three digits that count or all before the point: 12.5, 1,164."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def in_percent(fraction: float, places: int = 1) -> float:
    """Return a fraction as a number of per cent for a picture: 0.1 is 10.0."""
    return round(100 * fraction, places)


def wilson(count: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the Wilson score interval of a share, as fractions; (0, 1) where n is 0.

    Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
    Journal of the American Statistical Association 22 (1927).
    """
    check_counts(count, n)
    check_confidence(confidence)
    if n == 0:
        return 0.0, 1.0
    from statistics import NormalDist

    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = count / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    low = 0.0 if count == 0 else max(0.0, middle - half)
    high = 1.0 if count == n else min(1.0, middle + half)
    return low, high


def share_of(version: str, count: int, n: int) -> Share:
    """Return `count` of `n` as a Share with its 95 % interval."""
    low, high = wilson(count, n)
    return Share(version, count, n, count / n if n else nan, low, high)


def observed(frame: "pd.DataFrame", version: str = "v2") -> Share:
    """Return the share of `version` among all answers of a sample, those of unknown version among them."""
    return share_of(version, int((frame["version"] == version).sum()), int(frame["version"].notna().sum()))


def judge(count: int, n: int, expected: float, otherwise: float, alpha: float = 1e-6) -> Verdict:
    """Decide whether `count` of `n` shows the share `expected`, rather than `otherwise`.

    wrong             if `expected` were true, counts this far off, on either side, had a probability <= alpha
    right             it is not wrong, and if `otherwise` were true, counts this far off had one <= alpha
    not enough yet    neither

    So where `expected` is true the verdict "wrong" has a probability of at most alpha, and where `otherwise`
    is true the verdict "right" has. Each call is one test: asking after every request adds these up.
    """
    check_counts(count, n)
    check_alternatives(expected, otherwise, alpha)
    if min(at_most(count, n, expected), at_least(count, n, expected)) <= alpha / 2:
        return "wrong"
    away = at_most if expected < otherwise else at_least
    return "right" if away(count, n, otherwise) <= alpha else "not enough yet"


def false_alarm(n: int, expected: float, alpha: float = 1e-6) -> float:
    """Return the probability that judge() calls `n` answers wrong where `expected` is the true share.

    Exactly, as a sum of the binomial distribution: at most alpha, and less by how coarse whole counts are.
    """
    too_many, enough = _too_many(n, expected, alpha / 2), _enough(n, expected, alpha / 2)
    return at_least(too_many, n, expected) + at_most(enough - 1, n, expected)


def false_pass(n: int, expected: float, otherwise: float, alpha: float = 1e-6) -> float:
    """Return the probability that judge() calls `n` answers right where `otherwise` is the true share."""
    check_alternatives(expected, otherwise, alpha)
    if expected > otherwise:
        expected, otherwise = 1 - expected, 1 - otherwise
    right, other = _enough(n, expected, alpha / 2), _too_many(n, expected, alpha / 2)
    undecided = _enough(n, otherwise, alpha)
    return max(0.0, at_most(min(other, undecided) - 1, n, otherwise) - at_most(right - 1, n, otherwise))


@lru_cache(maxsize=256)
def requests_needed(expected: float, otherwise: float, alpha: float = 1e-6) -> int:
    """Return from how many answers on judge() never says "not enough yet", whatever the count.

    Then a true `expected` is called "right", and a true `otherwise` "wrong", with a probability of at least
    1 - alpha each.
    """
    check_alternatives(expected, otherwise, alpha)
    if expected > otherwise:
        expected, otherwise = 1 - expected, 1 - otherwise
    n = 1
    while undecided(n, expected, otherwise, alpha) > -3:
        n += max(1, n // 8)
    # Counts are whole numbers, so the gap closes unevenly: the answer lies above the last n that has one.
    # With one answer fewer, each of its ends is one lower or the same.
    too_many, enough = _too_many(n, expected, alpha / 2), _enough(n, otherwise, alpha)
    while n > 0 and too_many <= enough:
        n -= 1
        too_many -= at_least(too_many - 1, n, expected) <= alpha / 2
        enough -= at_most(enough - 1, n, otherwise) > alpha
    return n + 1


def requests_for(count: int, share: float, alpha: float = 1e-6) -> int:
    """Return after how many requests a version that gets `share` of them has had `count`, all but surely.

    The probability that it has had fewer is at most alpha. `share` is a fraction above 0.
    """
    if not 0 < share <= 1:
        raise ValueError(f"a share above 0 and up to 1 is needed; found {share}")

    def has_had(n: int) -> bool:
        return at_most(count - 1, n, share) <= alpha

    enough = next(n for n in (count << doubled for doubled in itertools.count()) if has_had(n))
    return bisect_left(range(enough), True, key=has_had)


def undecided(n: int, expected: float, otherwise: float, alpha: float) -> int:
    """Return how many counts of `n` leave the verdict open; below zero, how many exclude both shares."""
    if expected > otherwise:
        expected, otherwise = 1 - expected, 1 - otherwise
    return _too_many(n, expected, alpha / 2) - _enough(n, otherwise, alpha)


def _too_many(n: int, share: float, chance: float) -> int:
    """Return the least count of `n` for which at_least() is no more than a chance."""
    return bisect_left(range(n + 2), True, key=lambda count: at_least(count, n, share) <= chance)


def _enough(n: int, share: float, chance: float) -> int:
    """Return the least count of `n` for which at_most() is more than a chance."""
    return bisect_left(range(n + 2), True, key=lambda count: at_most(count, n, share) > chance)


def at_most(count: int, n: int, share: float) -> float:
    """Return the probability of at most `count` of `n` at a true `share`."""
    return at_least(n - count, n, 1 - share)


def at_least(count: int, n: int, share: float) -> float:
    """Return the probability of at least `count` of `n` at a true `share`; a small one to full precision."""
    if count <= 0 or count > n:
        return 1.0 if count <= 0 else 0.0
    if share <= 0 or share >= 1:
        return 1.0 if share >= 1 else 0.0
    if count <= n * share:
        return 1 - at_least(n - count + 1, n, 1 - share)
    term = exp(
        lgamma(n + 1)
        - lgamma(count + 1)
        - lgamma(n - count + 1)
        + count * log(share)
        + (n - count) * log1p(-share)
    )
    total = 0.0
    while total + term > total:
        total += term
        term *= (n - count) / (count + 1) * share / (1 - share)
        count += 1
    return total


def check_counts(count: int, n: int) -> None:
    """Raise ValueError unless 0 <= count <= n."""
    if not 0 <= count <= n:
        raise ValueError(f"a count lies between 0 and n; found {count} of {n}")


def check_confidence(confidence: float) -> None:
    """Raise ValueError unless this is a fraction between 0 and 1."""
    if not 0 < confidence < 1:
        raise ValueError(f"confidence is a fraction between 0 and 1, not {confidence}")


def check_alternatives(expected: float, otherwise: float, alpha: float) -> None:
    """Raise ValueError unless these are two different shares and a small probability."""
    if not (0 <= expected <= 1 and 0 <= otherwise <= 1 and expected != otherwise):
        raise ValueError(f"two different shares between 0 and 1 are needed; found {expected} and {otherwise}")
    if not 0 < alpha < 0.5:
        raise ValueError(f"alpha is a probability between 0 and 0.5, not {alpha}")
