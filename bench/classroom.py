"""A class on one machine: a cluster for each learner, all with traffic, and what a change then takes."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import psutil

from bench import start, weights
from bench.changes import CANARY
from bench.results import Figure, percentile
from kata_lib import engines
from kata_lib.cluster.cluster import Cluster
from kata_lib.course import application, service
from kata_lib.course.application import APPLICATION

RATE = 20.0
LOAD_SECONDS = 10.0
ROUNDS = 2  # each: to version 2 and back
LATER = 3  # requests after each change, which show that it stays
LIMIT_SECONDS = 120.0  # for all changes: a machine that is too small for the class still comes to an end


def measure(learners: int, say: Callable[[str], None]) -> list[Figure]:
    """Start a cluster for each learner, and let one after the other change weights while all have traffic."""
    with ExitStack() as stack:
        clusters = [stack.enter_context(_learner(number, say)) for number in range(learners)]
        say(f"{learners} learners with {RATE:g} requests/s each")
        samplers = [stack.enter_context(application.Sampler(c.url("sentences"), RATE)) for c in clusters]
        busy = _busy(LOAD_SECONDS)
        effects = list(_effects(clusters))
        for sampler in samplers:
            sampler.stop()
        frames = [sampler.frame() for sampler in samplers]
    requests = sum(len(frame) for frame in frames)
    seconds = max((f["time"].max() - f["time"].min()).total_seconds() for f in frames)
    failed = sum(int((frame["status"] != 200).sum()) for frame in frames)
    rate = requests / seconds
    how = f"{learners} clusters, {len(effects)} changes"
    return [
        Figure("class: weight to effect, p50", percentile(effects, 50), "ms", how=how),
        Figure("class: weight to effect, p95", percentile(effects, 95), "ms", 100),
        Figure("class: failed requests", failed, "requests", 0, how=f"of {requests}"),
        Figure("class: requests", rate, "/s", learners * RATE * 0.95, "at least"),
        Figure("class: processors used", 100 * busy, "% of a core"),
    ]


def _busy(seconds: float) -> float:
    """Return how many processors the machine uses in so many seconds."""
    return sum(psutil.cpu_percent(interval=seconds, percpu=True)) / 100


def _effects(clusters: list[Cluster]) -> Iterator[float]:
    """Yield the milliseconds of each change, until all are made or the time is up."""
    end = time.monotonic() + LIMIT_SECONDS
    for cluster in clusters * ROUNDS:
        if time.monotonic() < end:
            yield from weights.effects(weights.of_mesh(cluster), 2, LATER)[0]


@contextmanager
def _learner(number: int, say: Callable[[str], None]) -> Iterator[Cluster]:
    """Yield a learner's cluster with the canary in it; it is removed afterwards."""
    say(f"cluster of learner {number + 1}")
    engine = engines.select(APPLICATION, "embedded", f"learner-{number + 1}")
    try:
        cluster = start.bring_up(engine)
        cluster.apply(CANARY)
        service.set_weights(cluster, {"name-v1": 100})
        yield cluster
    finally:
        engine.stop()
