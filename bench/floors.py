"""The cluster beside its floor: the same Envoys and applications, started by hand with all they need."""

import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import mean, median
from typing import NamedTuple

from bench import by_hand, costs, effects, memory, start, throughput, weights
from bench.by_hand import Program
from bench.changes import CANARY
from bench.memory import megabytes
from bench.results import Figure
from kata_lib.course import application, service
from kata_lib.engines.base import Engine

RATE = 20.0
SETTLE_SECONDS = 2.0
COST_SECONDS = 20.0
Costs = Mapping[str, float]
"""Processors in use by part: 1 is a core."""


class Seen(NamedTuple):
    """What is measured of both. seconds: of each start. rates: requests a second of the whole chain.

    pod: megabytes. idle, work: without requests, and with RATE a second.
    """

    seconds: Sequence[float]
    rates: Sequence[float]
    pod: float
    idle: Costs
    work: Costs


def measure(engine: Engine, times: int, seconds: int, changes: int) -> Iterator[Figure]:
    """Measure the cluster, then its floors. The engine is stopped afterwards. Linux only.

    times: how often each is started. seconds: how long each chain is asked. changes: of weights.
    """
    begun, cluster = start.anew(engine, times)
    url, home = cluster.url("sentences"), engine.folder.path
    cluster.apply(CANARY)
    service.set_weights(cluster, {"name-v1": 100})
    ours = Seen(
        begun,
        [_rate(url, seconds) for _ in range(times)],
        memory.measure(home)[0].value,
        *_costs(memory.parts(home), url),
    )
    effect = effects.of(weights.of_mesh(cluster), changes)
    programs = by_hand.noted(home)
    engine.stop()
    yield from _beside(ours, _by_hand(programs, url, times, seconds), len(programs))
    bare = [by_hand.bare(program) for program in programs]
    yield _chain("bare Envoys", ours.rates, _rates(bare, url, times, seconds))
    for by in effects.WAYS:
        yield effects.beside(effect, effects.floor(programs, url, by, changes), by)


def _beside(ours: Seen, hand: Seen, programs: int) -> Iterator[Figure]:
    begun, floor = median(ours.seconds), median(hand.seconds)
    many = f"median of {len(ours.seconds)}, {programs} programs: {begun:.2f} s and {floor:.2f} s"
    yield Figure("start beside by hand", begun / floor, "times", 1.5, how=many)
    yield _chain("by hand", ours.rates, hand.rates, goal=0.95)
    held = f"{ours.pod:.1f} MB and {hand.pod:.1f} MB"
    yield Figure("memory of a pod beside by hand", ours.pod / hand.pod, "times", 1.3, how=held)
    yield cost("idle", ours.idle, hand.idle)
    yield cost(f"{RATE:g} requests/s", ours.work, hand.work)


def _chain(what: str, ours: Sequence[float], theirs: Sequence[float], goal: float | None = None) -> Figure:
    client = "wrk" if shutil.which("wrk") else "the sampler"
    asked = f"{median(ours):.0f} and {median(theirs):.0f} requests/s, by {client}"
    return Figure(f"chain beside {what}", median(ours) / median(theirs), "times", goal, "at least", asked)


def cost(what: str, ours: Costs, hand: Costs) -> Figure:
    """Return the processor time of both, and of each part of them."""
    parts = [f"{part} {100 * ours[part]:.2f} and {100 * hand.get(part, 0):.2f}" for part in ours]
    times = sum(ours.values()) / sum(hand.values())
    return Figure(f"{what} beside by hand", times, "times", how=f"% of a core: {', '.join(parts)}")


def _costs(parts: Mapping[int, str], url: str) -> tuple[Costs, Costs]:
    """Return what processes cost without requests and with RATE a second, from the part of each."""
    time.sleep(SETTLE_SECONDS)
    idle = costs.by_part(parts, COST_SECONDS)
    with application.Sampler(url, RATE):
        return idle, costs.by_part(parts, COST_SECONDS)


def _by_hand(programs: Sequence[Program], url: str, times: int, seconds: int) -> Seen:
    """Start programs several times; the last time they are also weighed."""
    begun, rates = [], []
    for number in range(times):
        began = time.perf_counter()
        with _started(programs, url) as parts:
            begun.append(time.perf_counter() - began)
            rates.append(_rate(url, seconds))
            if number == times - 1:
                return Seen(begun, rates, _pod(parts), *_costs(parts, url))
    raise ValueError("Expected at least one start.")


def _rates(programs: Sequence[Program], url: str, times: int, seconds: int) -> list[float]:
    found = []
    for _ in range(times):
        with _started(programs, url):
            found.append(_rate(url, seconds))
    return found


@contextmanager
def _started(programs: Sequence[Program], url: str) -> Iterator[Mapping[int, str]]:
    """Yield the part of each process id of programs that are started by hand."""
    with (
        tempfile.TemporaryDirectory(prefix="kata-hand-", dir="/tmp") as folder,
        by_hand.started(programs, url, Path(folder)) as running,
    ):
        yield {process.pid: one.part for process, one in zip(running, programs, strict=True)}


def _pod(parts: Mapping[int, str]) -> float:
    """Return the megabytes of a sidecar and an application, each the mean of all."""
    return sum(
        mean(megabytes(pid) for pid, part in parts.items() if part == of) for of in ("sidecar", "application")
    )


def _rate(url: str, seconds: int) -> float:
    client = throughput.by_wrk if shutil.which("wrk") else throughput.by_sampler
    return client(url, seconds, "keep-alive")
