"""A storm of SIGKILLs: what is lost, how long each recovery takes, how many requests fail meanwhile.

Two clusters are made, each under requests and two writers. At random moments a daemon, a
sidecar, a node's Envoy, an application or a sampler is killed, often another before the first has recovered;
a daemon is brought up again as a person does it, by the engine's start. Then everything is stopped for a
while and goes on, as on a laptop that slept.
"""

import os
import random
import signal
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median

import psutil

from bench.results import Figure
from bench.storm.subject import Subject
from kata_lib.cluster import waiting
from kata_lib.traffic.frames import RequestRecord

CALM, BETWEEN = 0.5, 1.0
"""Seconds: from a recovery to the next kill at most, and between two kills of one recovery."""
TWICE = 0.3
"""The share of recoveries with two kills."""
LIMIT = 120.0  # seconds
POLL = 0.05
SECOND = 1_000_000_000


@dataclass(frozen=True)
class Extent:
    """How many kills, and how long the sleep is (s); the seed says what is killed and when.

    rate: requests/s; what answers nobody is seen where that lasts longer than from one to the next.
    """

    kills: int
    sleep: float
    rate: float
    seed: int = 17


QUICK, FULL = Extent(5, 2.0, 20.0), Extent(100, 60.0, 50.0)


@dataclass(frozen=True)
class Recovery:
    """What was killed, in how many seconds all was well again, and which of the requests failed.

    failed: in the clusters that were hit, until all was well; elsewhere: in the other; late: afterwards.
    """

    killed: tuple[str, ...]
    seconds: float
    asked: int
    failed: int
    elsewhere: int
    late: int

    @property
    def kind(self) -> str:
        """What was killed, of whichever cluster."""
        return self.killed[0].partition(" of ")[0] if len(self.killed) == 1 else "two at once"

    def figure(self, number: int) -> Figure:
        """Return its row in the table."""
        how = f"{self.failed} of {self.asked} requests failed"
        return Figure(f"storm {number}: {', '.join(self.killed)}", self.seconds, "s", how=how)


class Strikes:
    """One kill at once, and perhaps others some time later, wherever the recovery is by then."""

    def __init__(self, subjects: list[Subject], chance: random.Random, count: int) -> None:
        self._subjects, self._chance, self._count = subjects, chance, count
        self._struck: list[tuple[Subject, str]] = []
        self.began = time.time_ns()
        self._strike()
        for _ in range(count - 1):
            threading.Timer(chance.uniform(0, BETWEEN), self._strike).start()

    @property
    def over(self) -> bool:
        """Whether all have struck."""
        return len(self._struck) == self._count

    @property
    def killed(self) -> tuple[str, ...]:
        """What was killed."""
        return tuple(f"{kind} of {subject.name}" for subject, kind in self._struck)

    def hit(self, subject: Subject) -> bool:
        """Return whether something of a cluster was killed."""
        return any(subject is one for one, _ in self._struck)

    def _strike(self) -> None:
        subject = self._chance.choice(self._subjects)
        self._struck.append((subject, subject.strike(self._chance)))


def measure(name: str, extent: Extent, say: Callable[[str], None]) -> Iterator[Figure]:
    """Yield each recovery and what they come to; KataError where a cluster does not recover."""
    chance = random.Random(extent.seed)
    before = _children()
    recoveries: list[Recovery] = []
    with ExitStack() as stack:
        say("storm: two clusters")
        subjects = [Subject(f"{name}-{letter}", extent.rate, stack) for letter in "ab"]
        time.sleep(chance.uniform(0, CALM))
        while left := extent.kills - sum(len(recovery.killed) for recovery in recoveries):
            count = min(left, 1 + (chance.random() < TWICE))
            recoveries.append(_recovery(subjects, chance, count))
            say(f"storm: {', '.join(recoveries[-1].killed)}")
        say(f"storm: {extent.sleep:g} s of sleep")
        sleep = _sleep(subjects, extent.sleep)
        for subject in subjects:
            subject.clients.stop()
            subject.load.end()
    yield from (recovery.figure(number) for number, recovery in enumerate(recoveries, 1))
    yield sleep
    yield from _by_kind(recoveries)
    yield from _never(recoveries)
    yield _kept(subjects)
    yield _left(subjects, before)


def _recovery(subjects: list[Subject], chance: random.Random, count: int) -> Recovery:
    """Kill something, wait until all is well, and let it be so for a moment."""
    for subject in subjects:
        subject.load.taken()
    strikes = Strikes(subjects, chance, count)
    well = _well(subjects, strikes)
    time.sleep(chance.uniform(0, CALM))
    failed = {True: 0, False: 0}
    asked = late = 0
    for subject in subjects:
        records = subject.load.taken()
        meanwhile = [record for record in records if record[0] <= well]
        failed[strikes.hit(subject)] += _failed(meanwhile)
        late += _failed(records) - _failed(meanwhile)
        asked += len(meanwhile)
    seconds = (well - strikes.began) / SECOND
    return Recovery(strikes.killed, seconds, asked, failed[True], failed[False], late)


def _failed(records: list[RequestRecord]) -> int:
    return sum(not 200 <= record.status < 300 for record in records)


def _well(subjects: list[Subject], strikes: Strikes | None = None) -> int:
    """Mend what a person would until all is well; return when that was (ns since 1970)."""

    def missing() -> str:
        if strikes and not strikes.over:
            return "the next kill"
        for subject in subjects:
            subject.mend()
        return "; ".join(why for subject in subjects if (why := subject.missing()))

    waiting.until(missing, LIMIT, None, "The storm left something broken", POLL)
    return time.time_ns()


def _sleep(subjects: list[Subject], seconds: float) -> Figure:
    """Stop everything for some seconds, let it go on, and return how long it takes until all is well."""
    stopped = [process for subject in subjects for process in subject.all_of_it()]
    for process in stopped:
        os.kill(process.pid, signal.SIGSTOP)
    time.sleep(seconds)
    for process in reversed(stopped):
        os.kill(process.pid, signal.SIGCONT)
    began = time.time_ns()
    took = (_well(subjects) - began) / SECOND
    return Figure(f"storm: after {seconds:g} s of sleep", took, "s", how=f"{len(stopped)} processes")


def _by_kind(recoveries: list[Recovery]) -> Iterator[Figure]:
    """Yield the median recovery from each kind of kill."""
    kinds = defaultdict(list)
    for recovery in recoveries:
        kinds[recovery.kind].append(recovery)
    for kind, those in sorted(kinds.items()):
        seconds, failed = [one.seconds for one in those], [one.failed for one in those]
        how = f"median of {len(those)}, slowest {max(seconds):.1f} s"
        how += f"; failed requests: median {median(failed):g}, most {max(failed)}"
        yield Figure(f"storm: {kind}", median(seconds), "s", how=how)


def _never(recoveries: list[Recovery]) -> Iterator[Figure]:
    """Yield how many requests failed where none should."""
    spared = [one.failed for one in recoveries if one.kind in ("daemon", "sampler")]
    how = f"{len(spared)} kills"
    yield Figure("storm: failed, a daemon or sampler killed", sum(spared), "requests", 0, how=how)
    elsewhere = sum(one.elsewhere for one in recoveries)
    yield Figure("storm: failed in the other cluster", elsewhere, "requests", 0)
    yield Figure("storm: failed once all was well", sum(one.late for one in recoveries), "requests", 0)


def _kept(subjects: list[Subject]) -> Figure:
    """Return how many promises of the APIs were broken."""
    broken = [why for subject in subjects for why in subject.clients.broken]
    acknowledged = sum(subject.clients.acknowledged for subject in subjects)
    how = f"of {acknowledged:,} writes and events; {'; '.join(broken[:3])}".removesuffix("; ")
    return Figure("storm: lost, or counted backwards", len(broken), "promises", 0, how=how)


def _children() -> set[int]:
    return {child.pid for child in psutil.Process().children(recursive=True)}


def _left(subjects: list[Subject], before: set[int]) -> Figure:
    """Return how many processes outlive the clusters, of their own and of the benchmark's."""
    pids = {process.pid for subject in subjects for process in subject.all_of_it()} | (_children() - before)
    how = ", ".join(psutil.Process(pid).name() for pid in pids)
    return Figure("storm: left behind", len(pids), "processes", 0, how=how)
