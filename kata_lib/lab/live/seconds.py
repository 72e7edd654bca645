"""Answers counted by the second: the sampler's records go in, the last minute's shares come out."""

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from kata_lib.course.application import mark_in, version_of
from kata_lib.lab.live.protocol import Interval, Latency, Recent, Second
from kata_lib.lab.live.settings import MINUTE
from kata_lib.statistics.shares import in_percent, wilson
from kata_lib.traffic.frames import UNKNOWN, RequestRecord

RECENT = 10.0  # seconds that rate, latencies and failures speak of


@dataclass(frozen=True, slots=True)
class Answer:
    """One request's end: when it was sent (seconds since the beginning), its version, how fast (ms).

    The version of a failure is the one that its words name, UNKNOWN where they name none.
    """

    sent: float
    version: str
    failed: bool
    latency_ms: float
    text: str


@dataclass
class Counts:
    """The requests that were sent within one second."""

    answers: Counter[str] = field(default_factory=Counter)
    failed: int = 0

    def row(self, second: int, versions: Iterable[str]) -> Second:
        """Return what the picture shows of it; versions: those that have a share."""
        n = self.answers.total()
        failed = in_percent(self.failed / (n + self.failed)) if self.failed else 0
        return Second(
            second, n, failed, {version: self._share(version, n) for version in versions} if n else {}
        )

    def _share(self, version: str, n: int) -> Interval:
        low, high = wilson(self.answers[version], n)
        return in_percent(self.answers[version] / n), in_percent(low), in_percent(high)


def answers_of(records: Iterable[RequestRecord], start_ns: int) -> list[Answer]:
    """Return the sampler's records with times since `start_ns`."""
    return [_answer(record, start_ns) for record in records]


def _answer(record: RequestRecord, start_ns: int) -> Answer:
    sent, latency, status, text = record
    failed = not 200 <= status < 300
    version = (mark_in(text) if failed else version_of(text)) or UNKNOWN
    return Answer((sent - start_ns) / 1e9, version, failed, latency, text)


class Minute:
    """The last minute by the second, and which seconds have news."""

    def __init__(self) -> None:
        self.last: deque[Answer] = deque(maxlen=4)
        self._versions: set[str] = set()
        self._seconds: dict[int, Counts] = {}
        self._news: set[int] = set()
        self._recent: deque[Answer] = deque()

    def know(self, versions: Iterable[str]) -> None:
        """Note versions that requests may go to: without an answer their share is zero."""
        self._versions.update(versions)

    def add(self, answers: Iterable[Answer], now: float) -> None:
        """Count answers, and forget what is older than a minute; now: seconds since the beginning."""
        for answer in answers:
            number = int(answer.sent)
            second = self._seconds.setdefault(number, Counts())
            if answer.failed:
                second.failed += 1
            else:
                second.answers[answer.version] += 1
                self._versions.add(answer.version)
            self._news.add(number)
            self._recent.append(answer)
            self.last.append(answer)
        for number in [n for n in self._seconds if n < now - MINUTE - 1]:
            del self._seconds[number]
            self._news.discard(number)
        while self._recent and self._recent[0].sent < now - RECENT:
            self._recent.popleft()

    def rows(self, *, everything: bool) -> list[Second]:
        """Return the rows of the seconds that changed since the last call, or of all."""
        numbers = sorted(self._seconds if everything else self._news)
        self._news.clear()
        versions = sorted(self._versions)
        return [self._seconds[number].row(number, versions) for number in numbers]

    def recent(self, now: float) -> Recent:
        """Return what the last ten seconds say."""
        latencies: dict[str, list[float]] = {}
        failures: Counter[str] = Counter()
        for answer in self._recent:
            if answer.failed:
                failures[answer.version] += 1
            else:
                latencies.setdefault(answer.version, []).append(answer.latency_ms)
        span = min(RECENT, max(1.0, now - self._recent[0].sent)) if self._recent else 1.0
        return Recent(
            rate=round(len(self._recent) / span, 1),
            failed=failures.total(),
            versions={
                version: Latency(*percentiles(latencies.get(version, [])), failed=failures[version])
                for version in sorted({*latencies, *failures})
            },
        )


def percentiles(values: list[float]) -> tuple[float | None, float | None]:
    """Return the 50th and 95th percentile by nearest rank, None of nothing."""
    ordered = sorted(values)
    if not ordered:
        return None, None
    p50, p95 = (round(ordered[max(0, -(-len(ordered) * part // 100) - 1)], 1) for part in (50, 95))
    return p50, p95
