"""Homes of clusters in tests: however the process ends that made one, its clusters end, and the home goes.

A process of its own waits for that end, which closes the pipe between the two: after SIGKILL, too.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from unittest.mock import patch

from kata_lib import engines
from kata_lib.course.application import APPLICATION
from kata_lib.errors import KataError
from kata_lib.machine import PROJECT


@contextmanager
def home() -> Iterator[Path]:
    """Yield a new folder for clusters, KATA_HOME of whoever starts them; it is removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="kata-"))  # short: a socket's path has 107 bytes
    watch_over(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def watch_over(folder: Path) -> None:
    """Have the clusters in a folder ended, and the folder removed, once this process has ended."""
    watcher = _watcher()
    assert watcher.stdin
    watcher.stdin.write(f"{folder}\n")
    watcher.stdin.flush()


@cache
def _watcher() -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, __file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        text=True,
        start_new_session=True,
    )


def watch() -> None:
    """Read homes, a line each, until whoever writes them has ended; then remove those that are left."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    for folder in filter(Path.is_dir, map(Path, sys.stdin.read().splitlines())):
        end_clusters(folder)
        shutil.rmtree(folder, ignore_errors=True)


def end_clusters(folder: Path) -> None:
    """End every cluster in a folder, a KATA_HOME."""
    with patch.dict(os.environ, KATA_HOME=str(folder)):
        os.environ.pop("KATA_ENGINE", None)
        for name in [place.name for place in folder.iterdir() if place.is_dir()]:
            with suppress(KataError):
                if engines.engine_of(name):
                    engines.select(APPLICATION, cluster=name).stop()


if __name__ == "__main__":
    watch()
