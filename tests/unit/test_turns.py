"""A turn that is open is said at once, however it is done later; what stands in is said and true."""

from pathlib import Path

import ipywidgets
import pytest
from api_server import Api, StartApi
from test_lab import Started

from kata_lib import engines
from kata_lib.course.checks import CheckFailed
from kata_lib.errors import KataError
from kata_lib.lab.lab import Lab, open_lab
from kata_lib.machine import PROJECT


@pytest.fixture
def lab(start_api: StartApi, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Lab:
    monkeypatch.setenv("KATA_HOME", str(tmp_path / "home"))
    api: Api = start_api(injection=False)
    monkeypatch.setattr(engines, "select", lambda *_: Started("kata", api.kubeconfig))
    return open_lab(step="deploy")


def test_an_untouched_turn_is_said_and_a_done_one_too(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    lab.turn("deploy-v2")
    said = capsys.readouterr().out
    assert said.startswith("Your turn above is still open. There is no Deployment name-v2")
    assert "run this cell again" in said
    lab.apply("deploy/v2")
    lab.turn("deploy-v2")
    assert capsys.readouterr().out.endswith("✓ Your turn is done.\n")


def test_where_nobody_watches_an_open_turn_fails(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KATA_RESET", "1")
    with pytest.raises(CheckFailed, match="The turn deploy-v2 is open"):
        lab.turn("deploy-v2")


def test_a_turn_that_there_is_not_lists_those_there_are(lab: Lab) -> None:
    with pytest.raises(KataError, match="deploy-v2, canary"):
        lab.turn("deploy")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("\n", "Expected is a list of steps"),
        ("- setWeight: 100\n  - analysis", "Your text is no YAML"),
        ("- weight: 100\n", "weight"),
    ],
)
def test_steps_that_are_none_are_stood_in_for(
    lab: Lab, capsys: pytest.CaptureFixture[str], text: str, reason: str
) -> None:
    capsys.readouterr()
    assert lab.turn("own-steps", text) == [{"setWeight": 100}, {"analysis": {}}]
    said = capsys.readouterr().out
    assert reason in said
    assert "this is done in its place: a plan with one weight, 100." in said


def test_steps_of_ones_own_are_taken(lab: Lab) -> None:
    assert lab.turn("own-steps", "- setWeight: 50\n- analysis: {}\n")[0] == {"setWeight": 50}


def test_a_control_that_is_linked_is_taken_and_no_other(lab: Lab, capsys: pytest.CaptureFixture[str]) -> None:
    control = ipywidgets.BoundedIntText(max=100)
    for made, reason in ((..., "still dots"), (5, "found 5"), (control, "not linked with lab.weight")):
        capsys.readouterr()
        assert lab.turn("control", made) is not made
        assert reason in capsys.readouterr().out
    ipywidgets.link((lab.weight, "value"), (control, "value"))
    assert lab.turn("control", control) is control


def test_yaml_with_gaps_is_not_applied_and_without_them_it_is(
    lab: Lab, capsys: pytest.CaptureFixture[str]
) -> None:
    rule = (PROJECT / "deploy/virtual-service-canary.yaml").read_text()
    capsys.readouterr()
    lab.apply_yaml(rule.replace("weight: 10", "weight: ..."))
    assert (
        "Nothing is applied yet, for there are still dots in it. line 25: weight: ..."
        in capsys.readouterr().out
    )
    assert lab.weights() == {}
    lab.apply_yaml(rule)
    assert lab.weights() == {"name-v1": 90, "name-v2": 10}
