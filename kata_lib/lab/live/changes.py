"""What followed a change of the weights: the shares since then, and from when on the change can be seen.

A change is seen when the answers since then speak a thousand to one for the new shares against the old: the
cumulative sum of log likelihood ratios, not let below zero (E. S. Page, "Continuous inspection schemes",
Biometrika 41, 1954). Where the old shares made an answer impossible, one such answer is enough.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import log
from typing import Literal

from kata_lib.lab.live.protocol import LabChange, VersionShare
from kata_lib.lab.live.seconds import Answer
from kata_lib.statistics.shares import share_of

ENOUGH = log(1000)
POSSIBLE = 1e-4  # for a share of 0 or 1 in the sums: one straggler on the old route does not decide

Shares = Mapping[str, float]
"""A fraction for each version."""


@dataclass
class Change:
    """One change: `at` is the API server's answer to it, in seconds since the beginning.

    by: "you" for the slider, "elsewhere" for what was found in the cluster. before and after: the shares
    asked for, None where no VirtualService asks; before also for what was found first. seen_ms counts from
    `at` to the sending of the request whose answer decided.
    """

    number: int
    at: float
    before: Shares | None
    after: Shares | None
    by: Literal["you", "elsewhere"]
    answers: Counter[str] = field(default_factory=Counter)
    failed: int = 0
    seen_ms: float | None = None
    requests: int | None = None
    _evidence: float = 0.0

    def add(self, answer: Answer) -> None:
        """Count an answer to a request that was sent after the change."""
        if answer.sent < self.at:
            return
        if answer.failed:
            self.failed += 1
            return
        self.answers[answer.version] += 1
        if self.seen_ms is None and self.before is not None and self.after is not None:
            ratio = _possible(self.after, answer.version) / _possible(self.before, answer.version)
            self._evidence = max(0.0, self._evidence + log(ratio))
            if self._evidence >= ENOUGH:
                self.seen_ms = 1000 * (answer.sent - self.at)
                self.requests = self.answers.total()

    def shares(self) -> list[VersionShare]:
        """Return each version's share since the change with its interval, in percent."""
        n = self.answers.total()
        versions = sorted({*self.answers, *(self.after or {})})
        found = [share_of(version, self.answers[version], n) for version in versions]
        return [
            VersionShare(
                version=s.version,
                count=s.count,
                share=round(100 * s.share, 1) if n else None,
                low=round(100 * s.low, 1),
                high=round(100 * s.high, 1),
            )
            for s in found
        ]

    def message(self) -> LabChange:
        """Return what the browser marks; shares in percent."""
        seen = None if self.seen_ms is None else round(self.seen_ms)
        return LabChange(
            number=self.number,
            at=round(self.at, 3),
            before=None if self.before is None else in_percent(self.before),
            after=None if self.after is None else in_percent(self.after),
            mark=None if self.number == 0 else "…" if seen is None else f"{seen} ms",
            by=self.by,
            seen_ms=seen,
            requests=self.requests,
        )


def in_percent(shares: Shares) -> dict[str, float]:
    """Return shares in percent, as the browser shows them."""
    return {name: round(100 * share, 1) for name, share in shares.items()}


def words(shares: Shares | None) -> str:
    """Say what was asked for: of two versions the newer one's share, of more all."""
    if shares is None:
        return "no weights"
    named = {name: f"{100 * share:.3g} %" for name, share in shares.items()}
    if len(named) <= 2:
        return named[newest(shares)]
    return ", ".join(f"{name} {share}" for name, share in named.items())


def newest(shares: Shares) -> str:
    """Return the last version, which is the one that is being released."""
    return max(shares)


def _possible(shares: Shares, version: str) -> float:
    return min(max(shares.get(version, 0.0), POSSIBLE), 1 - POSSIBLE)
