"""What followed a change of the weights: the shares since then, and from when on the change can be seen.

A change is seen when the answers since then are enough evidence that the old shares are no longer in force
(kata_lib/statistics/change.py). Where nothing changed in the mesh, at most one change in a thousand is marked
as seen, however long it is watched.
"""

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Literal

from kata_lib.lab.live.protocol import LabChange, VersionShare
from kata_lib.lab.live.seconds import Answer
from kata_lib.statistics.change import ENOUGH, ChangeTest, Outcome, Shares, Steady
from kata_lib.statistics.confidence_sequence import confidence_sequence
from kata_lib.statistics.shares import in_percent
from kata_lib.traffic.frames import UNKNOWN

REMEMBERED = 8
"""How many shares that may still be in force a change keeps in mind."""

LATENCIES = 1000
"""Answers whose greatest latency tells how long an earlier request may still be under way."""


@dataclass
class Change:
    """One change: `at` is the API server's answer to it, in seconds since the beginning.

    by: "you" for the slider, "elsewhere" for what was found in the cluster. before and after: the shares
    asked for, None where no rule asks; before also for what was found first. seen_ms counts from
    `at` to the sending of the request whose answer decided, requests up to that one, failures among them.
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
    _old: tuple[Shares, ...] = ()
    _steady: Steady | None = None
    _test: ChangeTest | None = None
    _weighed: int = 0

    def then(self, at: float, after: Shares | None, by: Literal["you", "elsewhere"]) -> "Change":
        """Return the change that follows this one.

        Until this one was seen, the shares before it may still be in force. Where those are the ones that are
        asked for again, the change is seen once no others are.
        """
        following = Change(self.number + 1, at, self.after, after, by)
        if self.after is not None and after is not None:
            old = (*self._old, self.after) if self._test else (self.after,)
            following._old = tuple(shares for shares in old if shares != after)[-REMEMBERED:]
            following._test = ChangeTest(following._old, after, self._steady or Steady(self.after))
        return following

    def count(self, answer: Answer) -> None:
        """Count an answer to a request that was sent after the change."""
        if answer.sent < self.at:
            return
        if answer.failed:
            self.failed += 1
        else:
            self.answers[answer.version] += 1

    def weigh(self, answer: Answer) -> None:
        """Take an answer as evidence; they come in the order in which their requests were sent."""
        if answer.sent < self.at or self.after is None:
            return
        self._weighed += 1
        if self._test is None:
            self._steady = self._steady or Steady(self.after)
            self._steady.add(_outcome(answer))
            return
        self._test.add(_outcome(answer))
        if self._test.evidence >= ENOUGH:
            self._test = None
            self.seen_ms = 1000 * (answer.sent - self.at)
            self.requests = self._weighed

    def shares(self) -> list[VersionShare]:
        """Return each version's share since the change with its confidence sequence, in percent."""
        versions = sorted({*self.answers, *(self.after or {})})
        return [self._share(version) for version in versions]

    def _share(self, version: str) -> VersionShare:
        count, n = self.answers[version], self.answers.total()
        low, high = confidence_sequence(count, n)
        return VersionShare(
            version=version,
            count=count,
            share=in_percent(count / n) if n else None,
            low=in_percent(low),
            high=in_percent(high),
        )

    def message(self) -> LabChange:
        """Return what the browser marks; shares in percent."""
        seen = None if self.seen_ms is None else round(self.seen_ms)
        return LabChange(
            number=self.number,
            at=round(self.at, 3),
            before=None if self.before is None else each_in_percent(self.before),
            after=None if self.after is None else each_in_percent(self.after),
            mark=None if self.number == 0 else "…" if seen is None else f"{seen} ms",
            by=self.by,
            seen_ms=seen,
            requests=self.requests,
        )


def each_in_percent(shares: Shares) -> dict[str, float]:
    """Return shares in percent, as the browser shows them."""
    return {name: in_percent(share) for name, share in shares.items()}


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


class InOrder:
    """Puts answers in the order in which their requests were sent.

    The answers of a slow version come late. Taken as they come, they would be missing among the first ones
    after a change, as if that version had a smaller share. So an answer waits until the requests before it
    must have ended: for the greatest latency of late.
    """

    def __init__(self) -> None:
        self._held: list[tuple[float, int, Answer]] = []
        self._latencies: deque[float] = deque(maxlen=LATENCIES)
        self._ended = 0.0
        self._number = 0

    def take(self, answers: Iterable[Answer]) -> list[Answer]:
        """Hold answers, which come in the order of their ends, and return those that need not wait longer."""
        for answer in answers:
            seconds = answer.latency_ms / 1000
            self._latencies.append(seconds)
            self._ended = max(self._ended, answer.sent + seconds)
            self._number += 1
            heappush(self._held, (answer.sent, self._number, answer))
        longest = max(self._latencies, default=0.0)
        ready = []
        while self._held and self._held[0][0] + longest <= self._ended:
            ready.append(heappop(self._held)[2])
        return ready


def _outcome(answer: Answer) -> Outcome:
    return None if answer.failed or answer.version == UNKNOWN else answer.version
