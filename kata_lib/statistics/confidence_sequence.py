"""An interval for a share that may be looked at all the time, and acted on at any moment.

A 95 % interval misses the true share at one look in twenty. Watched for a thousand answers it misses at some
look in every second sample, watched for ever in all. A confidence
sequence misses it at any look ever, from the first answer on, in at most one run of twenty. It is wider for
that: by three quarters at a thousand answers, twice as wide at a hundred thousand.

It holds the shares against which the evidence is below 20 to 1. Evidence is the likelihood of the answers
with the share drawn from a Beta(1/2, 1/2) distribution, over their likelihood at one share: H. Robbins,
"Statistical methods related to the law of the iterated logarithm", Annals of Mathematical Statistics 41
(1970); S. R. Howard, A. Ramdas, J. McAuliffe, J. Sekhon, "Time-uniform, nonparametric, nonasymptotic
confidence sequences", Annals of Statistics 49 (2021). At the true share it is a martingale, which ever
exceeds 20 in at most one run of twenty: J. Ville, "Étude critique de la notion de collectif" (1939).
"""

from math import inf, lgamma, log, log1p

from kata_lib.statistics.shares import check_confidence, check_counts

_PRIOR = 0.5
_HALVINGS = 60


def confidence_sequence(count: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the interval after `n` answers as fractions; (0, 1) where n is 0.

    The true share lies in all these intervals of a sample that grows with a probability of at least
    `confidence`. ValueError for counts that cannot be, and where confidence is no fraction.
    """
    check_counts(count, n)
    check_confidence(confidence)
    if n == 0:
        return 0.0, 1.0
    least = _log_mixture(count, n) + log(1 - confidence)
    share = count / n
    low = _boundary(count, n, least, share, 0.0) if count else 0.0
    high = _boundary(count, n, least, share, 1.0) if count < n else 1.0
    return low, high


def evidence_against(share: float, count: int, n: int) -> float:
    """Return the log of the evidence of `count` of `n` against a share; log 20 at an interval's ends."""
    check_counts(count, n)
    return _log_mixture(count, n) - _log_likelihood(count, n, share)


def _boundary(count: int, n: int, least: float, inside: float, outside: float) -> float:
    """Return the share between the two whose log likelihood is `least`, rounded to the outer side."""
    for _ in range(_HALVINGS):
        middle = (inside + outside) / 2
        if _log_likelihood(count, n, middle) >= least:
            inside = middle
        else:
            outside = middle
    return outside


def _log_likelihood(count: int, n: int, share: float) -> float:
    if (share <= 0 and count) or (share >= 1 and count < n):
        return -inf
    return (count and count * log(share)) + (n - count and (n - count) * log1p(-share))


def _log_mixture(count: int, n: int) -> float:
    """Return the log likelihood of the answers, in their order, on average over the Beta distribution."""
    return (
        lgamma(count + _PRIOR)
        + lgamma(n - count + _PRIOR)
        - lgamma(n + 2 * _PRIOR)
        - 2 * lgamma(_PRIOR)
        + lgamma(2 * _PRIOR)
    )
