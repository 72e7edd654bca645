"""`kata new`: its skeleton holds what is asked of every exercise, and its own test passes, unedited."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kata_lib.course.notebooks import new
from kata_lib.errors import KataError
from kata_lib.machine import PROJECT

PARTS = ("deploy", "docs", "kata_lib", "notebooks", "scripts", "tests/unit", "tests/reference")
FILES = ("README.md", "RATIONALE.md", "CONTRIBUTING.md", "pyproject.toml")
LIMIT = 300.0


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a copy of this checkout, as far as an exercise touches it."""
    for part in PARTS:
        left_out = shutil.ignore_patterns("__pycache__", "*.json.gz", "kubectl")
        shutil.copytree(PROJECT / part, tmp_path / part, ignore=left_out)
    for file in (*map(PROJECT.joinpath, FILES), *(PROJECT / "tests").glob("*.py")):
        shutil.copyfile(file, tmp_path / file.relative_to(PROJECT))
    return tmp_path


def run(checkout: Path, *command: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": str(checkout)},
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_skeleton_is_an_exercise(checkout: Path) -> None:
    run(checkout, "kata_lib.cli", "new", "95-of-my-own")
    assert "| [95-of-my-own](notebooks/95-of-my-own.ipynb) |" in (checkout / "README.md").read_text()
    written = list(new.files("95-of-my-own").values())
    run(checkout, "ruff", "check", *written)
    run(checkout, "ruff", "format", "--check", *written)
    tests = (written[-1], "tests/unit/test_notebooks_source.py")
    run(checkout, "pytest", "-q", "-p", "no:cacheprovider", "-k", "own or document", *tests)


@pytest.mark.parametrize(
    ("name", "said"),
    [("Outliers", "Expected a name"), ("02-outliers", "02-canary already"), ("canary", "02-canary already")],
)
def test_a_name_that_is_none_or_taken_is_refused(name: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(KataError, match=said):
        new.make(name, tmp_path)
    assert not list(tmp_path.iterdir())
