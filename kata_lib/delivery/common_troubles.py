"""Troubles that both versions of a simulated release have: what both call is out, or gets worse and better.

Each is a function of time once it has begun: the share of requests that is bad because of it, 0 to 1, in each
of so many releases between two looks.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Shares = npt.NDArray[np.float64]
Between = Callable[[float, float], Shares]
"""From the time of a look until that of the next, in seconds, one share a release."""


class Trouble(Protocol):
    """What both versions have."""

    def begin(self, generator: np.random.Generator, releases: int) -> Between:
        """Return it for so many releases, each with a chance of its own."""


@dataclass(frozen=True)
class Outages:
    """Outages of so many seconds, in which this share of the requests is bad; from the end of one to the next
    it takes `every` seconds on average, and the moment is any.
    """

    seconds: float
    share: float = 1.0
    every: float = 20.0

    def begin(self, generator: np.random.Generator, releases: int) -> Between:
        """Return them for so many releases, each with moments of its own."""
        begins = generator.exponential(self.every, releases)

        def between(since: float, until: float) -> Shares:
            over = begins + self.seconds < since
            begins[over] += self.seconds + generator.exponential(self.every, int(over.sum()))
            inside = np.minimum(begins + self.seconds, until) - np.maximum(begins, since)
            return self.share * np.clip(inside / max(until - since, 1e-9), 0.0, 1.0)

        return between


@dataclass(frozen=True)
class Drift:
    """A share that goes from 0 up to the greatest and back, in `period` seconds, again and again."""

    greatest: float
    period: float = 20.0

    def begin(self, generator: np.random.Generator, releases: int) -> Between:
        """Return it for so many releases, at the same time in all."""

        def between(since: float, until: float) -> Shares:
            height = (1 - np.cos(2 * np.pi * until / self.period)) / 2
            return np.full(releases, self.greatest * height)

        return between
