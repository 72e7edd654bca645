"""Memory by part, as proportional set size: pages that processes share are counted once among them."""

import re
from collections import defaultdict
from pathlib import Path
from statistics import mean

from bench.results import Figure
from kata_lib.cluster.pods import SIDECAR
from kata_lib.engines.embedded.processes import DAEMON_MARK, POD_MARK, find_marked
from kata_lib.engines.embedded.state import State


def measure(home: Path) -> list[Figure]:
    """Return megabytes a pod and for the rest of the cluster whose state is in `home`. Linux only."""
    mark = State(home).mark
    sizes: dict[str, list[float]] = defaultdict(list)
    for process, pod_and_container in find_marked(mark):
        pod, _, container = pod_and_container.partition("/")
        sizes[part(pod, container)].append(megabytes(process.pid))
    for process, _ in find_marked(mark, DAEMON_MARK):
        sizes["daemon"].append(megabytes(process.pid))
    application, sidecar = mean(sizes["application"]), mean(sizes["sidecar"])
    rest = sum(sizes["daemon"]) + sum(sizes["node Envoy"])
    how = f"application {application:.1f}, Envoy {sidecar:.1f}; mean of {len(sizes['sidecar'])} pods"
    parts = f"daemon {sum(sizes['daemon']):.1f}, node Envoy {sum(sizes['node Envoy']):.1f}"
    return [
        Figure("memory of a pod", application + sidecar, "MB", 40, how=how),
        Figure("memory of the rest", rest, "MB", 80, how=parts),
    ]


def processes(home: Path) -> list[int]:
    """Return the processes of the cluster whose state is in `home`: its daemon, its Envoys, its pods."""
    mark = State(home).mark
    return [process.pid for kind in (POD_MARK, DAEMON_MARK) for process, _ in find_marked(mark, kind)]


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
