"""The live lab for some minutes: whether its memory grows, and what a tab that was closed leaves behind.

A running cluster with the canary route goes in; the lab's traffic, a JupyterLab and a Chromium do the rest.
RATIONALE.md says why two thousand frames are enough.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import psutil

from bench import blocks
from bench.lab_page import frames_drawn, processes
from bench.live import live_lab
from bench.results import Figure
from kata_lib.errors import KataError

if TYPE_CHECKING:
    from playwright.sync_api import Page

RATE = 20  # requests/s: two a frame, so that what each of them leaves is seen as well
KEPT = 60 * RATE
"""Requests; the lab's own number, a minute's at the highest rate, would cost more than all else here."""
CELL = f"""
from bench import blocks
from kata_lib import live, open_lab
from kata_lib.lab.live import lab, session

lab.RING = session.KEPT = {KEPT}
traffic = live.show(open_lab(), rate={RATE})
"""
FILL_LIMIT = 600.0  # seconds, in which all that is bounded fills: 60 if nothing else runs
INTERPRETED = "--js-flags=--no-opt --no-maglev --no-sparkplug"
"""Without V8's compilers: they go on for eight minutes, and the page's heap would grow by their code."""
SAMPLE_SECONDS = 5.0
CLOSED_SECONDS = 20.0
FRAMES = 2000  # four minutes, where nothing else runs
MINUTES = 10.0  # in which a busy machine draws them
BLOCKS_GOAL = 0.5  # for each frame: less than one object that each would leave
GROWTH_GOALS = {"kernel": 10.0, "server": 1.0, "sampler": 0.4, "page": 0.4}
"""MB in the time that was watched. The kernel's wavers by that much, as blocks.py says."""
CLOSED_GOAL = 5.0  # MB; a server that keeps what nobody takes grows by 2.4 MB a second


def measure(cluster: str, minutes: float, say: Callable[[str], None]) -> list[Figure]:
    """Watch a live lab's memory over 2,000 frames, at most so many minutes, then close its tab.

    cluster: the name of a running one, whose route splits name-v1 and name-v2. KataError where the browser is
    missing.
    """
    with TemporaryDirectory(prefix="kata-soak-") as folder:
        told = Path(folder) / "blocks"
        filled = f"lambda: len(traffic.answers()) >= {KEPT}"
        cell = f"{CELL}blocks.tell({str(told)!r}, {SAMPLE_SECONDS}, {filled})"
        with live_lab(cluster, cell, [INTERPRETED]) as (page, _, server):
            say("until it has filled")
            _fill(page, told)
            say(f"{FRAMES:,} frames of traffic, at most {minutes:g} minutes")
            figures = _watch(page, server, told, 60 * minutes)
            say(f"{CLOSED_SECONDS:g} seconds with the tab closed")
            return [*figures, _closed(page, server)]


def slope(series: Sequence[float]) -> float:
    """Return the median slope, a sample, of the pairs that are at most a third of the series apart.

    No outlier moves it, after Theil (1950) and Sen (1968); and no step: of these pairs one step is between a
    fifth at most, where it would be between half of all.
    """
    pairs = combinations(enumerate(series), 2)
    near = [(later - sooner) / (j - i) for (i, sooner), (j, later) in pairs if 3 * (j - i) <= len(series)]
    return median(near)


def _fill(page: "Page", told: Path) -> None:
    """Wait until the live lab holds as many requests as it keeps."""
    limit = time.monotonic() + FILL_LIMIT
    while not told.exists():
        if time.monotonic() > limit:
            raise KataError(f"The live lab held fewer than {KEPT:,} requests after {FILL_LIMIT:g} s.")
        page.wait_for_timeout(1000)


def _private(process: psutil.Process) -> float:
    """Return the megabytes that would be free without a process: its shared ones change with the others."""
    return float(process.memory_full_info().uss) / 1e6


def _watch(page: "Page", server: int, told: Path, seconds: float) -> list[Figure]:
    """Return what each part grew by; of the page it is the heap after a collection."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    parts = processes(server)
    sizes: dict[str, list[float]] = defaultdict(list)
    in_use: list[float] = []
    first, limit = frames_drawn(page), time.monotonic() + seconds
    while (frames := frames_drawn(page) - first) < FRAMES and time.monotonic() < limit:
        page.wait_for_timeout(1000 * SAMPLE_SECONDS)
        for part in ("kernel", "server", "sampler"):
            sizes[part].append(sum(map(_private, parts[part])))
        session.send("HeapProfiler.collectGarbage")
        found = {m["name"]: m["value"] for m in session.send("Performance.getMetrics")["metrics"]}
        sizes["page"].append(found["JSHeapUsedSize"] / 1e6)
        in_use.append(blocks.last_told(told))
    left = growth(in_use) / frames
    how = f"{frames:,} frames, {course(in_use)}"
    return [
        Figure("soak: left in the kernel", left, "blocks a frame", BLOCKS_GOAL, how=how),
        *(
            Figure(
                f"soak: growth of the {part}", growth(series), "MB", GROWTH_GOALS[part], how=course(series)
            )
            for part, series in sizes.items()
        ),
    ]


def growth(series: Sequence[float]) -> float:
    """Return what a series grew by from its first sample to its last, by its slope."""
    return slope(series) * len(series)


def course(series: Sequence[float]) -> str:
    """Return the medians of a series' tenths, in words."""
    tenth = max(1, len(series) // 10)
    medians = [f"{median(series[at : at + tenth]):,.1f}" for at in range(0, len(series), tenth)]
    return f"{len(series)} samples; in tenths {', '.join(medians)}"


def _closed(page: "Page", server: int) -> Figure:
    """Close the tab, which nobody tells the kernel, and see what piles up in the server."""
    (process,) = processes(server)["server"]
    before = _private(process)
    page.close()
    time.sleep(CLOSED_SECONDS)
    grown = _private(process) - before
    return Figure(f"soak: server, a tab closed for {CLOSED_SECONDS:g} s", grown, "MB", CLOSED_GOAL)
