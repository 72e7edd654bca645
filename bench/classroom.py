"""A class on one machine: what a learner costs idle and at work, how many it holds, what a change then takes.

Each learner is an embedded cluster, at work with RATE requests a second. The notebook of one, a JupyterLab
with a kernel in which the lab is open, is measured once. As many clusters are started as the machine holds by
what the first one costs; of a larger class the table says how many find room, and what it wants.
"""

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
import pandas as pd
import psutil
from nbclient import NotebookClient

from bench import costs, memory, start, weights
from bench.changes import CANARY
from bench.costs import Cost, Room, cost
from bench.lab_page import jupyter_lab
from bench.results import Figure, percentile
from kata_lib import engines
from kata_lib.cluster.cluster import Cluster
from kata_lib.course import application, service
from kata_lib.course.application import APPLICATION
from kata_lib.engines.base import Engine
from kata_lib.errors import KataError
from kata_lib.traffic import Sampler

RATE = 20.0
SECONDS = 10.0
ROUNDS = 2  # each: to version 2 and back
LATER = 3  # requests after each change, which show that it stays
LIMIT_SECONDS = 120.0  # for all changes: a machine that is too small for the class still comes to an end
KERNEL_SECONDS = 120
OPENED = "from kata_lib import open_lab, plots\nlab = open_lab()"

Learner = tuple[Engine, Cluster]


def measure(learners: int, say: Callable[[str], None], room: Room | None = None) -> list[Figure]:
    """Start a cluster for each learner, as far as they find room, and measure them idle and at work.

    room: what the machine has; by itself what is free now.
    """
    room = room or costs.room()
    with ExitStack() as stack:
        first = stack.enter_context(_learner(1, say))
        say("one learner's notebook")
        notebook = _notebook(first)
        with _traffic([first]):
            probed = cost(lambda: _processes([first]), SECONDS).and_(notebook)
        most = min(learners, max(1, room.holds(probed)))
        if most < learners:
            say(f"{learners} learners find no room here: {most} are measured")
        there = [first, *_others(stack, most, say)]
        idle = cost(lambda: _processes(there), SECONDS).each(len(there))
        say(f"{len(there)} learners with {RATE:g} requests/s each")
        with _traffic(there) as samplers:
            work = cost(lambda: _processes(there), SECONDS).each(len(there))
            took, late = _effects([cluster for _, cluster in there])
        frames = [sampler.frame() for sampler in samplers]
    return [
        *_each(idle, work, notebook, len(there)),
        *fit(learners, len(there), room, work.and_(notebook)),
        *_changes(took, late, len(there)),
        *_requests(frames),
    ]


def _each(idle: Cost, work: Cost, notebook: Cost, there: int) -> Iterator[Figure]:
    how = f"mean of {there} clusters; shared pages count once"
    yield Figure("class: a learner's cluster, idle", idle.memory, "MB", how=how)
    yield Figure("class: a learner's cluster, idle", 100 * idle.processor, "% of a core")
    yield Figure("class: a learner's cluster, at work", work.memory, "MB", how=f"{RATE:g} requests/s each")
    yield Figure("class: a learner's cluster, at work", 100 * work.processor, "% of a core")
    yield Figure(
        "class: a learner's notebook", notebook.memory, "MB", how="JupyterLab, and a kernel with a lab"
    )
    yield Figure("class: a learner's notebook", 100 * notebook.processor, "% of a core", how="while it waits")


def fit(learners: int, there: int, room: Room, each: Cost) -> Iterator[Figure]:
    """Yield whether the class finds room, and what it wants; computed where not all of it was started."""
    computed = "" if there >= learners else f"; computed from {there} that ran"
    how = f"{room.cores:g} cores and {room.memory / 1e3:.1f} GB free, to {costs.USED:.0%}{computed}"
    yield Figure("class: learners that find room", room.holds(each), "", learners, "at least", how=how)
    wants = f"for {learners}, to {costs.USED:.0%}{computed}"
    yield Figure("class: cores that it wants", learners * each.processor / costs.USED, "", how=wants)
    yield Figure("class: memory that it wants", learners * each.memory / costs.USED / 1e3, "GB", how=wants)


def _changes(took: list[float], late: int, there: int) -> Iterator[Figure]:
    how = f"{there} clusters, {len(took)} changes"
    if took:
        yield Figure("class: weight to effect, p50", percentile(took, 50), "ms", how=how)
        yield Figure("class: weight to effect, p95", percentile(took, 95), "ms", 100)
    limit = f"within {weights.EFFECT_LIMIT_SECONDS:g} s"
    yield Figure("class: changes without effect", late, "changes", 0, how=limit)


def _requests(frames: list[pd.DataFrame]) -> Iterator[Figure]:
    requests = sum(len(frame) for frame in frames)
    seconds = max((f["time"].max() - f["time"].min()).total_seconds() for f in frames)
    failed = sum(int((frame["status"] != 200).sum()) for frame in frames)
    yield Figure("class: failed requests", failed, "requests", 0, how=f"of {requests:,}")
    yield Figure("class: requests", requests / seconds, "/s", len(frames) * RATE * 0.95, "at least")


def _others(stack: ExitStack, learners: int, say: Callable[[str], None]) -> Iterator[Learner]:
    """Yield the others' clusters; a machine on which one more does not start has the class that is there."""
    for number in range(2, learners + 1):
        try:
            yield stack.enter_context(_learner(number, say))
        except KataError as error:
            say(f"no more than {number - 1} start: {error}")
            return


@contextmanager
def _learner(number: int, say: Callable[[str], None]) -> Iterator[Learner]:
    """Yield a learner's cluster with the canary in it; it is removed afterwards."""
    say(f"cluster of learner {number}")
    engine = engines.select(APPLICATION, "embedded", f"learner-{number}")
    try:
        cluster = start.bring_up(engine)
        cluster.apply(CANARY)
        service.set_weights(cluster, {"name-v1": 100})
        yield engine, cluster
    finally:
        engine.stop()


def _processes(learners: list[Learner]) -> set[int]:
    """Return the processes of clusters, and the samplers that ask them."""
    clusters = {pid for engine, _ in learners for pid in memory.parts(engine.folder.path)}
    return clusters | _children("sampler_process")


def _children(program: str) -> set[int]:
    """Return the processes that this one started, of a program whose name is in their command."""
    found = set()
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.Error):
            if program in " ".join(child.cmdline()):
                found.add(child.pid)
    return found


@contextmanager
def _traffic(learners: list[Learner]) -> Iterator[list[Sampler]]:
    """Have RATE requests a second in each cluster; the samplers have ended afterwards."""
    samplers: list[Sampler] = []
    try:
        for _, cluster in learners:
            samplers.append(application.Sampler(cluster.url("sentences"), RATE))
        yield samplers
    finally:
        for sampler in samplers:
            sampler.stop()


def _effects(clusters: list[Cluster]) -> tuple[list[float], int]:
    """Return the milliseconds of each change until the time is up, and how many had no effect."""
    end = time.monotonic() + LIMIT_SECONDS
    took: list[float] = []
    late = 0
    for cluster in clusters * ROUNDS:
        if time.monotonic() < end:
            try:
                took += weights.effects(weights.of_mesh(cluster), 2, LATER)[0]
            except KataError:
                late += 1
    return took, late


def _notebook(learner: Learner) -> Cost:
    """Return what a learner's JupyterLab and its kernel cost, the lab of their cluster open in it."""
    engine, _ = learner
    environment = {**os.environ, "KATA_NAME": engine.folder.name}
    with (
        TemporaryDirectory(prefix="kata-class-") as folder,
        jupyter_lab(Path(folder), environment) as (_, server),
    ):
        opened = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(OPENED)])
        client = NotebookClient(opened, kernel_name="python3", timeout=KERNEL_SECONDS)
        client.create_kernel_manager().transport_encryption = "auto"
        with client.setup_kernel(env=environment):
            client.execute_cell(opened.cells[0], 0)
            return cost(lambda: {server, *_children("ipykernel")}, SECONDS)
