"""JupyterLab on loopback with its own settings folder, and a page of the machine's Chromium in it.

A folder with a notebook goes in, a page comes out whose messages with its kernels are counted. Needs a
Chromium, and playwright, which the developers' environment has (`scripts/setup --dev`).
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page, WebSocket

_IN_CONTAINERS = "--no-sandbox"
POLL_MILLISECONDS = 50
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
START_SECONDS = 90
LIVE = ".kata-live"
QUIET = {"@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False}}


def notebook(*cells: str) -> str:
    """Return a notebook with these code cells as its file holds it."""
    made: list[dict[str, Any]] = [
        {
            "cell_type": "code",
            "id": f"c{i}",
            "metadata": {},
            "outputs": [],
            "execution_count": None,
            "source": c,
        }
        for i, c in enumerate(cells)
    ]
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return json.dumps({"cells": made, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})


@contextmanager
def chromium(*arguments: str) -> Iterator["Browser"]:
    """Yield the machine's Chromium, started with these arguments beside what a container needs."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=[_IN_CONTAINERS, *arguments])
        yield browser
        browser.close()


@contextmanager
def with_profile(folder: Path) -> Iterator["BrowserContext"]:
    """Yield a Chromium which keeps in a folder what it compiled of a page's scripts.

    The next page of JupyterLab then takes two thirds of the processor time.
    """
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        context = driver.chromium.launch_persistent_context(
            folder, executable_path=CHROMIUM, args=[_IN_CONTAINERS]
        )
        yield context
        context.close()


@contextmanager
def jupyter_lab(
    folder: Path, environment: Mapping[str, str], settings: Mapping[str, Any] | None = None
) -> Iterator[tuple[str, int]]:
    """Serve a folder; yield JupyterLab's address with its token, and the server's pid.

    settings: JupyterLab's, by the name of the plug-in with a slash, such as @jupyterlab/x-extension/plugin.
    """
    state = folder / ".jupyter"
    places = ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR")
    own = {f"JUPYTER_{place}": str(state / place) for place in places}
    own |= {"JUPYTERLAB_SETTINGS_DIR": str(state / "s"), "JUPYTERLAB_WORKSPACES_DIR": str(state / "w")}
    for name, values in {**QUIET, **(settings or {})}.items():
        file = state / "s" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(values))
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", "--port=0"]
    command += ["--allow-root", f"--ServerApp.root_dir={folder}"]
    command += ["--LabApp.news_url=", "--LabApp.extension_manager=readonly"]
    command += ["--LabApp.expose_app_in_browser=True"]
    log = folder / "jupyter.log"
    with log.open("w") as out:
        server = subprocess.Popen(
            command, env={**os.environ, **environment, **own}, stdout=out, stderr=out, cwd=folder
        )
    try:
        yield _address(server, log), server.pid
    finally:
        server.terminate()
        server.wait(20)


def _address(server: "subprocess.Popen[bytes]", log: Path) -> str:
    limit = time.monotonic() + START_SECONDS
    while time.monotonic() < limit and server.poll() is None:
        if found := re.search(r"http://127\.0\.0\.1:\d+/lab\?token=\w+", log.read_text()):
            return found[0]
        time.sleep(0.1)
    raise AssertionError(f"JupyterLab did not start: {log.read_text()}")


@dataclass
class Messages:
    """What went between a page and its kernels, both ways."""

    number: int = 0
    size: int = 0

    def listen(self, page: "Page") -> None:
        """Count from now on; before the page is opened."""
        page.on("websocket", self._listen)

    def _listen(self, socket: "WebSocket") -> None:
        if "/channels" in socket.url:
            socket.on("framereceived", self._count)
            socket.on("framesent", self._count)

    def _count(self, payload: bytes | str) -> None:
        self.number += 1
        self.size += len(payload)


def open_notebook(page: "Page", address: str, name: str) -> None:
    """Open a notebook, and wait until its kernel is idle.

    It opens in the JupyterLab that the page shows; where it shows none, in one with a workspace of its own.
    """
    if page.evaluate("'jupyterapp' in globalThis"):
        page.evaluate("(path) => void jupyterapp.commands.execute('docmanager:open', { path })", name)
    else:
        page.goto(address.replace("/lab?", f"/lab/workspaces/{Path(name).stem}/tree/{name}?"))
    page.locator(".jp-Notebook .jp-Cell").first.wait_for()
    wait_idle(page)


def run_cell(page: "Page", number: int = 0) -> None:
    """Begin to run a cell of the notebook in front.

    By command, because keys need the focus, which moves while a page loads; and once the kernel is there.
    """
    page.evaluate(
        """async (number) => {
            const { content, sessionContext } = jupyterapp.shell.currentWidget;
            await sessionContext.ready;
            await sessionContext.session.kernel.info;
            content.activeCellIndex = number;
            void jupyterapp.commands.execute('notebook:run-cell');
        }""",
        number,
    )


def wait_until(page: "Page", script: str, *, arg: object = None, timeout: float | None = None) -> None:
    """Wait until a script in the page says yes, as page.wait_for_function() does; timeout: milliseconds.

    That one asks at each frame, and has the page draw sixty a second for it.
    """
    page.wait_for_function(script, arg=arg, timeout=timeout, polling=POLL_MILLISECONDS)


def wait_idle(page: "Page", seconds: float = 90) -> None:
    """Wait until the kernel of the notebook in front is idle."""
    idle = page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]:visible')
    idle.wait_for(timeout=1000 * seconds)


def run_live(page: "Page") -> None:
    """Run the first cell, and wait until its live lab is drawn."""
    run_cell(page)
    wait_frames(page)


def wait_frames(page: "Page", frames: int = 4, seconds: float = 180) -> None:
    """Wait until a live lab in the page has drawn so many frames."""
    script = f"[...document.querySelectorAll('{LIVE}')].some((live) => live.dataset.frames >= {frames})"
    wait_until(page, script, timeout=1000 * seconds)


def frames_drawn(page: "Page") -> int:
    """Return how many frames the live lab in the page has drawn so far."""
    return int(page.evaluate(f"Number(document.querySelector('{LIVE}').dataset.frames)"))


def processes(server: int) -> dict[str, list[psutil.Process]]:
    """Return the processes of a page's world by what they are: kernel, server, browser, sampler.

    server: JupyterLab's pid. The browser is this process's own.
    """
    found: dict[str, list[psutil.Process]] = {"server": [psutil.Process(server)]}
    for process in found["server"][0].children(recursive=True):
        words = " ".join(process.cmdline())
        kind = "kernel" if "ipykernel" in words else "sampler" if "sampler" in words else None
        if kind:
            found.setdefault(kind, []).append(process)
    found["browser"] = [p for p in psutil.Process().children(recursive=True) if "chrom" in p.name()]
    return found


def cpu_seconds(processes: list[psutil.Process]) -> float:
    """Return the processor time that processes have used so far."""
    return sum(sum(process.cpu_times()[:2]) for process in processes)
