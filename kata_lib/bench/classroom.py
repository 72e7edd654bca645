"""A class on one machine: a cluster for each learner, all with traffic, and what a change then takes."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from kata_lib import mesh, traffic
from kata_lib.bench import start, weights
from kata_lib.bench.changes import CANARY
from kata_lib.bench.results import Figure, percentile
from kata_lib.cluster import Cluster
from kata_lib.engines.embedded import EmbeddedEngine

RATE = 20.0
CHANGES = 4


def measure(learners: int, say: Callable[[str], None]) -> list[Figure]:
    """Start a cluster for each learner, and let one after the other change weights while all have traffic."""
    with ExitStack() as stack:
        clusters = [stack.enter_context(_learner(number, say)) for number in range(learners)]
        say(f"{learners} learners with {RATE:g} requests/s each")
        samplers = [stack.enter_context(traffic.Sampler(c.url("sentences"), RATE)) for c in clusters]
        effects = [effect for cluster in clusters for effect in weights.effects(cluster, CHANGES)[0]]
        for sampler in samplers:
            sampler.stop()
        frames = [sampler.frame() for sampler in samplers]
    requests = sum(len(frame) for frame in frames)
    seconds = max((f["time"].max() - f["time"].min()).total_seconds() for f in frames)
    failed = sum(int((frame["status"] != 200).sum()) for frame in frames)
    how = f"{learners} clusters, {requests / seconds:.0f} requests/s in all, {len(effects)} changes"
    return [
        Figure("class: weight to effect, p50", percentile(effects, 50), "ms", how=how),
        Figure("class: weight to effect, p95", percentile(effects, 95), "ms", 100),
        Figure("class: failed requests", failed, "requests", 0, how=f"of {requests}"),
    ]


@contextmanager
def _learner(number: int, say: Callable[[str], None]) -> Iterator[Cluster]:
    """Yield a learner's cluster with the canary in it; it is removed afterwards."""
    say(f"cluster of learner {number + 1}")
    engine = EmbeddedEngine(f"learner-{number + 1}")
    try:
        cluster = start.bring_up(engine)
        cluster.apply(CANARY)
        mesh.set_weights(cluster, {"name-v1": 100})
        yield cluster
    finally:
        engine.stop()
