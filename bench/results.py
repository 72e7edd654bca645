"""A figure beside its goal, and the percentiles of which figures are made."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import quantiles
from typing import Literal


@dataclass(frozen=True)
class Figure:
    """One measured number. goal: what it must reach, at most or at least; None where it only informs."""

    what: str
    value: float
    unit: str
    goal: float | None = None
    direction: Literal["at most", "at least"] = "at most"
    how: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached; None without a goal."""
        if self.goal is None:
            return None
        return self.value <= self.goal if self.direction == "at most" else self.value >= self.goal


def percentile(values: Sequence[float], percent: int) -> float:
    """Return a percentile by linear interpolation, the smallest and largest value being 0 and 100."""
    if len(values) == 1:
        return values[0]
    return quantiles(values, n=100, method="inclusive")[percent - 1]
