"""scripts/setup as a person runs it: what it refuses, and that it leaves nothing half-made."""

import itertools
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PARTS = ["scripts/*", "kata_lib/*.*", "pyproject.toml", "etc/installed/bin/*", "*.lock"]
"""What the set-up reads before there is an environment: patterns in the project."""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project's set-up, without an environment."""
    for file in filter(Path.is_file, itertools.chain.from_iterable(map(ROOT.glob, PARTS))):
        copy = tmp_path / "project" / file.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, copy)
    return tmp_path / "project"


def setup(project: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [project / "scripts/setup"],
        env={**kept, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_python_that_is_too_old_is_named_with_its_version(project: Path, tmp_path: Path) -> None:
    old = tmp_path / "bin" / "python3"
    old.parent.mkdir()
    old.write_text('#!/bin/sh\ncase "$2" in *print*) echo 3.9.2;; *) exit 1;; esac\n')
    old.chmod(0o755)
    for tool in ("bash", "dirname"):
        (old.parent / tool).symlink_to(shutil.which(tool) or tool)
    done = setup(project, PATH=str(old.parent))
    assert done.returncode == 1
    assert "Python 3.11 or newer is needed." in done.stderr
    assert f"{old} is 3.9.2" in done.stderr
    assert "KATA_PYTHON=" in done.stderr


def test_without_a_package_index_nothing_half_made_is_left(project: Path) -> None:
    done = setup(
        project,
        KATA_PYTHON=sys.executable,
        PIP_INDEX_URL="http://127.0.0.1:9/simple",  # the port of `discard`: nobody listens
        PIP_RETRIES="1",
        PIP_NO_CACHE_DIR="1",
        PIP_CONFIG_FILE=os.devnull,
    )
    assert done.returncode == 1
    assert "The package index cannot be reached." in done.stderr
    assert "PIP_INDEX_URL" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (project / ".venv").exists()
    assert "Retrying" in (project / ".kata" / "setup.log").read_text()
