"""The process that keeps a port-forward to a Service open: begun, known again, ended."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil

from kata_lib.engines.programs import program

END_SECONDS = 2.0

FORWARDER = "kata_lib.engines.forwarder"
POD = "pod/"

Identity = tuple[int, float]
"""A process by its pid and when it began."""


@dataclass(frozen=True)
class Way:
    """From a port of this machine to a Service's.

    lasting: whether the Service is waited for where there is none; otherwise the way ends with it.
    """

    namespace: str
    service: str
    port: int
    local: int
    lasting: bool = True


def begin(kubeconfig: Path, way: Way, log: Path) -> Identity:
    """Start the process; its words go to `log`."""
    command = [sys.executable, "-m", FORWARDER, str(kubeconfig), way.namespace, way.service]
    command += [str(way.port), str(way.local), program("kubectl"), *(["lasting"] if way.lasting else [])]
    with log.open("a") as out:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
            cwd=Path(__file__).resolve().parents[2],
        )
    return process.pid, psutil.Process(process.pid).create_time()


def runs(identity: Identity) -> bool:
    """Return whether that very process runs; a zombie does not."""
    process = _process(identity)
    return process is not None and process.status() != psutil.STATUS_ZOMBIE


def leads_to(identity: Identity, port: int) -> str:
    """Return the pod to which the process's kubectl leads from a port of this machine, "" while to none.

    Nothing connects to see it: kubectl ends with the first connection that the pod refuses.
    """
    process = _process(identity)
    try:
        for child in process.children() if process else ():
            found = child.net_connections(kind="tcp")
            if any(one.status == psutil.CONN_LISTEN and one.laddr.port == port for one in found):
                return next(word.removeprefix(POD) for word in child.cmdline() if word.startswith(POD))
    except (psutil.NoSuchProcess, StopIteration):
        pass
    return ""


def end(identity: Identity) -> None:
    """End the process and its kubectl."""
    process = _process(identity)
    if process is None:
        return
    family = [*process.children(recursive=True), process]
    for member in family:
        member.terminate()
    _, left = psutil.wait_procs(family, timeout=END_SECONDS)
    for member in left:
        member.kill()


def _process(identity: Identity) -> psutil.Process | None:
    try:
        process = psutil.Process(identity[0])
        return process if abs(process.create_time() - identity[1]) < 1 else None
    except psutil.NoSuchProcess:
        return None
