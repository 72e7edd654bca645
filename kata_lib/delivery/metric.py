"""What an analysis asks of the metrics: each is a share of good requests, with two conditions.

success-rate    the share that did not fail, which is with a 5xx, or without an answer
latency         the share of those that did not fail that was answered `within` a time: at 0.95 that time is
                the 95 % quantile
"""

import re
from dataclasses import dataclass
from typing import Any

from kata_lib.delivery.fields import choice, duration, fields, number
from kata_lib.errors import ReleaseError

SUCCESS_RATE, LATENCY = "success-rate", "latency"
_CONDITION = re.compile(r"result\s*(>=|<)\s*(\d*\.?\d+)")


@dataclass(frozen=True)
class Metric:
    """healthy, faulty: shares of bad requests, up to which all is well, and from which on it is not.

    within: milliseconds, for latency. odds: how many times stable's odds of a bad request are held against
    the canary, None for as many times as faulty's are healthy's.
    """

    name: str
    healthy: float
    faulty: float
    within: int | None = None
    odds: float | None = None

    @property
    def bad(self) -> str:
        """What a bad request did, for sentences."""
        return "failed" if self.within is None else f"took longer than {self.within} ms"


def parse_metrics(given: Any) -> tuple[Metric, ...]:
    """Return the metrics of a plan's analysis; one of each name."""
    if not isinstance(given, list) or not given:
        raise ReleaseError(f"Expected a list of metrics in analysis.metrics, found {given!r}.")
    metrics = tuple(_metric(entry) for entry in given)
    names = [metric.name for metric in metrics]
    if len(set(names)) < len(names):
        raise ReleaseError(f"A metric stands once in analysis.metrics; found {', '.join(names)}.")
    return metrics


def _metric(given: Any) -> Metric:
    needed = ("name", "successCondition", "failureCondition")
    found = fields(given, "a metric", needed, ("within", "oddsAgainstStable"))
    name = choice(found["name"], "a metric's name", (SUCCESS_RATE, LATENCY))
    if (name == LATENCY) != ("within" in found):
        raise ReleaseError("The metric latency needs `within`, such as 100ms; success-rate has none.")
    good = _condition(found["successCondition"], f"{name}: successCondition", ">=")
    bad = _condition(found["failureCondition"], f"{name}: failureCondition", "<")
    if not bad < good:
        raise ReleaseError(
            f"{name}: the failureCondition's number must be below the successCondition's: between "
            f"{bad:g} and {good:g} nothing can be told apart."
        )
    odds = None
    if "oddsAgainstStable" in found:
        odds = number(found["oddsAgainstStable"], f"{name}: oddsAgainstStable")
        if odds <= 1:
            raise ReleaseError(f"{name}: oddsAgainstStable must be above 1, not {odds:g}.")
    within = round(1000 * duration(found["within"], f"{name}: within")) if name == LATENCY else None
    return Metric(name, round(1 - good, 12), round(1 - bad, 12), within, odds)


def _condition(written: Any, what: str, comparison: str) -> float:
    found = _CONDITION.fullmatch(str(written).strip())
    share = float(found[2]) if found else 0.0
    if not found or found[1] != comparison or not 0 < share < 1:
        raise ReleaseError(f"Expected {what} such as `result {comparison} 0.95`, found {written!r}.")
    return share
