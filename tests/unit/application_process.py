"""The application as a process of its own, for the tests that need a real server."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "deploy" / "app" / "sentences.py"


@dataclass(frozen=True)
class Application:
    """A running service: its process and where it answers."""

    process: subprocess.Popen[str]
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"


@contextmanager
def running(mode: str, **environment: str) -> Iterator[Application]:
    """Run the service `mode` on a free port of 127.0.0.1 until the block ends."""
    settings = {"SENTENCE_MODE": mode, "LISTEN_ADDRESS": "127.0.0.1", "PORT": "0", **environment}
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", str(SOURCE)],
        env=settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        listening = re.search(r":(\d+)$", process.stdout.readline())
        assert listening, process.communicate()[1]
        yield Application(process, int(listening[1]))
    finally:
        process.kill()
        process.communicate(timeout=60)
