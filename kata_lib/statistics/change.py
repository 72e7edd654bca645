"""Did the shares of the versions change? A test that may be looked at after every answer.

Outcomes of requests go in, in their order: the version that answered, or None for a failure and for an answer
without a version. Evidence comes out, as the log of an e-value.

The null hypothesis is that nothing changed: the old shares are in force, and each version fails at a rate of
its own, whichever. Then a version answers at most its share of all requests, and failures are the rest. The
evidence is the likelihood of the outcomes if the shares became the new ones at some request, over their
greatest likelihood under the null hypothesis: L. Wasserman, A. Ramdas, S. Balakrishnan, "Universal
inference", Proceedings of the National Academy of Sciences 117 (2020). Looked at ever so often it exceeds
2000 with a probability of at most one in two thousand: J. Ville, "Étude critique de la notion de collectif"
(1939).

Failures are judged alike before and after the change, so that only which version the answers are from is
evidence: outages of all versions, which come in clumps, look like no change then. Where the answers before
the change show that the versions fail at different rates, half the weight is on failures that come as often
after it as those rates let expect.

Requests may meet the old route for a while after the change. So every request is a possible first one on the
new route, with weights that total 1: the k-th has 1 / (k (k + 1)). Without weights this is the statistic of
A. N. Shiryaev, "On optimum methods in quickest detection problems" (1963), which keeps no such promise.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from copy import deepcopy
from math import exp, inf, log, log1p

Shares = Mapping[str, float]
"""A fraction for each version."""

Outcome = str | None
"""The version that answered a request; None for a failure, and for an answer that carries no version."""

PROMISED = 0.001
"""The greatest probability with which a change that never came is called seen, however long it is watched."""

ENOUGH = log(2 / PROMISED)
"""Evidence from which on a change is called seen.

Half the promise is for either null hypothesis, of which the outcomes before the change choose one.
"""

CONTRADICTED = log(100)
"""Evidence from which on outcomes contradict the shares that were asked for."""

UNLIKE = log(1000)
"""Evidence from which on the answers before a change show that the versions fail at different rates."""

UNSEEN = 0.5  # of each version, before any: R. Krichevsky, V. Trofimov, IEEE Trans. Inf. Theory 27 (1981)
ASKED, FAILED = 10.0, 0.1  # requests at the shares asked for, and failures, before any is seen


class Steady:
    """Outcomes while the shares asked for stay the same; how likely each answer was by those before it."""

    def __init__(self, asked: Shares, expected: Mapping[Outcome, float] | None = None) -> None:
        """Begin with nothing seen; expected: what the next outcomes are taken for, as counts."""
        self.asked = asked
        self.counts: Counter[Outcome] = Counter()
        self.log_asked = self.log_free = 0.0
        self._learned: dict[Outcome, float] = dict(expected or _expected(asked))

    def add(self, outcome: Outcome) -> None:
        """Count an outcome."""
        failing = self.failing_or_not(outcome)
        self.log_asked += failing + (_log(self.likely(outcome)) if outcome is not None else 0.0)
        self.log_free += failing + (log(self.free(outcome)) if outcome is not None else 0.0)
        self._learned[outcome] = self._learned.get(outcome, 0.0) + 1
        self.counts[outcome] += 1

    def failing_or_not(self, outcome: Outcome) -> float:
        """Return the log of how likely it was that a request fails, or does not, as this outcome did."""
        failed = (self.counts[None] + FAILED) / (self.counts.total() + FAILED + ASKED)
        return _log_of_failing(failed, outcome)

    @property
    def failing(self) -> float:
        """The share of requests that is expected to fail."""
        return self._learned[None] / sum(self._learned.values())

    def likely(self, version: str) -> float:
        """Return how likely an answer is from a version if the asked shares are in force.

        Failure rates are learned.
        """
        fractions = likeliest(self._learned, self.asked)
        return fractions.get(version, 0.0) / (1 - fractions[None])

    def free(self, version: str) -> float:
        """Return how likely an answer is from a version by the counts alone, whatever was asked for."""
        answers = self.counts.total() - self.counts[None]
        kinds = len(self.asked) + 1  # one more has no share
        return (self.counts[version] + UNSEEN) / (answers + kinds * UNSEEN)

    def at(self, shares: Shares) -> "Steady":
        """Return what is known of the failure rates, at other shares."""
        fractions = likeliest(self._learned, self.asked)
        seen = sum(self._learned.values())
        works = {v: fractions.get(v, 0.0) / share for v, share in self.asked.items() if share}
        answers = {v: share * works.get(v, 1.0) for v, share in shares.items()}
        expected: dict[Outcome, float] = {v: seen * share for v, share in answers.items()}
        return Steady(shares, expected | {None: max(FAILED, seen * (1 - sum(answers.values())))})

    @property
    def fails_unlike(self) -> bool:
        """Whether the split of the answers shows that the versions fail at different rates."""
        answers: Counter[Outcome] = Counter(
            {outcome: count for outcome, count in self.counts.items() if outcome is not None}
        )
        anything = dict.fromkeys(self.asked, 1.0)
        return greatest_likelihood(answers, anything) - greatest_likelihood(answers, self.asked) >= UNLIKE

    @property
    def contradicts(self) -> bool:
        """Whether the answers show other shares than those asked for, with an error of one in a hundred."""
        return self.log_free - greatest_likelihood(self.counts, self.asked) >= CONTRADICTED


def _expected(asked: Shares) -> dict[Outcome, float]:
    return {version: ASKED * share for version, share in asked.items()} | {None: FAILED}


class ChangeTest:
    """The evidence that the shares became `new`.

    old: the shares that may be in force until then, the last asked for last. before: outcomes at those; where
    they contradict what was asked for, the null hypothesis is that they go on as they were, at any shares.
    """

    def __init__(self, old: Sequence[Shares], new: Shares, before: Steady) -> None:
        self._before = deepcopy(before)
        self._after = before.at(new)
        self._failing = self._after.failing if before.fails_unlike else None
        self._found = before.contradicts
        self._log_unchanged = before.log_free if self._found else before.log_asked
        self._log_changed = -inf, -inf
        self._number = 0
        self._versions = {version for version in before.counts if version is not None}
        self._versions |= {version for shares in (*old, new) for version, share in shares.items() if share}
        self._limits = [dict.fromkeys(self._versions, 1.0)] if self._found else list(old)

    def add(self, outcome: Outcome) -> None:
        """Take the next outcome into account."""
        self._number += 1
        version = outcome if outcome in self._versions else None
        begins = self._log_unchanged - log(2 * self._number * (self._number + 1))
        common = self._before.failing_or_not(version)
        own = common if self._failing is None else _log_of_failing(self._failing, version)
        changed, unchanged = self._answered(version)
        alike, anew = (_log_sum(so_far, begins) + changed for so_far in self._log_changed)
        self._log_changed = alike + common, anew + own
        self._log_unchanged += unchanged + common
        self._before.add(version)
        self._after.add(version)

    def _answered(self, version: Outcome) -> tuple[float, float]:
        """Return the logs of how likely an answer is from a version, at the new shares and at the old."""
        if version is None:
            return 0.0, 0.0
        unchanged = self._before.free(version) if self._found else self._before.likely(version)
        return _log(self._after.likely(version)), _log(unchanged)

    @property
    def evidence(self) -> float:
        """The log of the e-value; infinite once an answer was impossible at the old shares."""
        greatest = max(greatest_likelihood(self._before.counts, limits) for limits in self._limits)
        if greatest == -inf:
            return inf
        changed = _log_sum(*self._log_changed)
        return _log_sum(changed, self._log_unchanged - log(self._number + 1)) - greatest


def greatest_likelihood(counts: Mapping[Outcome, int], limits: Shares) -> float:
    """Return the log of the greatest likelihood of counts where each version answers at most its limit.

    Failures have what the versions leave; -inf where a version answered that could not.
    """
    fractions = likeliest(counts, limits)
    return sum(count * _log(fractions[outcome]) for outcome, count in counts.items() if count)


def likeliest(counts: Mapping[Outcome, float], limits: Shares) -> dict[Outcome, float]:
    """Return the fractions of outcomes under which counts are likeliest, each version's at most its limit.

    They are proportional to the counts, except where that is above a limit.
    """
    free = {outcome: count for outcome, count in counts.items() if count}
    fractions: dict[Outcome, float] = {}
    while free:
        scale = max(0.0, 1 - sum(fractions.values())) / sum(free.values())
        above = [v for v, count in free.items() if v is not None and count * scale > limits.get(v, 0.0)]
        if not above:
            return fractions | {outcome: count * scale for outcome, count in free.items()}
        for version in above:
            fractions[version] = limits.get(version, 0.0)
            del free[version]
    return fractions


def _log_of_failing(share: float, outcome: Outcome) -> float:
    return log(share) if outcome is None else log1p(-share)


def _log(probability: float) -> float:
    return log(probability) if probability > 0 else -inf


def _log_sum(a: float, b: float) -> float:
    """Return log(exp(a) + exp(b))."""
    high, low = max(a, b), min(a, b)
    return high + log1p(exp(low - high)) if low > -inf else high
