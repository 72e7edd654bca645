"""What a machine says of itself: each function takes one reading and ends within ANSWER_SECONDS."""

import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from kata_lib import engines, machine
from kata_lib.cli.doctor.checks import Health, Place
from kata_lib.course.application import APPLICATION
from kata_lib.engines.ports import LOOPBACK, is_free
from kata_lib.errors import EngineUnavailable

ANSWER_SECONDS = 2.0

_CGROUP = Path("/sys/fs/cgroup")


def kubectl() -> str | None:
    """Return the kubectl that a terminal of JupyterLab finds: the environment's own, or the one on PATH."""
    beside = Path(sys.executable).parent
    return shutil.which("kubectl", path=os.pathsep.join([str(beside), os.environ.get("PATH", "")]))


def kubectl_version(path: str | None) -> tuple[int, ...] | None:
    """Return its version, None where it does not tell."""
    return machine.kubectl_version(path, ANSWER_SECONDS) if path else None


def memory_mb(cgroup: Path = _CGROUP) -> int:
    """Return the memory that can still be used: the machine's, or less where a container has a limit.

    The limit is cgroup v2's memory.max; file pages that nobody uses count as free (kernel's cgroup-v2.rst).
    """
    import psutil

    free: int = psutil.virtual_memory().available
    try:
        limit = int((cgroup / "memory.max").read_text())
        used = int((cgroup / "memory.current").read_text())
        statistics = dict(line.split() for line in (cgroup / "memory.stat").read_text().splitlines())
        free = min(free, limit - used + int(statistics["inactive_file"]))
    except (OSError, ValueError, KeyError):
        return free // 10**6  # no cgroup v2, or none with a limit: "max"
    return max(free, 0) // 10**6


def disk_mb(folder: Path) -> int:
    """Return how much this user may still write."""
    return shutil.disk_usage(folder).free // 10**6


def place(wanted: Path) -> Place:
    """Return a folder, or the nearest above it that exists."""
    existing = next(folder for folder in (wanted, *wanted.parents) if folder.exists())
    writable = existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)
    return Place(wanted, existing, existing.stat().st_uid, writable)


def open_files() -> int:
    """Return how many files a process may have open, negative for any number."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return -1 if limit == resource.RLIM_INFINITY else limit


def free_port(ports: Iterable[int]) -> int | None:
    """Return the first port of 127.0.0.1 on which nobody listens."""
    return next((port for port in ports if is_free((LOOPBACK, port))), None)


def health(cluster: str, kubectl: str | None) -> Health:
    """Return how the cluster is, asked as a learner asks: by kubectl with the cluster's kubeconfig.

    Raises EngineError for a cluster's or an engine's name that is none.
    """
    try:
        found = engines.select(APPLICATION, cluster=cluster).where()
    except EngineUnavailable:
        found = None  # the engine's own findings say why none can be chosen
    if found is None:
        return Health(None)
    if kubectl is None:
        return Health(found.kubeconfig, said="there is no kubectl to ask with")
    command = [kubectl, f"--kubeconfig={found.kubeconfig}", "get", "pods", "--output=json"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=ANSWER_SECONDS)
    except subprocess.TimeoutExpired:
        return Health(found.kubeconfig, said=f"nothing within {ANSWER_SECONDS:g} s")
    if answer.returncode != 0:
        return Health(found.kubeconfig, said=(answer.stderr.strip().splitlines() or ["nothing"])[-1])
    return Health(found.kubeconfig, json.loads(answer.stdout)["items"])
