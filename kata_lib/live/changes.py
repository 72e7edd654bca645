"""What followed a change of the weight: the share since then, and from when on the change can be seen.

A change is seen when the answers since then speak a thousand to one for the new share against the old: the
cumulative sum of log likelihood ratios, not let below zero (E. S. Page, "Continuous inspection schemes",
Biometrika 41, 1954). Where the old share made an answer impossible, one such answer is enough.
"""

from collections import Counter
from dataclasses import dataclass, field
from math import log
from typing import Any

from kata_lib.live.seconds import Answer
from kata_lib.shares import share_of

ENOUGH = log(1000)
POSSIBLE = 1e-4  # for a share of 0 or 1 in the sums: one straggler on the old route does not decide


@dataclass
class Change:
    """One change: `at` is the API server's answer to it (seconds since the beginning), shares are fractions.

    by: "you" for the slider, "elsewhere" for what was found in the cluster. before is None for the first
    weights that were found. seen_ms counts from `at` to the sending of the request whose answer decided.
    """

    number: int
    at: float
    before: float | None
    after: float | None
    by: str
    version: str
    answers: Counter[str] = field(default_factory=Counter)
    failed: int = 0
    seen_ms: float | None = None
    requests: int | None = None
    _evidence: float = 0.0

    def add(self, answer: Answer) -> None:
        """Count an answer to a request that was sent after the change."""
        if answer.sent < self.at:
            return
        if answer.version is None:
            self.failed += 1
            return
        self.answers[answer.version] += 1
        if self.seen_ms is None and self.before is not None and self.after is not None:
            self._evidence = max(0.0, self._evidence + self._weigh(answer.version == self.version))
            if self._evidence >= ENOUGH:
                self.seen_ms = 1000 * (answer.sent - self.at)
                self.requests = self.answers.total()

    def shares(self) -> list[dict[str, Any]]:
        """Return each version's share since the change with its interval, in percent."""
        n = self.answers.total()
        found = [share_of(name, self.answers[name], n) for name in sorted(self.answers)]
        return [
            {
                "version": s.version,
                "count": s.count,
                "share": round(100 * s.share, 1),
                "low": round(100 * s.low, 1),
                "high": round(100 * s.high, 1),
            }
            for s in found
        ]

    def message(self) -> dict[str, Any]:
        """Return what the browser marks."""
        return {
            "number": self.number,
            "at": round(self.at, 3),
            "before": self.before,
            "after": self.after,
            "by": self.by,
            "seen_ms": None if self.seen_ms is None else round(self.seen_ms),
            "requests": self.requests,
        }

    def _weigh(self, hit: bool) -> float:
        assert self.before is not None
        assert self.after is not None
        before, after = (min(max(p, POSSIBLE), 1 - POSSIBLE) for p in (self.before, self.after))
        return log(after / before) if hit else log((1 - after) / (1 - before))
