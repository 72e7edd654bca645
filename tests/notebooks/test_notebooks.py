"""Every notebook runs under nbval, its solutions filled in, on a cluster of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kata_lib import engines, notebooks

CELL_SECONDS = 60
CLUSTER = "nbval"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Yield the environment of a run without a person; its cluster is removed afterwards."""
    home = tmp_path_factory.mktemp("home")
    root = str(notebooks.PROJECT)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KATA_HOME", str(home))
        yield {**os.environ, "KATA_NAME": CLUSTER, "KATA_RESET": "1", "PYTHONPATH": root}
        engines.select(cluster=CLUSTER).stop()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("notebooks")
    notebooks.write(folder, solutions=True)
    return folder


def nbval(file: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run one notebook as a test of its own; nbval's own limit is two thousand seconds a cell."""
    options = ["-q", "--nbval-lax", f"--nbval-cell-timeout={CELL_SECONDS}", "-p", "no:cacheprovider"]
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
        timeout=180,
        check=False,
    )


@pytest.mark.parametrize("name", [source.stem for source in notebooks.sources()])
def test_the_notebook_with_its_solutions(name: str, folder: Path, environment: dict[str, str]) -> None:
    done = nbval(folder / f"{name}.ipynb", environment)
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
