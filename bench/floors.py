"""The cluster beside its floor: the same Envoys and applications, started by hand with all they need."""

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import mean, median

from bench import by_hand, memory, start, throughput
from bench.memory import megabytes
from bench.results import Figure
from kata_lib.engines.base import Engine


def measure(engine: Engine, times: int, seconds: int) -> Iterator[Figure]:
    """Measure both, one right after the other. The engine is stopped afterwards. Linux only.

    times: how often each is started. seconds: how long each chain is asked.
    """
    begun = [_timed(lambda: _anew(engine)) for _ in range(times)]
    url = start.bring_up(engine).url("sentences")
    chain, pod = (
        median(_rate(url, seconds) for _ in range(times)),
        memory.measure(engine.folder.path)[0].value,
    )
    programs = by_hand.noted(engine.folder.path)
    engine.stop()
    with tempfile.TemporaryDirectory(prefix="kata-hand-", dir="/tmp") as folder:
        floors, rates = [], []
        for _ in range(times):
            began = time.perf_counter()
            with by_hand.started(programs, url, Path(folder)) as running:
                floors.append(time.perf_counter() - began)
                rates.append(_rate(url, seconds))
                sizes = [megabytes(process.pid) for process in running]
    parts: dict[str, list[float]] = {}
    for size, program in zip(sizes, programs, strict=True):
        parts.setdefault(program.part, []).append(size)
    bare_chain = median(rates)
    bare_pod = mean(parts["sidecar"]) + mean(parts["application"])
    many = f"median of {times}, {len(programs)} programs: {median(begun):.2f} s and {median(floors):.2f} s"
    yield Figure("start beside by hand", median(begun) / median(floors), "times", 1.5, how=many)
    client = "wrk" if shutil.which("wrk") else "the sampler"
    asked = f"{chain:.0f} and {bare_chain:.0f} requests/s, by {client}"
    yield Figure("chain beside by hand", chain / bare_chain, "times", 0.95, "at least", asked)
    held = f"{pod:.1f} MB and {bare_pod:.1f} MB"
    yield Figure("memory of a pod beside by hand", pod / bare_pod, "times", 1.3, how=held)


def _anew(engine: Engine) -> None:
    engine.stop()
    start.bring_up(engine)


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _rate(url: str, seconds: int) -> float:
    client = throughput.by_wrk if shutil.which("wrk") else throughput.by_sampler
    return client(url, seconds, "keep-alive")
