"""The engines one after the other on one machine: the same measurements of the same application."""

import json
import re
from collections.abc import Callable, Iterator

from bench import memory, start, weights
from bench.results import Figure
from bench.throughput import CONNECTIONS
from kata_lib import engines
from kata_lib.cluster.cluster import Cluster
from kata_lib.course import application, service
from kata_lib.course.application import APPLICATION
from kata_lib.course.steps import CANARY
from kata_lib.engines.base import Engine
from kata_lib.engines.programs import ask, program
from kata_lib.errors import KataError

NAMES = ("embedded", "kind")
CHANGES, SECONDS = 30, 5

_UNITS = {"KiB": 2**10 / 1e6, "MiB": 2**20 / 1e6, "GiB": 2**30 / 1e6}


def measure(cluster: str, say: Callable[[str], None]) -> Iterator[Figure]:
    """Yield time to ready, weight to effect, requests a second and memory of each engine that runs here."""
    for name in NAMES:
        try:
            engine = engines.select(APPLICATION, name, f"{cluster}-{name}")
        except KataError as error:
            say(f"{name} is left out: {error}")
            continue
        try:
            yield from _of(engine, f"{cluster}-{name}", say)
        finally:
            engine.stop()


def _of(engine: Engine, name: str, say: Callable[[str], None]) -> Iterator[Figure]:
    say(f"{engine.name}: start")
    figures = start.measure(engine, times=1)
    cluster = start.bring_up(engine)
    yield from _named(engine, figures)
    since = service.moment(cluster)
    cluster.apply(CANARY)
    service.settle(cluster, since)
    say(f"{engine.name}: weights")
    yield from _named(engine, weights.measure(cluster, CHANGES))
    say(f"{engine.name}: throughput")
    yield from _named(engine, [_throughput(cluster)])
    yield from _named(engine, [_memory(engine, name, len(cluster.pods()))])


def _named(engine: Engine, figures: list[Figure]) -> Iterator[Figure]:
    """Yield figures under their engine's name; the goals are the embedded engine's alone."""
    for figure in figures:
        yield Figure(f"{engine.name}: {figure.what}", figure.value, figure.unit, how=figure.how)


def _throughput(cluster: Cluster) -> Figure:
    sample = application.sample(
        cluster.url(APPLICATION.service), seconds=SECONDS, concurrency=CONNECTIONS, connections="keep-alive"
    )
    failed = int(sample["error"].notna().sum())
    how = f"{CONNECTIONS} connections, client on the same processors; {failed} failed"
    return Figure("whole chain", len(sample) / SECONDS, "requests/s", how=how)


def _memory(engine: Engine, name: str, pods: int) -> Figure:
    """Return the memory of all: what one is made of differs too much for a common measure."""
    if engine.name == "kind":
        command = [program("docker"), "stats", "--no-stream", "--format={{json .}}", f"{name}-control-plane"]
        said = json.loads(ask(command))["MemUsage"]
        used = re.match(r"([\d.]+)(KiB|MiB|GiB)", said)
        if used is None:
            raise KataError(f"docker stats did not say the memory: {said!r}")
        how = f"the node's container with {pods} pods, without Docker itself"
        return Figure("memory", float(used[1]) * _UNITS[used[2]], "MB", how=how)
    of_pod, rest = memory.measure(engine.folder.path)
    how = f"proportional set size with {pods} pods"
    return Figure("memory", of_pod.value * pods + rest.value, "MB", how=how)
