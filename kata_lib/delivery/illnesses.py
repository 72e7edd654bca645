"""What is wrong with a simulated canary, where that is more than a share of bad requests.

Each is a function of time and of what the canary is asked: the share of its requests that is bad, 0 to 1, in
each of so many releases between two looks. In common_troubles.py are those that both versions have.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Shares = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
Asked = Callable[[float, float, Counts], Shares]
"""From seconds since the canary's first request until the next look, and its requests of that time."""


class Illness(Protocol):
    """What the canary has, and stable has not."""

    def begin(self, releases: int) -> Asked:
        """Return it for so many releases."""


@dataclass(frozen=True)
class Late:
    """This share of the requests is bad, but only from so many seconds after the first one on."""

    share: float
    seconds: float

    def begin(self, releases: int) -> Asked:
        """Return it for so many releases, at the same time in all."""

        def asked(since: float, until: float, requests: Counts) -> Shares:
            part = np.clip((until - self.seconds) / max(until - since, 1e-9), 0.0, 1.0)
            return np.full(releases, self.share * part)

        return asked


@dataclass(frozen=True)
class Crowded:
    """Requests are answered one at a time, each in `each` seconds; bad are those that wait for `slow`.

    The work that waits rises by what arrives and falls as time passes: a queue without the chance that is in
    the moments of arrival, which below nine tenths of the capacity adds no more than some tens of
    milliseconds.
    """

    each: float
    slow: float

    def begin(self, releases: int) -> Asked:
        """Return it for so many releases, each with a queue of its own."""
        waiting = np.zeros(releases)

        def asked(since: float, until: float, requests: Counts) -> Shares:
            before = waiting.copy()
            waiting[:] = np.maximum(0.0, waiting + requests * self.each - (until - since))
            return np.where((before + waiting) / 2 > self.slow, 1.0, 0.0)

        return asked
