"""What a command and a notebook's first cell take, beside kubectl's and a bare kernel's."""

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import nbformat
import psutil
from nbclient import NotebookClient

from bench.memory import megabytes
from bench.results import Figure
from kata_lib.engines.base import Engine

TIMES = 5
FIRST_CELL = "from kata_lib import open_lab, plots\n\nlab = open_lab()"
CELL_SECONDS = 120


def measure(engine: Engine, name: str) -> Iterator[Figure]:
    """Measure in the engine's cluster `name`, which runs."""
    binaries = Path(sys.executable).parent
    environment = {**os.environ, "KATA_NAME": name, "KUBECONFIG": str(engine.folder.kubeconfig)}
    kubectl = _processor_time(["kubectl", "get", "pods"], environment)
    beside = f"median of {TIMES}; kubectl get pods: {kubectl * 1000:.0f} ms"
    status = _processor_time([str(binaries / "kata"), "status"], environment)
    yield Figure("kata status beside kubectl get pods", status / kubectl, "times", 2, how=beside)
    bare, begun = _kernel(environment)
    yield Figure("open_lab beside kubectl get pods", (begun[0] - bare[0]) / kubectl, "times", 2, how=beside)
    for what, number, unit in (("processor time", 0, "s"), ("memory", 1, "MB")):
        how = f"{begun[number]:.3g} {unit}; a bare kernel {bare[number]:.3g} {unit}"
        yield Figure(f"kernel after its first cell, {what}", begun[number] / bare[number], "times", how=how)


def _processor_time(command: list[str], environment: dict[str, str]) -> float:
    """Return seconds of processor time, of the command and of what it starts: the median of TIMES."""
    return median(_once(command, environment) for _ in range(TIMES))


def _once(command: list[str], environment: dict[str, str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True, timeout=60)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _kernel(environment: dict[str, str]) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return seconds of processor time and megabytes of a kernel, bare and with its first cell done."""
    cells = [nbformat.v4.new_code_cell(source) for source in ("pass", FIRST_CELL)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    client = NotebookClient(notebook, kernel_name="python3", timeout=CELL_SECONDS)
    with client.setup_kernel(env=environment):
        pid: int = client.km.provisioner.pid  # type: ignore[union-attr]  # a kernel on this machine runs
        found = []
        for number, cell in enumerate(cells):
            client.execute_cell(cell, number)
            times = psutil.Process(pid).cpu_times()
            found.append((times.user + times.system, megabytes(pid)))
    return found[0], found[1]
