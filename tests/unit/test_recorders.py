"""scripts/record says what is missing in a lab, and of which versions each set was recorded last."""

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kata_lib import versions
from recorders import recorded
from recorders.__main__ import app
from recorders.lab import Lab, LabError
from recorders.sets import SETS


def test_of_every_set_it_is_known_of_which_versions_it_was() -> None:
    assert recorded.all_sets().keys() == SETS.keys()


def test_what_the_engine_answers_was_recorded_of_its_own_versions() -> None:
    of_the_engine = ("api", "kubectl", "kubernetes-schemas", "protobuf-fields")
    assert {recorded.all_sets()[name]["kubernetes"] for name in of_the_engine} == {versions.KUBERNETES}
    assert recorded.all_sets()["kubectl"]["kubectl"] == versions.KUBECTL
    assert recorded.all_sets()["gateway-api-definitions"]["gateway_api"] == versions.GATEWAY_API
    assert recorded.all_sets()["istio-schemas"]["istio"] == versions.ISTIO


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (lambda folder: Lab().cluster, "--kubeconfig FILE says which"),
        (lambda folder: Lab(folder / "config").cluster, "config, which is no file"),
        (lambda folder: Lab(programs=folder).program("no-such-program"), "--programs FOLDER"),
        (lambda folder: Lab().module("k8s.io/api"), "--modules"),
        (lambda folder: Lab(modules=folder).module("k8s.io/api"), "go mod download k8s.io/api@v0."),
    ],
)
def test_what_a_lab_lacks_is_said_with_what_gives_it(
    asked: Callable[[Path], object], said: str, tmp_path: Path
) -> None:
    with pytest.raises(LabError, match=said):
        asked(tmp_path)


def test_the_command_lists_the_sets_and_knows_no_other() -> None:
    listed = CliRunner().invoke(app, [])
    assert listed.exit_code == 0
    assert "kubernetes-schemas" in listed.output
    wrong = CliRunner().invoke(app, ["nothing"])
    assert wrong.exit_code == 1
    assert "There is no set nothing" in wrong.output


def test_a_lab_that_does_not_answer_ends_the_command_with_a_line(tmp_path: Path) -> None:
    ended = CliRunner().invoke(app, ["api", "--kubeconfig", str(tmp_path / "none")])
    assert ended.exit_code == 1
    assert ended.output.startswith("api: --kubeconfig names")
