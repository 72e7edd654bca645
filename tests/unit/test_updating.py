"""`kata update`: a clone goes to its upstream, a folder to its installation; nothing of theirs is lost."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from kata_lib.course import notebooks, updating
from kata_lib.course.notebooks import BROUGHT, Notebook
from kata_lib.course.updating import UpdateError

FIRST = "# %% [markdown]\n# # Title\n# %% tags=your-turn\nb = ...\n# %%\nlab.sample()\n"
CORRECTED = FIRST.replace("# # Title", "# # Corrected")
NAME = "notebooks/02-canary.ipynb"
YAML = "deploy/canary.yaml"


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


def publish(upstream: Path, source: str, yaml: str = "weight: 10\n") -> None:
    """Commit what the workshop is now."""
    for name, text in ((NAME, notebooks.text(notebooks.build(source, solutions=False))), (YAML, yaml)):
        (upstream / name).parent.mkdir(exist_ok=True)
        (upstream / name).write_text(text)
    git(upstream, "add", "--all")
    git(upstream, "commit", "--quiet", "--message", "The workshop")


@pytest.fixture
def upstream(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--quiet", "--initial-branch=main", "upstream")
    publish(tmp_path / "upstream", FIRST)
    return tmp_path / "upstream"


@pytest.fixture
def clone(upstream: Path, tmp_path: Path) -> Path:
    git(tmp_path, "clone", "--quiet", str(upstream), "clone")
    return tmp_path / "clone"


def change(file: Path, edit: Callable[[Notebook], object]) -> None:
    notebook = json.loads(file.read_text())
    edit(notebook)
    file.write_text(json.dumps(notebook))


def fill(notebook: Notebook) -> None:
    """Do the turn, and run the last cell."""
    notebook["cells"][1]["source"] = ["b = 2"]
    notebook["cells"][2]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": ["seen"]}]


def cells(file: Path) -> list[tuple[str, object]]:
    found = json.loads(file.read_text())["cells"]
    return [("".join(cell["source"]), cell.get("outputs")) for cell in found]


SEEN = [{"output_type": "stream", "name": "stdout", "text": ["seen"]}]
THEIRS = [("# Corrected", None), ("b = 2", []), ("lab.sample()", SEEN)]


def test_who_has_begun_gets_the_corrected_cells_and_keeps_theirs(upstream: Path, clone: Path) -> None:
    change(clone / NAME, fill)
    publish(upstream, CORRECTED)
    with pytest.raises(subprocess.CalledProcessError):
        git(clone, "pull")
    said = updating.from_upstream(clone)
    assert said[:2] == ["Brought: 1 file.", "02-canary: 1 new or corrected."]
    assert cells(clone / NAME) == THEIRS
    assert git(clone, "rev-parse", "HEAD") == git(upstream, "rev-parse", "HEAD")
    assert git(clone, "stash", "list") == ""
    assert updating.from_upstream(clone) == ["The workshop is as new as where it came from."]


def test_an_update_that_was_interrupted_is_finished_by_the_next(upstream: Path, clone: Path) -> None:
    change(clone / NAME, fill)
    publish(upstream, CORRECTED)
    git(clone, "fetch")
    git(clone, "stash", "push", "--message", "kata update", "--", NAME)
    git(clone, "merge", "--ff-only", "origin/main")
    assert updating.from_upstream(clone) == ["02-canary: 1 new or corrected."]
    assert cells(clone / NAME) == THEIRS
    assert git(clone, "stash", "list") == ""


def test_a_stash_of_the_learners_own_is_left_alone(upstream: Path, clone: Path) -> None:
    (clone / YAML).write_text("weight: 50\n")
    git(clone, "stash", "push")
    change(clone / NAME, fill)
    publish(upstream, CORRECTED)
    updating.from_upstream(clone)
    assert cells(clone / NAME) == THEIRS
    assert len(git(clone, "stash", "list").splitlines()) == 1


def test_one_that_does_not_say_what_was_brought_is_known_by_the_clone(upstream: Path, clone: Path) -> None:
    change(clone / NAME, fill)
    change(clone / NAME, lambda notebook: notebook["metadata"].pop(BROUGHT))
    publish(upstream, CORRECTED)
    updating.from_upstream(clone)
    assert cells(clone / NAME) == THEIRS


def test_a_notebook_that_cannot_be_read_is_left_as_it_is(upstream: Path, clone: Path) -> None:
    (clone / NAME).write_text("{")
    publish(upstream, CORRECTED)
    assert "02-canary: yours is left as it is." in "\n".join(updating.from_upstream(clone))
    assert (clone / NAME).read_text() == "{"


def test_where_a_manifest_of_theirs_is_in_the_way_everything_stays_and_git_says_why(
    upstream: Path, clone: Path
) -> None:
    change(clone / NAME, fill)
    (clone / YAML).write_text("weight: 50\n")
    before = (clone / NAME).read_text()
    publish(upstream, CORRECTED, yaml="weight: 11\n")
    with pytest.raises(UpdateError, match=rf"(?s)git merge refuses: .*{YAML}"):
        updating.from_upstream(clone)
    assert (clone / NAME).read_text() == before
    assert (clone / YAML).read_text() == "weight: 50\n"
    assert git(clone, "stash", "list") == ""


def test_what_is_no_clone_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(UpdateError, match=r"git rev-parse refuses: .*not a git repository"):
        updating.from_upstream(tmp_path)


def test_without_git_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UpdateError, match="git is not installed"):
        updating.from_upstream(tmp_path)


def test_a_folder_beside_an_installation_takes_its_notebooks(tmp_path: Path) -> None:
    (tmp_path / "notebooks").mkdir()
    notebooks.write(tmp_path / "notebooks", solutions=False)
    mine = tmp_path / NAME
    change(mine, lambda notebook: notebook["cells"].append({**notebook["cells"][2], "id": "mine"}))
    (tmp_path / "notebooks/00-setup.ipynb").unlink()
    older = notebooks.build(FIRST, solutions=False)
    (tmp_path / "notebooks/01-deploy.ipynb").write_text(notebooks.text(older))
    kept = len(cells(mine))
    said = updating.from_installation(tmp_path)
    assert len(cells(mine)) == kept
    assert said[0] == "00-setup: is new."
    assert said[1].startswith("01-deploy: ")
    assert len(said) == 3
    assert updating.from_installation(tmp_path) == ["The notebooks are as new as the workshop's."]
