"""A running cluster for tests, and kubectl on it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from kata_lib.engines.base import Location
from kata_lib.engines.embedded import EmbeddedEngine
from kata_lib.engines.embedded.state import PROJECT

DEPLOY = PROJECT / "deploy"


def quiet(line: str) -> None:
    """Take an engine's progress."""


@dataclass(frozen=True)
class Cluster:
    """A running cluster, and kubectl on it."""

    engine: EmbeddedEngine
    location: Location

    def kubectl(self, *words: str, stdin: str | None = None, ok: bool = True) -> str:
        """Return what kubectl prints; with ok=False, what it says of its failure."""
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        kubectl = shutil.which("kubectl", path=path)
        if kubectl is None:
            pytest.fail("kubectl is not on PATH: scripts/setup provides it or says how to get it")
        command = [kubectl, f"--kubeconfig={self.location.kubeconfig}", *words]
        run = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=60)
        assert (run.returncode == 0) == ok, f"{' '.join(words)}: {run.stdout}{run.stderr}"
        return run.stdout if ok else run.stderr

    def deploy(self, *names: str) -> None:
        """Apply files of deploy/ and wait until every pod is ready."""
        self.kubectl("apply", *(f"--filename={DEPLOY / name}" for name in names))
        self.kubectl("wait", "--for=condition=Available", "deployment", "--all", "--timeout=30s")

    def url(self) -> str:
        """Return where the sentences service answers."""
        port = self.kubectl("get", "service", "sentences", "--output=jsonpath={.spec.ports[0].nodePort}")
        return f"http://{self.location.node_host}:{port}/"


Start = Callable[[str], Cluster]
