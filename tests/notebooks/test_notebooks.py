"""Every notebook runs under nbval, its solutions filled in, on one cluster, from whatever state there is."""

import copy
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbclient
import nbformat
import pytest
from requirements import lacking
from typer.testing import CliRunner

from kata_lib import addons, engines
from kata_lib.cli import app
from kata_lib.course import notebooks
from kata_lib.course.application import APPLICATION
from kata_lib.course.steps import Step, step
from kata_lib.errors import EngineError
from kata_lib.lab.lab import connect
from kata_lib.machine import PROJECT

CELL_SECONDS = 60
CLUSTER = "nbval"


@pytest.fixture(scope="module")
def environment(engine_environment: dict[str, str]) -> Iterator[dict[str, str]]:
    """Yield the environment of a run without a person; its cluster is there, and removed afterwards."""
    root = str(PROJECT)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in engine_environment.items():
            patch.setenv(name, value)
        try:
            connect(cluster=CLUSTER)  # on kind this takes longer than a cell may
            yield {**os.environ, "KATA_NAME": CLUSTER, "KATA_RESET": "1", "PYTHONPATH": root}
        finally:
            engines.select(APPLICATION, cluster=CLUSTER).stop()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("notebooks")
    written = CliRunner().invoke(app, ["notebooks", str(folder)])
    assert written.exit_code == 0, written.output
    return folder


def nbval(
    file: Path, environment: dict[str, str], seconds: int = CELL_SECONDS
) -> subprocess.CompletedProcess[str]:
    """Run one notebook as a test of its own; nbval's own limit is two thousand seconds a cell."""
    options = ["-q", "--nbval-lax", f"--nbval-cell-timeout={seconds}", "-p", "no:cacheprovider"]
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            *options,
            "-c",
            os.devnull,
            "--rootdir",
            str(file.parent),
            str(file),
        ],
        env=environment,
        capture_output=True,
        text=True,
        timeout=3 * seconds,
        check=False,
    )


def provide(wanted: Step, give_counters: Callable[[Path], None]) -> None:
    """Install what a step needs in the cluster; skip where this engine or machine cannot have it."""
    if not wanted.addons:
        return
    connected = connect(cluster=CLUSTER)
    give_counters(connected.cluster.kubeconfig)
    for name in wanted.addons:
        try:
            addons.install(connected.engine, [name], print)
        except EngineError as error:
            lacking(name, f"{wanted.notebook} needs it: {error}")


NAMES = [source.stem for source in notebooks.sources()]


@pytest.mark.parametrize("name", NAMES[::-1])
def test_a_notebook_runs_with_its_solutions(
    name: str, folder: Path, environment: dict[str, str], give_counters: Callable[[Path], None]
) -> None:
    """From the last to the first: none finds what the one before it leaves. In order the report runs them."""
    wanted = step(name)
    provide(wanted, give_counters)
    done = nbval(folder / f"{name}.ipynb", environment, wanted.cell_seconds)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_solution_left_out_fails_by_the_name_of_its_check(
    folder: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    damaged = (folder / "02-canary.ipynb").read_text()
    apply = 'lab.apply(\\"deploy/virtual-service-canary.yaml\\")'
    assert apply in damaged
    file = tmp_path / "damaged.ipynb"
    file.write_text(damaged.replace(apply, "pass", 1))
    done = nbval(file, environment)
    assert done.returncode == 1
    assert "canary-10: wrong" in done.stdout
    assert "Was the file applied" in done.stdout


def place_of(built: nbformat.NotebookNode, tag: str, text: str) -> int:
    """Return the place of the first cell of that tag that has the text."""
    return next(
        number
        for number, cell in enumerate(built["cells"])
        if tag in cell["metadata"].get("tags", []) and text in "".join(cell["source"])
    )


def test_a_learners_work_outlives_the_kernel(environment: dict[str, str]) -> None:
    """Half of 02 in one kernel; another runs the notebook from its top, and the canary is still there."""
    source = (notebooks.FOLDER / "src" / "02-canary.py").read_text()
    built = nbformat.reads(notebooks.text(notebooks.build(source, solutions=True)), as_version=4)
    half = place_of(built, "solution", "virtual-service-canary.yaml")
    learner = {k: v for k, v in environment.items() if k not in ("KATA_RESET", "CI")}

    def run(cells: list[Any]) -> str:
        """Run cells in a kernel of their own and return what they printed."""
        notebook = nbformat.v4.new_notebook(cells=copy.deepcopy(cells))
        nbclient.NotebookClient(notebook, timeout=CELL_SECONDS, kernel_name="python3").execute(env=learner)
        outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
        return "".join(output.get("text") or output["data"].get("text/plain", "") for output in outputs)

    reset = nbformat.v4.new_code_cell('from kata_lib import open_lab\nopen_lab(step="canary", reset=True)')
    weights = nbformat.v4.new_code_cell('lab.set_weights({"name-v2": 30})')
    run([reset, *built["cells"][: half + 1], weights])
    said = run([*built["cells"][:half], nbformat.v4.new_code_cell("lab.weights()")])
    assert "Kept, though this step begins without: VirtualService name, DestinationRule name." in said
    assert "{'name-v1': 70, 'name-v2': 30}" in said
