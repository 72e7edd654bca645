"""Three standards of proof, compared: what each is for, how often it errs, and what it costs in requests.

A 95 % interval is for one look at one sample. A 95 % confidence sequence is for what is looked at all the
time. A check errs less than once in a million. The probabilities below are exact: each count that an interval
has not excluded carries its probability on, answer by answer.
"""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

from kata_lib.statistics.confidence_sequence import confidence_sequence
from kata_lib.statistics.shares import at_least, percent, requests_needed, wilson

if TYPE_CHECKING:
    import pandas as pd

Interval = Callable[[int, int], tuple[float, float]]
"""From a count and a number of answers to the interval of a share."""

SURE = 0.95
WATCHED = 1000
"""The number of answers after which each standard's error under watching is told."""


def exclusions(interval: Interval, share: float, true: float) -> Iterator[float]:
    """Yield for 1, 2, 3... answers the probability that an interval has excluded `share` by then.

    It is looked at after each answer; `true` is the true share. With both the same this is how often a
    watched interval has missed.
    """
    chances, lowest, excluded, n = [1.0], 0, 0.0, 0

    def outside(count: int) -> bool:
        low, high = interval(count, n)
        return not low <= share <= high

    while chances:
        n += 1
        chances = [
            without * (1 - true) + with_one * true
            for without, with_one in zip([*chances, 0.0], [0.0, *chances], strict=True)
        ]
        while chances and outside(lowest):
            excluded += chances.pop(0)
            lowest += 1
        while chances and outside(lowest + len(chances) - 1):
            excluded += chances.pop()
        yield excluded
    while True:
        yield 1.0


def requests_at_one_look(share: float, true: float, sure: float = SURE) -> int:
    """Return how many answers it takes until one 95 % interval excludes `share` this surely."""
    n = 1
    while _excluded_at(n, share, true) < sure:
        n += 1
    return n


def requests_under_watch(share: float, true: float, sure: float = SURE) -> int:
    """Return after how many answers a watched confidence sequence has excluded `share` this surely."""
    return next(
        n for n, chance in enumerate(exclusions(confidence_sequence, share, true), 1) if chance >= sure
    )


def errors_under_watch(interval: Interval, share: float, requests: int = WATCHED) -> float:
    """Return the probability that an interval, watched for so many answers, ever excludes the true share."""
    return next(islice(exclusions(interval, share, share), requests - 1, None))


def compare(share: float = 0.1, true: float = 0.2) -> "pd.DataFrame":
    """Return a row for each standard: its use, its error, and the requests that tell `true` from `share`.

    An interval has excluded `share` by then in 95 of 100 samples; the check has decided in every one.
    """
    import pandas as pd

    tells = f"requests to tell {percent(true)} from {percent(share)}"
    watched = f"wrong at some time, watched for {WATCHED:,} answers"
    rows = {
        "95 % interval": {
            "for": "one look at one sample",
            "wrong": "1 in 20 looks",
            watched: percent(errors_under_watch(wilson, share)),
            tells: requests_at_one_look(share, true),
        },
        "95 % confidence sequence": {
            "for": "what is watched",
            "wrong": "1 in 20 samples, looked at for ever",
            watched: percent(errors_under_watch(confidence_sequence, share)),
            tells: requests_under_watch(share, true),
        },
        "check": {
            "for": "a verdict on one sample",
            "wrong": "1 in 1,000,000 samples",
            watched: "not to be watched",
            tells: requests_needed(true, share),
        },
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def _excluded_at(n: int, share: float, true: float) -> float:
    """Return the probability that the 95 % interval of `n` answers leaves `share` for the true one's side."""
    if true < share:
        share, true = 1 - share, 1 - true
    fewest = next((count for count in range(n + 1) if wilson(count, n)[0] > share), n + 1)
    return at_least(fewest, n, true)
