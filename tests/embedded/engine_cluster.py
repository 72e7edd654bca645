"""A running cluster for tests, and kubectl on it."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from kata_lib.cluster.location import Location
from kata_lib.engines.embedded import EmbeddedEngine, processes
from kata_lib.engines.embedded.processes import Identity
from kata_lib.files import read_json
from kata_lib.machine import PROJECT

DEPLOY = PROJECT / "deploy"
LIMIT = 60.0
BRIEF = {"GOGC": "off"}
"""For a Go program that lives too briefly to collect garbage: a fifth of kubectl's processor time."""


def quiet(line: str) -> None:
    """Take an engine's progress."""


@dataclass(frozen=True)
class Cluster:
    """A running cluster, and kubectl on it."""

    engine: EmbeddedEngine
    location: Location

    def kubectl(self, *words: str, stdin: str | None = None, ok: bool = True) -> str:
        """Return what kubectl prints; with ok=False, what it says of its failure."""
        run = self.run(*words, stdin=stdin)
        assert (run.returncode == 0) == ok, f"{' '.join(words)}: {run.stdout}{run.stderr}"
        return run.stdout if ok else run.stderr

    def run(self, *words: str, stdin: str | None = None) -> "subprocess.CompletedProcess[str]":
        """Return what kubectl prints and says, whether it fails or not."""
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        kubectl = shutil.which("kubectl", path=path)
        if kubectl is None:
            pytest.fail("kubectl is not on PATH: scripts/setup provides it or says how to get it")
        command = [kubectl, f"--kubeconfig={self.location.kubeconfig}", *words]
        return subprocess.run(
            command, input=stdin, capture_output=True, text=True, timeout=60, env={**os.environ, **BRIEF}
        )

    def deploy(self, *names: str) -> None:
        """Apply files of deploy/ and wait until every pod is ready."""
        self.kubectl("apply", *(f"--filename={DEPLOY / name}" for name in names))
        self.kubectl("wait", "--for=condition=Available", "deployment", "--all", "--timeout=30s")

    def url(self) -> str:
        """Return where the sentences service answers."""
        port = self.kubectl("get", "service", "sentences", "--output=jsonpath={.spec.ports[0].nodePort}")
        return f"http://{self.location.node_host}:{port}/"


Start = Callable[[str], Cluster]


def until(holds: Callable[[], object]) -> None:
    """Wait until something outside of this process holds."""
    deadline = time.monotonic() + LIMIT
    while not holds():
        assert time.monotonic() < deadline, "it did not come to hold"
        time.sleep(0.01)


def daemon_of(engine: EmbeddedEngine) -> Identity:
    known = read_json(engine.state.daemon)
    assert known
    return Identity(known["pid"], known["started"])


def kill_daemon(engine: EmbeddedEngine) -> None:
    daemon = daemon_of(engine)
    os.kill(daemon.pid, signal.SIGKILL)
    until(lambda: not processes.alive(daemon))
