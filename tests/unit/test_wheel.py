"""The wheel by itself: built, unpacked, and run from there, in a folder that is none of the project's."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

import pdm_build
from kata_lib.course import folder as folders
from kata_lib.course import notebooks
from kata_lib.machine import PROJECT

SOURCE = (
    "deploy",
    "docs",
    "etc",
    "kata_lib",
    "notebooks",
    "scripts",
    "LICENSE",
    "README.md",
    "pdm_build.py",
    "pyproject.toml",
    "requirements.lock",
)
READ = """
import json
from pathlib import Path

from kata_lib import delivery, machine
from kata_lib.cluster import manifests
from kata_lib.course import notebooks, originals
from kata_lib.course.application import APPLICATION

folder = Path("solved")
folder.mkdir()
print(json.dumps({
    "folder": str(machine.WORKSHOP),
    "state": str(machine.state_folder()),
    "edited": originals.edited(),
    "program": (APPLICATION.source / APPLICATION.program).is_file(),
    "objects": len(manifests.load("deploy/v1")),
    "released": delivery.read("deploy/rollouts/v2.yaml").service,
    "notebooks": len(notebooks.write(folder, solutions=True)),
}))
"""
"""Reads each kind of file that the wheel brings."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, as the project's build backend makes it of the source that a release has too."""
    project, made = tmp_path_factory.mktemp("project"), tmp_path_factory.mktemp("wheel")
    left_out = shutil.ignore_patterns("__pycache__", ".*")
    for name in SOURCE:
        if (PROJECT / name).is_dir():
            shutil.copytree(PROJECT / name, project / name, ignore=left_out)
        else:
            shutil.copy(PROJECT / name, project)
    built("sdist", project, project)
    (source,) = project.glob("*.tar.gz")
    shutil.unpack_archive(source, project / "source")
    (unpacked,) = (project / "source").iterdir()
    built("wheel", unpacked, made)
    (file,) = made.iterdir()
    return file


def built(what: str, project: Path, folder: Path) -> None:
    build = f"from pdm import backend; backend.build_{what}({str(folder)!r})"
    subprocess.run([sys.executable, "-c", build], cwd=project, check=True, timeout=60)


@pytest.fixture(scope="module")
def installed(wheel: Path) -> Path:
    """The folder that has the wheel's packages."""
    folder = wheel.parent / "installed"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def run(installed: Path, home: Path, *command: str, **environment: str) -> str:
    """Run Python with the wheel's packages, as who never had anything of the workshop."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("KATA_", "XDG_"))}
    done = subprocess.run(
        [sys.executable, "-P", *command],
        cwd=home,
        env={**kept, "HOME": str(home), "PYTHONPATH": str(installed), **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.stdout + done.stderr


def read(installed: Path, home: Path) -> Mapping[str, Any]:
    found: dict[str, Any] = json.loads(run(installed, home, "-c", READ))
    return found


def files(folder: Path) -> set[Path]:
    return {file.relative_to(folder) for file in folder.rglob("*") if file.is_file()}


def test_it_writes_a_folder_and_reads_there_all_that_a_checkout_does(installed: Path, tmp_path: Path) -> None:
    opening = ("-m", "kata_lib.cli.opening", "--write")
    folder = tmp_path / "canary-kata"
    assert f"The workshop is in {folder}:" in run(installed, tmp_path, *opening)
    assert read(installed, tmp_path) == {
        "folder": str(folder),
        "state": str(folder / ".kata"),
        "edited": [],
        "program": True,
        "objects": 6,
        "released": "name",
        "notebooks": len(list((PROJECT / "notebooks").glob("*.ipynb"))),
    }
    folders.fill(tmp_path / "of-the-checkout")
    assert files(folder) == files(tmp_path / "of-the-checkout")
    manifest = folder / "deploy/v1/name.yaml"
    manifest.write_text(f"{manifest.read_text()}  labels: {{mine: mine}}\n")
    run(installed, tmp_path, *opening, "--folder", str(folder))
    assert "mine" in manifest.read_text()


def test_an_upgrade_corrects_notebooks_and_keeps_what_the_learner_wrote(
    installed: Path, tmp_path: Path
) -> None:
    opening = ("-m", "kata_lib.cli.opening", "--write")
    run(installed, tmp_path, *opening)
    place, note = (
        tmp_path / "canary-kata/notebooks/02-canary.ipynb",
        tmp_path / "canary-kata/.kata/brought.json",
    )
    brought = place.read_text()
    older = json.loads(brought)
    first, ids = older["cells"][0], older["metadata"][notebooks.BROUGHT]["cells"].split()
    first["source"] = ["# Of an older version"]
    first["id"] = ids[0] = notebooks.cell_id(0, "# Of an older version")
    older["metadata"][notebooks.BROUGHT]["cells"] = " ".join(ids)
    older["cells"].insert(1, {"cell_type": "markdown", "id": "own", "metadata": {}, "source": ["Mine."]})
    place.write_text(notebooks.text(older))
    own = place.with_name("own.ipynb")
    own.write_text("{}")
    known = json.loads(note.read_text())
    known["files"][str(place.relative_to(tmp_path / "canary-kata"))] = "an older version's"
    note.write_text(json.dumps(known | {"version": "0.0.9"}))
    said = run(installed, tmp_path, *opening)
    assert "it was of 0.0.9" in said
    assert "02-canary: 1 new or corrected." in said
    assert "own" not in said
    now = json.loads(place.read_text())
    assert now["cells"].pop(1)["source"] == ["Mine."]
    assert now == json.loads(brought)
    assert own.read_text() == "{}"


def test_kata_without_a_folder_says_which_command_makes_one(installed: Path, tmp_path: Path) -> None:
    assert "`canary-kata` makes one" in run(installed, tmp_path, "-m", "kata_lib.cli", "status")
    assert list(tmp_path.iterdir()) == []


def test_it_has_every_file_of_the_package_and_the_command(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        scripts = [entry for entry in archive.infolist() if entry.filename.endswith(".data/scripts/kata")]
    package = (file for file in (PROJECT / "kata_lib").rglob("*") if file.is_file())
    files = [str(file.relative_to(PROJECT)) for file in package if file.suffix != ".pyc"]
    assert set(files) <= names
    assert {f"{pdm_build.PLACE}/{file.relative_to(PROJECT)}" for file in pdm_build.shipped(PROJECT)} <= names
    assert [entry.external_attr >> 16 & 0o111 for entry in scripts] == [0o111]


def test_it_requires_the_versions_of_the_lock(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        lines = archive.read(metadata).decode().splitlines()
    required = [line.removeprefix("Requires-Dist: ") for line in lines if line.startswith("Requires-Dist: ")]
    text = (PROJECT / "requirements.lock").read_text()
    assert len(required) == text.count("==") - text.count('== "') - text.count("== '")
    assert {specifier.operator for line in required for specifier in Requirement(line).specifier} == {"=="}
