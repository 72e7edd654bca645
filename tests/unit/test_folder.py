"""A learner's folder beside the project: what the workshop brings, and what the learner changed."""

from collections.abc import Callable
from pathlib import Path

import pytest

from kata_lib.course import folder as folders
from kata_lib.course import notebooks, originals
from kata_lib.errors import KataError

NOTEBOOK, MANIFEST = "notebooks/01-deploy.ipynb", "deploy/v1/name.yaml"
FIRST = {NOTEBOOK: b"first", MANIFEST: b"first"}
SECOND = {NOTEBOOK: b"second", MANIFEST: b"first"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A learner's folder of the first version."""
    folders.bring(FIRST, tmp_path / "learner", "1.0")
    return tmp_path / "learner"


def test_an_upgrade_renews_what_is_as_it_was_brought(folder: Path) -> None:
    assert folders.bring(SECOND, folder, "2.0") == folders.Filled("1.0", ())
    assert (folder / NOTEBOOK).read_bytes() == b"second"


def test_an_upgrade_keeps_what_the_learner_wrote_and_names_it(folder: Path) -> None:
    for file in (NOTEBOOK, MANIFEST, "notes.txt"):
        (folder / file).write_text("mine")
    assert folders.bring(SECOND, folder, "2.0").kept == (NOTEBOOK,)  # of the manifest there is no newer one
    for file in (NOTEBOOK, MANIFEST, "notes.txt"):
        assert (folder / file).read_text() == "mine"


def test_what_stayed_once_stays_until_it_has_another_name(folder: Path) -> None:
    (folder / NOTEBOOK).write_text("mine")
    for _ in range(2):
        folders.bring(SECOND, folder, "2.0")
    assert (folder / NOTEBOOK).read_text() == "mine"
    (folder / NOTEBOOK).rename(folder / "mine.ipynb")
    folders.bring(SECOND, folder, "2.0")
    assert (folder / NOTEBOOK).read_bytes() == b"second"
    assert (folder / "mine.ipynb").read_text() == "mine"


def test_a_folder_of_something_else_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(KataError, match="nothing in it is overwritten"):
        folders.bring(FIRST, tmp_path, "1.0")
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.txt"]


def _nothing(folder: Path) -> None:
    pass


def _empty(folder: Path) -> None:
    folder.mkdir()


def _with_state(folder: Path) -> None:
    (folder / ".kata" / "kata").mkdir(parents=True)


@pytest.mark.parametrize("before", [_nothing, _empty, _with_state])
def test_a_new_folder_has_what_a_learner_works_with(before: Callable[[Path], None], tmp_path: Path) -> None:
    folder = tmp_path / "learner"
    before(folder)
    assert folders.fill(folder) == [
        f"The workshop is in {folder}: notebooks, manifests, and its state in .kata."
    ]
    assert len(list((folder / "notebooks").iterdir())) == len([*notebooks.PAGES, *notebooks.sources()])
    assert [file for file in originals.texts() if not (folder / file).is_file()] == []
    assert (folder / "scripts/loop-query.sh").stat().st_mode & 0o100
    assert (folder / "deploy/app/sentences.py").is_file()
    assert folders.fill(folder) == [f"The workshop is in {folder}."]
