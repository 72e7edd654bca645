"""The set-up beside what anybody installs for such a notebook: jupyterlab, pandas and plotly, by pip."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.results import Figure
from kata_lib.machine import PROJECT

PEERS = ("jupyterlab", "pandas", "plotly")
LIMIT_SECONDS = 3600.0
NOT_COPIED = (".venv", ".kata", ".git", "node_modules", "__pycache__", ".*_cache", ".hypothesis")


def measure(say: Callable[[str], None]) -> Iterator[Figure]:
    """Set up a copy of the project, then the peers by pip in an empty environment, with warm caches."""
    with tempfile.TemporaryDirectory(prefix="kata-setup-") as folder:
        copy, peers = Path(folder) / "copy", Path(folder) / "peers"
        shutil.copytree(PROJECT, copy, ignore=shutil.ignore_patterns(*NOT_COPIED))
        say("set-up: the project")
        ours = _timed([str(copy / "scripts" / "setup")])
        say(f"set-up: {', '.join(PEERS)}")
        theirs = _timed([sys.executable, "-m", "venv", str(peers)])
        theirs += _timed([str(peers / "bin" / "pip"), "install", "--quiet", *PEERS])
        how = f"{ours:.0f} s and {theirs:.0f} s; {_megabytes(peers):.0f} MB of {', '.join(PEERS)}"
        yield Figure("set-up beside pip", ours / theirs, "times", 1.2, how=how)
        yield Figure("size of the set-up", _megabytes(copy / ".venv"), "MB", 600)


def _timed(command: list[str]) -> float:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("KATA_")}
    began = time.perf_counter()
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True, timeout=LIMIT_SECONDS)
    return time.perf_counter() - began


def _megabytes(folder: Path) -> float:
    """Return what the files below a folder take on the disk, in 10^6 bytes."""
    files = (file.lstat() for file in folder.rglob("*"))
    return sum(file.st_blocks * 512 for file in files) / 1e6
