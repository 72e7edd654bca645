"""A learner's folder: what the workshop brings, and what the learner changed."""

from pathlib import Path

import pytest

from kata_lib.course import workspace
from kata_lib.errors import KataError

NOTEBOOK, MANIFEST = "notebooks/01-deploy.ipynb", "deploy/v1/name.yaml"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """What a wheel brings, of the first version."""
    source = tmp_path / "brought"
    for file in (NOTEBOOK, MANIFEST, "notebooks/src/01-deploy.py", "etc/open.sh", "scripts/loop-query.sh"):
        (source / file).parent.mkdir(parents=True, exist_ok=True)
        (source / file).write_text(f"{file}, first version")
    (source / "scripts/loop-query.sh").chmod(0o755)
    return source


@pytest.fixture
def folder(source: Path, tmp_path: Path) -> Path:
    """A learner's folder of the first version."""
    workspace.bring(source, tmp_path / "learner", "1.0")
    return tmp_path / "learner"


def newer(source: Path, file: str) -> None:
    (source / file).write_text(f"{file}, second version")


def test_a_new_folder_has_what_a_learner_works_with(folder: Path) -> None:
    there = {str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()}
    assert there == {NOTEBOOK, MANIFEST, "scripts/loop-query.sh", ".kata/brought.json"}
    assert (folder / "scripts/loop-query.sh").stat().st_mode & 0o100


def test_an_upgrade_renews_what_is_as_it_was_brought(source: Path, folder: Path) -> None:
    newer(source, NOTEBOOK)
    assert workspace.bring(source, folder, "2.0") == workspace.Brought("1.0", ())
    assert (folder / NOTEBOOK).read_text().endswith("second version")


def test_an_upgrade_keeps_what_the_learner_wrote_and_names_it(source: Path, folder: Path) -> None:
    newer(source, NOTEBOOK)
    for file in (NOTEBOOK, MANIFEST, "notes.txt"):
        (folder / file).write_text("mine")
    assert workspace.bring(source, folder, "2.0").kept == (NOTEBOOK,)  # of the manifest there is no newer one
    for file in (NOTEBOOK, MANIFEST, "notes.txt"):
        assert (folder / file).read_text() == "mine"


def test_what_stayed_once_stays_until_it_has_another_name(source: Path, folder: Path) -> None:
    newer(source, NOTEBOOK)
    (folder / NOTEBOOK).write_text("mine")
    workspace.bring(source, folder, "2.0")
    workspace.bring(source, folder, "2.0")
    assert (folder / NOTEBOOK).read_text() == "mine"
    (folder / NOTEBOOK).rename(folder / "mine.ipynb")
    workspace.bring(source, folder, "2.0")
    assert (folder / NOTEBOOK).read_text().endswith("second version")
    assert (folder / "mine.ipynb").read_text() == "mine"


def test_a_folder_of_something_else_is_refused_and_stays_as_it_is(source: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("mine")
    with pytest.raises(KataError, match="nothing in it is overwritten"):
        workspace.bring(source, tmp_path / "other", "1.0")
    assert [file.name for file in (tmp_path / "other").iterdir()] == ["thesis.txt"]


def test_an_empty_folder_is_taken(source: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert workspace.bring(source, tmp_path / "empty", "1.0").before is None
