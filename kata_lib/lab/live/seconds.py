"""Answers counted by the second: the sampler's records go in, the last minute's shares come out."""

from collections import Counter, defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from kata_lib.course.application import mark_in, version_of
from kata_lib.lab.live.protocol import Latency, Recent, Second, VersionSecond
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
    """The requests that were sent within one second: each version's latencies (ms) and failures."""

    latencies: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    failures: Counter[str] = field(default_factory=Counter)

    def add(self, answer: Answer) -> None:
        """Count a request."""
        if answer.failed:
            self.failures[answer.version] += 1
        else:
            self.latencies[answer.version].append(answer.latency_ms)

    def row(self, second: int, versions: Iterable[str]) -> Second:
        """Return what the picture shows of it; versions: those that have a share."""
        answers, failed = sum(map(len, self.latencies.values())), self.failures.total()
        known = {version: self._version(version, answers) for version in versions}
        if nobodys := self.failures[UNKNOWN]:
            known[UNKNOWN] = nobody(nobodys, answers + failed)
        share = in_percent(failed / (answers + failed)) if failed else 0
        return Second(second, answers, share, known)

    def _version(self, version: str, answers: int) -> VersionSecond:
        latencies, failed = self.latencies.get(version, []), self.failures[version]
        requests = failed + len(latencies)
        return VersionSecond(
            *share_interval(len(latencies), answers),
            in_percent(failed / requests) if requests else 0,
            *percentiles(latencies),
        )


def nobody(failed: int, requests: int) -> VersionSecond:
    """Return a second's failures that name no version."""
    return VersionSecond(None, None, None, in_percent(failed / requests), None, None)


def share_interval(count: int, n: int) -> tuple[float | None, float | None, float | None]:
    """Return a share with the ends of its 95 % interval, in per cent; None of nothing."""
    if not n:
        return None, None, None
    low, high = wilson(count, n)
    return in_percent(count / n), in_percent(low), in_percent(high)


def answers_of(records: Iterable[RequestRecord], start_ns: int) -> list[Answer]:
    """Return the sampler's records with times since `start_ns`."""
    return [_answer(record, start_ns) for record in records]


def _answer(record: RequestRecord, start_ns: int) -> Answer:
    sent, latency, status, text, _ = record
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
            self._seconds.setdefault(number, Counts()).add(answer)
            if answer.version != UNKNOWN or not answer.failed:
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
