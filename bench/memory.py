"""Memory by part, as proportional set size: pages that processes share are counted once among them."""

import re
from collections import defaultdict
from pathlib import Path
from statistics import mean

from bench.results import Figure
from kata_lib.cluster.pods import SIDECAR
from kata_lib.engines.embedded.processes import DAEMON_MARK, find_marked
from kata_lib.engines.embedded.state import State


def measure(home: Path) -> list[Figure]:
    """Return megabytes a pod and for the rest of the cluster whose state is in `home`. Linux only."""
    sizes: dict[str, list[float]] = defaultdict(list)
    for pid, name in parts(home).items():
        sizes[name].append(megabytes(pid))
    application, sidecar = mean(sizes["application"]), mean(sizes["sidecar"])
    rest = sum(sizes["daemon"]) + sum(sizes["node Envoy"])
    how = f"application {application:.1f}, Envoy {sidecar:.1f}; mean of {len(sizes['sidecar'])} pods"
    of_rest = f"daemon {sum(sizes['daemon']):.1f}, node Envoy {sum(sizes['node Envoy']):.1f}"
    return [
        Figure("memory of a pod", application + sidecar, "MB", 40, how=how),
        Figure("memory of the rest", rest, "MB", 80, how=of_rest),
    ]


def parts(home: Path) -> dict[int, str]:
    """Return what each process is of the cluster whose state is in `home`, by process id."""
    mark = State(home).mark
    found = {process.pid: "daemon" for process, _ in find_marked(mark, DAEMON_MARK)}
    for process, pod_and_container in find_marked(mark):
        pod, _, container = pod_and_container.partition("/")
        found[process.pid] = part(pod, container)
    return found


def part(pod: str, container: str) -> str:
    """Return what a process of the cluster is, by the mark that it carries."""
    if pod == "node":
        return "node Envoy"
    return "sidecar" if container == SIDECAR else "application"


def megabytes(pid: int) -> float:
    """Return Pss of /proc/PID/smaps_rollup (proc_pid_smaps(5)), in 10^6 bytes; 0 of one that ended."""
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    found = re.search(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE)
    return int(found[1]) * 1024 / 1e6 if found else 0.0
