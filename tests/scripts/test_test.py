"""The exit status of scripts/test, with stand-ins for its tools that pass or fail and do nothing else."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ["ruff", "mypy", "pytest", "npm"]
SCRIPTS = [
    ".ci/run",
    ".binder/postBuild",
    ".binder/start",
    "deploy/hub/single-user",
    "etc/one.sh",
    "etc/one.bashrc",
]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with scripts/test, a set-up that does nothing, and tools that fail where FAIL-name is."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / "scripts" / "test", tmp_path / "scripts")
    program(tmp_path / "scripts" / "setup", "exit 0")
    for tool in TOOLS:
        program(tmp_path / ".venv" / "bin" / tool, f"test ! -e FAIL-{tool}")
    for script in SCRIPTS:
        program(tmp_path / script, "true")
    return tmp_path


def program(path: Path, line: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/bash\n{line}\n")
    path.chmod(0o755)


def run(project: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [project / "scripts" / "test"],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_it_succeeds_where_everything_passes(project: Path) -> None:
    done = run(project)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("tool", "named"), [(tool, "pytest" if tool == "pytest" else "checks") for tool in TOOLS]
)
def test_it_fails_and_names_what_failed(project: Path, tool: str, named: str) -> None:
    (project / f"FAIL-{tool}").touch()
    done = run(project)
    assert done.returncode == 1
    assert f"failed: {named}" in done.stderr
