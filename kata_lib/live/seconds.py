"""Answers counted by the second: the sampler's records go in, the last minute's shares come out."""

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from kata_lib.shares import wilson
from kata_lib.traffic.frames import Record, version_of

MINUTE = 60
RECENT = 10.0  # seconds that rate and latencies speak of


@dataclass(frozen=True, slots=True)
class Answer:
    """One request's end: when it was sent (seconds since the beginning), by whom answered, how fast (ms)."""

    sent: float
    version: str | None
    latency_ms: float
    text: str


@dataclass
class Second:
    """The requests that were sent within one second."""

    answers: Counter[str] = field(default_factory=Counter)
    failed: int = 0

    def row(self, number: int, version: str) -> list[float | None]:
        """Return number, share, low, high in percent, answers, and failures in percent of all requests."""
        count, n = self.answers[version], self.answers.total()
        failed = _percent(self.failed / (n + self.failed)) if self.failed else 0
        if n == 0:
            return [number, None, None, None, 0, failed]
        low, high = wilson(count, n)
        return [number, _percent(count / n), _percent(low), _percent(high), n, failed]


def answers_of(records: Iterable[Record], start_ns: int) -> list[Answer]:
    """Return the sampler's records with times since `start_ns`; a failure has no version."""
    return [
        Answer((sent - start_ns) / 1e9, version_of(text) if 200 <= status < 300 else None, latency, text)
        for sent, latency, status, text in records
    ]


class Minute:
    """The last minute by the second, and which seconds have news."""

    def __init__(self, version: str) -> None:
        self._version = version
        self._seconds: dict[int, Second] = {}
        self._news: set[int] = set()
        self._recent: deque[Answer] = deque()
        self.last: deque[Answer] = deque(maxlen=4)

    def add(self, answers: Iterable[Answer], now: float) -> None:
        """Count answers, and forget what is older than a minute; now: seconds since the beginning."""
        for answer in answers:
            number = int(answer.sent)
            second = self._seconds.setdefault(number, Second())
            if answer.version is None:
                second.failed += 1
            else:
                second.answers[answer.version] += 1
            self._news.add(number)
            self._recent.append(answer)
            self.last.append(answer)
        for number in [n for n in self._seconds if n < now - MINUTE - 1]:
            del self._seconds[number]
            self._news.discard(number)
        while self._recent and self._recent[0].sent < now - RECENT:
            self._recent.popleft()

    def rows(self, *, everything: bool) -> list[list[float | None]]:
        """Return the rows of the seconds that changed since the last call, or of all."""
        numbers = sorted(self._seconds if everything else self._news)
        self._news.clear()
        return [self._seconds[number].row(number, self._version) for number in numbers]

    def recent(self, now: float) -> dict[str, Any]:
        """Return requests a second, failures, and p50 and p95 (ms) of each version over ten seconds."""
        latencies: dict[str, list[float]] = {}
        for answer in self._recent:
            if answer.version is not None:
                latencies.setdefault(answer.version, []).append(answer.latency_ms)
        answered = sum(map(len, latencies.values()))
        span = min(RECENT, max(1.0, now - self._recent[0].sent)) if self._recent else 1.0
        return {
            "rate": round(len(self._recent) / span, 1),
            "failed": len(self._recent) - answered,
            "latencies": {name: percentiles(values) for name, values in sorted(latencies.items())},
        }


def percentiles(values: list[float]) -> list[float]:
    """Return the 50th and 95th percentile by nearest rank."""
    ordered = sorted(values)
    return [round(ordered[max(0, -(-len(ordered) * part // 100) - 1)], 1) for part in (50, 95)]


def _percent(fraction: float) -> float:
    return round(100 * fraction, 2)
