"""JupyterLab on loopback with its own settings folder, and pages of the machine's Chromium in it.

Needs playwright, which the developers' environment has (`scripts/setup --dev`), and a Chromium.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
START_SECONDS = 30


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
def jupyter_lab(folder: Path, environment: dict[str, str]) -> Iterator[str]:
    """Serve a folder and yield JupyterLab's address with its token."""
    state = folder / ".jupyter"
    places = ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR")
    own = {f"JUPYTER_{place}": str(state / place) for place in places}
    own |= {"JUPYTERLAB_SETTINGS_DIR": str(state / "s"), "JUPYTERLAB_WORKSPACES_DIR": str(state / "w")}
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--no-browser",
        "--ip=127.0.0.1",
        "--port=0",
        "--allow-root",
    ]
    command += [f"--ServerApp.root_dir={folder}", "--LabApp.news_url=", "--LabApp.extension_manager=readonly"]
    log = folder / "jupyter.log"
    with log.open("w") as out:
        server = subprocess.Popen(
            command, env={**os.environ, **environment, **own}, stdout=out, stderr=out, cwd=folder
        )
    try:
        yield _address(server, log)
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
