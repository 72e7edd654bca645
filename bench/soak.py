"""The live lab for some minutes: whether its memory grows, and what a tab that was closed leaves behind.

A running cluster with the canary route goes in; the lab's traffic, a JupyterLab and a Chromium do the rest.
RATIONALE.md says why four minutes are enough.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import psutil

from bench import blocks
from bench.lab_page import LIVE, frames_drawn, processes
from bench.live import CELL, live_lab
from bench.results import Figure
from kata_lib.errors import KataError
from kata_lib.lab.live.session import KEPT

if TYPE_CHECKING:
    from playwright.sync_api import Page

FILL_LIMIT = 600.0  # seconds at the highest rate, in which all that is bounded fills: 60 if nothing else runs
FILL_RATE, RATE = 400, 50  # requests/s
SETTLE_SECONDS = 10.0  # until the change of the rate is over
INTERPRETED = "--js-flags=--no-opt --no-maglev --no-sparkplug"
"""Without V8's compilers: they go on for eight minutes, and the page's heap would grow by their code."""
SAMPLE_SECONDS = 5.0
CLOSED_SECONDS = 20.0
MINUTES = 4.0
GROWTH_GOAL = 0.1  # MB a minute, of what does not waver: the sampler and the page's heap
BLOCKS_GOAL = 0.5  # for each frame: less than one object that each would leave
WAVERING = {"kernel": 10.0, "server": 2.0}  # MB, as blocks.py says: a guard for what is not Python's
CLOSED_GOAL = 5.0  # MB; a server that keeps what nobody takes grows by 2.4 MB a second


def measure(cluster: str, minutes: float, say: Callable[[str], None]) -> list[Figure]:
    """Watch a live lab's memory for so many minutes once it has filled, then close its tab.

    cluster: the name of a running one, whose route splits name-v1 and name-v2. KataError where the browser is
    missing.
    """
    with TemporaryDirectory(prefix="kata-soak-") as folder:
        told = {part: Path(folder) / part for part in WAVERING}
        telling = {part: f"blocks.tell({str(file)!r}, {SAMPLE_SECONDS}" for part, file in told.items()}
        filled = f"lambda: len(traffic.answers()) >= {KEPT}"
        cell = f"from bench import blocks\n{CELL}\n{telling['kernel']}, {filled})"
        config = f"from bench import blocks\n{telling['server']})"
        with live_lab(cluster, cell, [INTERPRETED], config) as (page, _, server):
            say("until it has filled")
            _fill(page, told["kernel"])
            say(f"{minutes:g} minutes of traffic in the picture")
            figures = _watch(page, server, told, 60 * minutes)
            say(f"{CLOSED_SECONDS:g} seconds with the tab closed")
            return [*figures, _closed(page, server)]


def slope(series: Sequence[float]) -> float:
    """Return the median slope of all pairs, a sample (Theil 1950, Sen 1968): no outlier moves it."""
    pairs = combinations(enumerate(series), 2)
    return median((later - sooner) / (j - i) for (i, sooner), (j, later) in pairs)


def _fill(page: "Page", told: Path) -> None:
    """Send requests at the highest rate until the live lab holds as many as it keeps."""
    rate = page.locator(f"{LIVE} .rate")
    rate.select_option(str(FILL_RATE))
    limit = time.monotonic() + FILL_LIMIT
    while not told.exists():
        if time.monotonic() > limit:
            raise KataError(f"The live lab held fewer than {KEPT:,} requests after {FILL_LIMIT:g} s.")
        page.wait_for_timeout(1000)
    rate.select_option(str(RATE))
    page.wait_for_timeout(1000 * SETTLE_SECONDS)


def _private(process: psutil.Process) -> float:
    """Return the megabytes that would be free without a process: its shared ones change with the others."""
    return float(process.memory_full_info().uss) / 1e6


def _watch(page: "Page", server: int, told: Mapping[str, Path], seconds: float) -> list[Figure]:
    """Return what each part grew by; of the page it is the heap after a collection.

    told: files of the parts that tell how many blocks they have in use.
    """
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    parts = processes(server)
    sizes: dict[str, list[float]] = defaultdict(list)
    in_use: dict[str, list[float]] = defaultdict(list)
    drawn = frames_drawn(page)
    for _ in range(int(seconds / SAMPLE_SECONDS)):
        page.wait_for_timeout(1000 * SAMPLE_SECONDS)
        for part in ("kernel", "server", "sampler"):
            sizes[part].append(sum(map(_private, parts[part])))
        session.send("HeapProfiler.collectGarbage")
        found = {m["name"]: m["value"] for m in session.send("Performance.getMetrics")["metrics"]}
        sizes["page"].append(found["JSHeapUsedSize"] / 1e6)
        for part, file in told.items():
            in_use[part].append(blocks.last_told(file))
    frames, goal = frames_drawn(page) - drawn, GROWTH_GOAL * seconds / 60
    unit = "blocks a frame"
    return [
        *(
            Figure(f"soak: left in the {part}", growth(used) / frames, unit, BLOCKS_GOAL, how=course(used))
            for part, used in in_use.items()
        ),
        *(
            Figure(
                f"soak: growth of the {part}",
                growth(series),
                "MB",
                WAVERING.get(part, goal),
                how=course(series),
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
