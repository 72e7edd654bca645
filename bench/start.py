"""From nothing to all pods ready: what a learner waits for."""

import time
from collections.abc import Callable
from statistics import median

from bench.results import Figure
from kata_lib.cluster.cluster import Cluster
from kata_lib.engines.base import Engine

MANIFESTS = ("deploy/v1", "deploy/v2")
READY_LIMIT_SECONDS = 60.0


def measure(engine: Engine, times: int) -> list[Figure]:
    """Start the cluster and the application with sidecars, several times; leave the last one running."""
    seconds, cluster = anew(engine, times)
    pods = len(cluster.pods())
    how = f"median of {times}; {pods} pods with sidecars; slowest {max(seconds):.2f} s"
    return [Figure("start to all pods ready", median(seconds), "s", 2, how=how)]


def anew(engine: Engine, times: int) -> tuple[list[float], Cluster]:
    """Stop and start several times; return the seconds of each start, and the cluster that runs then."""
    seconds = []
    for _ in range(times):
        engine.stop()
        began = time.perf_counter()
        cluster = bring_up(engine)
        seconds.append(time.perf_counter() - began)
    return seconds, cluster


def bring_up(engine: Engine, say: Callable[[str], None] = lambda line: None) -> Cluster:
    """Start the engine, label the namespace, apply v1 and v2, and wait until all pods are ready."""
    place = engine.start(say)
    cluster = Cluster.at(place)
    cluster.enable_injection()
    for path in MANIFESTS:
        cluster.apply(path)
    cluster.wait_ready(READY_LIMIT_SECONDS)
    return cluster
