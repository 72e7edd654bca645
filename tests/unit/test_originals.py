"""kata_lib.course.originals: which manifests a person edited, the difference, and the original back."""

import json
from pathlib import Path

import pytest

from kata_lib.cluster.apply import LAST_APPLIED
from kata_lib.course import originals
from kata_lib.errors import ManifestError
from kata_lib.machine import PROJECT

CANARY = "deploy/virtual-service-canary.yaml"


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder in which the workshop's files are as it brought them."""
    for name, text in originals.texts().items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(originals, "WORKSHOP", tmp_path)
    return tmp_path


def test_what_is_kept_is_what_lies_in_deploy() -> None:
    """`python -m kata_lib.course.originals` keeps a change of deploy/."""
    files = {
        str(file.relative_to(PROJECT)): originals.original(file.read_text())
        for file in (PROJECT / "deploy").rglob("*.yaml")
        if "hub" not in file.parts
    }
    assert json.loads(originals._KEPT.read_text()) == files


def test_an_edited_file_is_noticed_and_a_comment_is_none(copy: Path) -> None:
    file = copy / CANARY
    file.write_text(f"# my canary\n{file.read_text()}")
    assert originals.edited() == []
    file.write_text(file.read_text().replace("weight: 90", "weight: 80"))
    assert originals.edited() == originals.edited(CANARY) == [CANARY]
    assert originals.edited("deploy/v1") == []
    assert "-      weight: 90\n+      weight: 80\n" in originals.difference(CANARY)
    (copy / "deploy/v2/name-v2.yaml").unlink()
    assert originals.edited("deploy/v2") == ["deploy/v2/name-v2.yaml"]


def test_the_original_comes_back_and_nothing_is_lost(copy: Path) -> None:
    file = copy / CANARY
    for text in ("mine: 1\n", "mine: 2\n"):
        file.write_text(text)
        kept = originals.restore(CANARY)
        assert kept is not None
        assert kept.read_text() == text
        assert file.read_text() == originals.texts()[CANARY]
    assert sorted(path.name for path in copy.glob("deploy/*.mine*")) == [
        "virtual-service-canary.yaml.mine",
        "virtual-service-canary.yaml.mine2",
    ]
    assert originals.restore(CANARY) is None
    file.unlink()
    assert originals.restore(CANARY) is None
    assert file.exists()


def test_a_file_that_is_none_of_the_workshops_is_refused(copy: Path) -> None:
    with pytest.raises(ManifestError, match=r"other\.yaml is none of the workshop's files"):
        originals.restore("other.yaml")


def test_objects_are_known_by_the_file_that_makes_them() -> None:
    assert originals.made_by()["Service", "name"] == "deploy/v1/name.yaml"
    assert ("VirtualService", "name") not in originals.made_by()  # it stands in several
    applied = {"metadata": {"name": "age", "annotations": {LAST_APPLIED: "{}"}}, "kind": "Service"}
    assert originals.is_ours(applied)
    assert not originals.is_ours({"metadata": {"name": "age"}, "kind": "Service"})
