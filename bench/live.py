"""The live lab in a real browser: frames, load, messages, and how soon a turned slider is seen.

A running cluster with the canary route goes in; a JupyterLab and a Chromium of its own do the rest.
"""

import os
import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bench.lab_page import (
    CHROMIUM,
    LIVE,
    Messages,
    chromium,
    cpu_seconds,
    frames_drawn,
    jupyter_lab,
    notebook,
    open_notebook,
    processes,
    run_live,
    wait_until,
)
from bench.results import Figure, percentile
from kata_lib.errors import KataError
from kata_lib.machine import PROJECT

if TYPE_CHECKING:
    from playwright.sync_api import Page

CELL = "from kata_lib import live, open_lab\ntraffic = live.show(open_lab())"
SETTLE_SECONDS = 15.0  # JupyterLab is busy with itself at first; the still picture is drawn once, too
LOAD_GOALS = {"kernel": 5.0, "server": 10.0, "browser": 15.0}  # per cent of a core

SLIDER_TO_PICTURE = f"""(value) => new Promise((resolve, reject) => {{
    const live = document.querySelector('{LIVE}');
    const slider = live.querySelector('input');
    const began = performance.now();
    const lines = () => live.querySelector('.plot').lines.filter((line) => line.kind === 'asked');
    const asked = () => lines().at(-1).y.at(-1);
    const watch = () => (
      asked() === value ? resolve(performance.now() - began) : requestAnimationFrame(watch));
    setTimeout(() => reject(new Error(`the picture has ${{asked()}} % for ${{value}} %`)), 10000);
    slider.value = value;
    slider.dispatchEvent(new Event('input', {{bubbles: true}}));
    watch();
}})"""
"""Moves the slider; resolves with the milliseconds until the picture's line has the new weight."""


def missing() -> str:
    """Return what this measurement lacks here, "" for nothing."""
    if CHROMIUM is None:
        return "a Chromium (apt-get install chromium)"
    try:
        import playwright  # noqa: F401
    except ImportError:
        return "playwright (scripts/setup --dev)"
    return ""


def measure(cluster: str, seconds: int, changes: int) -> list[Figure]:
    """Watch a live lab at 50 requests/s for some seconds, then turn its slider so many times.

    cluster: the name of a running one, whose route splits name-v1 and name-v2. KataError where the browser is
    missing.
    """
    with live_lab(cluster) as (page, messages, server):
        page.wait_for_timeout(1000 * SETTLE_SECONDS)
        figures = _watch(page, messages, server, seconds)
        return [*figures, *_turn(page, changes)]


@contextmanager
def live_lab(
    cluster: str, cell: str = CELL, arguments: Sequence[str] = ()
) -> Iterator[tuple["Page", Messages, int]]:
    """Yield the page of a live lab in a JupyterLab of its own, its messages, and the server's pid.

    cell: what shows the live lab. arguments: further ones of Chromium.
    """
    if lack := missing():
        raise KataError(f"To measure the live lab takes {lack}.")
    environment = {**os.environ, "KATA_NAME": cluster, "PYTHONPATH": str(PROJECT)}
    with tempfile.TemporaryDirectory(prefix="kata-live-") as folder:
        (Path(folder) / "live.ipynb").write_text(notebook(cell))
        with (
            jupyter_lab(Path(folder), environment) as (address, server),
            chromium(*arguments) as browser,
        ):
            page = browser.new_page(viewport={"width": 1200, "height": 900})
            messages = Messages()
            messages.listen(page)
            open_notebook(page, address, "live.ipynb")
            run_live(page)
            yield page, messages, server


def _watch(page: "Page", messages: Messages, server: int, seconds: int) -> list[Figure]:
    parts = processes(server)
    number, size, drawn = messages.number, messages.size, frames_drawn(page)
    used = {name: cpu_seconds(found) for name, found in parts.items()}
    began = time.monotonic()
    page.wait_for_timeout(1000 * seconds)
    drawn = frames_drawn(page) - drawn
    took = time.monotonic() - began
    load = {name: 100 * (cpu_seconds(found) - used[name]) / took for name, found in parts.items()}
    how = f"over {seconds} s at 50 requests/s"
    return [
        Figure("live lab: frames drawn", round(drawn / took, 1), "/s", 10, "at least", how),
        *(Figure(f"live lab: {name}", load[name], "% of a core", goal) for name, goal in LOAD_GOALS.items()),
        Figure("live lab: messages", (messages.number - number) / took, "/s", 15, how="both ways"),
        Figure("live lab: volume", (messages.size - size) / took / 1000, "kB/s", 20, how="both ways"),
    ]


def _turn(page: "Page", changes: int) -> list[Figure]:
    """Turn the slider at moments that have nothing to do with the frames'."""
    chance = random.Random(6)
    values = [20 + 61 * number % 70 for number in range(changes)]
    delays = []
    for value in values:
        page.wait_for_timeout(chance.uniform(200, 500))
        delays.append(page.evaluate(SLIDER_TO_PICTURE, value))
    how = f"{changes} turns; p50 {percentile(delays, 50):.0f} ms, worst {max(delays):.0f} ms"
    return [
        Figure("live lab: slider to picture, p95", percentile(delays, 95), "ms", 250, how=how),
        _effect(page),
    ]


def _effect(page: "Page") -> Figure:
    """Promote and roll back: the first answer from the other version is proof."""
    seen: list[float] = []
    for name in ("Promote", "Roll back") * 5:
        page.get_by_role("button", name=name).click()
        wait_until(page, _LAST_SEEN, arg=100 if name == "Promote" else 0, timeout=10_000)
        seen.append(float(page.evaluate(_SEEN_MS)))
    how = f"{len(seen)} switches of everything, as the marks say; a request starts each 20 ms"
    return Figure("live lab: apply to first effect, p50", percentile(seen, 50), "ms", how=how)


_SEEN_MS = f"document.querySelector('{LIVE} .change').textContent.match(/seen after (\\d+) ms/)?.[1]"
_LAST_SEEN = f"""(value) => new RegExp(`→ ${{value}} %: seen after`).test(
    document.querySelector('{LIVE} .change').textContent)"""
