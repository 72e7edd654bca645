"""Every notebook runs under nbval, its solutions filled in, on one cluster, after the one before it.

Nothing is reset: each begins with what a learner leaves behind, and must make of it what it says.
"""

import copy
import os
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any
from unittest import mock

import nbclient
import nbformat
import pytest
from click.testing import CliRunner
from requirements import lacking

from kata_lib import addons, engines
from kata_lib.cli import app
from kata_lib.course import notebooks
from kata_lib.course.application import APPLICATION
from kata_lib.course.exercises import step
from kata_lib.course.steps import Step
from kata_lib.errors import EngineError
from kata_lib.lab.lab import connect
from kata_lib.machine import PROJECT
from notebooks import ends

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
            learner = {"CI": "true", "KATA_RESET": "0"}  # checks must be right, and nothing is reset
            yield {**os.environ, **learner, "KATA_NAME": CLUSTER, "PYTHONPATH": root}
        finally:
            engines.select(APPLICATION, cluster=CLUSTER).stop()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("notebooks")
    written = CliRunner().invoke(app, ["notebooks", str(folder)])
    assert written.exit_code == 0, written.output
    return folder


def nbval(file: Path, environment: dict[str, str], seconds: int = CELL_SECONDS) -> tuple[int, str]:
    """Run one notebook as a test of its own; return pytest's exit code and what it said.

    In this process, where pytest and nbval are loaded; nbval's own limit is two thousand seconds a cell.
    """
    options = ["-q", "-s", "-p", "nbval", "-p", "no:cacheprovider", "--nbval-lax"]
    place = ["-c", os.devnull, "--rootdir", str(file.parent), str(file)]
    alone = {**environment, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    with mock.patch.dict(os.environ, alone), redirect_stdout(StringIO()) as said:
        code = pytest.main([*options, f"--nbval-cell-timeout={seconds}", *place])
    return code, said.getvalue()


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


BEGINS = """from kata_lib.course import beginning, exercises
assert beginning.differences(lab.cluster, exercises.step("{name}")) == []"""


def with_its_beginning_looked_at(file: Path, place: Path) -> Path:
    """Write a notebook again, with a cell after its first that asks whether it begins as it says."""
    built = nbformat.read(file, as_version=4)
    first = next(number for number, cell in enumerate(built.cells) if cell.cell_type == "code")
    built.cells.insert(first + 1, nbformat.v4.new_code_cell(BEGINS.format(name=file.stem)))
    nbformat.write(built, place / file.name)
    return place / file.name


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_begins_as_it_says_and_runs_with_its_solutions(
    name: str,
    folder: Path,
    environment: dict[str, str],
    give_counters: Callable[[Path], None],
    tmp_path: Path,
) -> None:
    wanted = step(name)
    provide(wanted, give_counters)
    file = with_its_beginning_looked_at(folder / f"{name}.ipynb", tmp_path)
    code, said = nbval(file, environment, wanted.cell_seconds)
    assert code == pytest.ExitCode.OK, said
    cluster = connect(cluster=CLUSTER).cluster
    assert ends.same(ends.end(cluster), ends.recorded()[f"solved {name}"], cluster), ends.HOW


def test_a_solution_left_out_fails_by_the_name_of_its_check(
    folder: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    damaged = (folder / "02-canary.ipynb").read_text()
    apply = 'lab.apply(\\"deploy/virtual-service-canary.yaml\\")'
    assert apply in damaged
    file = tmp_path / "damaged.ipynb"
    file.write_text(damaged.replace(apply, "pass", 1))
    code, said = nbval(file, environment)
    assert code == pytest.ExitCode.TESTS_FAILED
    assert "canary-10: wrong" in said
    assert "Was the file applied" in said


def place_of(built: nbformat.NotebookNode, tag: str, text: str) -> int:
    """Return the place of the first cell of that tag that has the text."""
    return next(
        number
        for number, cell in enumerate(built["cells"])
        if tag in cell["metadata"].get("tags", []) and text in "".join(cell["source"])
    )


def test_a_new_kernel_begins_the_step_again_and_says_what_that_took(environment: dict[str, str]) -> None:
    """Half of 02 in one kernel; another runs the notebook from its top and says what went."""
    source = (notebooks.SOURCES / "02-canary.py").read_text()
    built = nbformat.reads(notebooks.text(notebooks.build(source, solutions=True)), as_version=4)
    half = place_of(built, "solution", "virtual-service-canary.yaml")

    def run(cells: list[Any]) -> str:
        """Run cells in a kernel of their own and return what they printed."""
        notebook = nbformat.v4.new_notebook(cells=copy.deepcopy(cells))
        client = nbclient.NotebookClient(notebook, timeout=CELL_SECONDS, kernel_name="python3")
        client.execute(env={k: v for k, v in environment.items() if k not in ("KATA_RESET", "CI")})
        outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
        return "".join(output.get("text") or output["data"].get("text/plain", "") for output in outputs)

    weights = nbformat.v4.new_code_cell('lab.set_weights({"name-v2": 30})')
    run([*built["cells"][: half + 1], weights])
    said = run([*built["cells"][:half], nbformat.v4.new_code_cell("lab.weights()")])
    assert "removed VirtualService name (weights name-v1=70 name-v2=30), DestinationRule name" in said
    assert "{}" in said
