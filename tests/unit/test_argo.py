"""kata_lib.delivery.argo: what the controller wrote is told, a person's word is the plugin's patch."""

import copy
from typing import Any

import pytest
from api_server import Api
from argo_stages import STAGES, install, put, recorded

from kata_lib.cluster.cluster import Cluster
from kata_lib.delivery import argo
from kata_lib.delivery.argo.state import RolloutState, read, step_name
from kata_lib.errors import ClusterError, ReleaseError, WaitTimeout

TOLD = {
    "v1-alone": ("Healthy", 6, 100, "v1", "", False),
    "measured-once-at-1": ("Progressing", 1, 1, "v2", "v1", False),
    "at-50": ("Progressing", 5, 50, "v2", "v1", False),
    "promoted": ("Healthy", 6, 100, "v2", "v1", False),
    "aborted-by-analysis": ("Degraded", 0, 0, "v3", "v2", False),
    "inconclusive-without-requests": ("Paused", 1, 1, "v2", "v1", True),
    "aborted-by-hand": ("Degraded", 0, 0, "v2", "v1", False),
    "paused-for-a-time": ("Paused", 1, 20, "v2", "v1", False),
    "paused-for-a-person": ("Paused", 3, 60, "v2", "v1", True),
    "paused-by-hand": ("Paused", 3, 60, "v2", "v1", True),
}
"""Of each stage: phase, step, weight, canary, stable, whether it asks for a person."""


@pytest.fixture
def cluster(api: Api) -> Cluster:
    return api.cluster()


def of(stage: dict[str, Any]) -> RolloutState:
    return read(stage["rollout"], stage["runs"], stage["replicaSets"])


def at(api: Api, stage: str) -> argo.ArgoRollout:
    put(api, stage)
    return argo.find(api.cluster(), "name")


@pytest.mark.parametrize("stage", STAGES)
def test_a_recorded_stage_is_told_as_it_is(stage: str) -> None:
    state = of(recorded(stage))
    told = (state.phase, state.step, state.weight, state.canary, state.stable, state.asks)
    assert told == TOLD[stage]
    assert not state.asks or state.reason


def test_every_stage_was_recorded() -> None:
    assert set(STAGES) == set(TOLD)


def test_what_the_controller_has_not_seen_has_not_begun() -> None:
    applied = recorded("v1-alone")
    rollout = applied["rollout"]
    rollout["metadata"]["generation"] += 1
    rollout["spec"]["template"]["metadata"]["labels"]["version"] = "v2"
    state = of(applied)
    assert (state.phase, state.observed, state.ended) == ("Progressing", False, False)
    assert (state.canary, state.weight, state.stable, state.step) == ("v2", 0, "v1", 0)


def test_a_release_has_ended_once_stable_has_the_weight() -> None:
    handed_over = recorded("promoted")
    weights = handed_over["rollout"]["status"]["canary"]["weights"]
    assert weights["canary"]["weight"] == 0
    assert of(handed_over).ended
    weights["canary"]["weight"] = 100
    assert (of(handed_over).phase, of(handed_over).ended) == ("Healthy", False)


def test_a_pause_that_somebody_ended_is_no_pause_any_more() -> None:
    resumed = recorded("paused-for-a-person")
    del resumed["rollout"]["status"]["pauseConditions"]
    assert of(resumed).phase == "Progressing"


def test_measurements_say_value_rule_and_weight() -> None:
    state = of(recorded("promoted"))
    assert [m.weight for m in state.measurements] == [1, 1, 10, 10, 50, 50]
    assert {m.phase for m in state.measurements} == {"Successful"}
    assert str(state.measurements[0]) == "success-rate [1]: Successful"
    failed = of(recorded("aborted-by-analysis")).measurements
    assert [m.phase for m in failed] == ["Failed"]
    assert "failure: len(result) > 0 && result[0] < 0.95" in str(failed[0])
    assert [m.at for m in state.measurements] == sorted(m.at for m in state.measurements)


def test_steps_have_names() -> None:
    steps: list[dict[str, Any]] = [
        {"setWeight": 5},
        {"pause": {}},
        {"pause": {"duration": "10s"}},
        {"analysis": {"templates": []}},
    ]
    assert [step_name(s) for s in steps] == ["setWeight 5", "pause", "pause 10s", "analysis"]


def test_each_weight_is_noted_when_it_is_seen_first(api: Api) -> None:
    rollout = at(api, "v1-alone")
    for stage in ("measured-once-at-1", "at-50", "promoted"):
        put(api, stage)
        _ = rollout.state
    assert list(rollout.moments()) == ["1 %", "50 %", "100 %"]
    assert rollout.reached() == 100
    assert rollout.seconds() >= 0
    assert len(rollout.history()) == 6
    lines = rollout.lines(rollout.state)
    assert any(("Progressing" in line and "setWeight" in line) or "analysis" in line for line in lines)


def test_waiting_ends_with_the_release_and_says_each_line_once(api: Api) -> None:
    said: list[str] = []
    at(api, "aborted-by-analysis").wait(say=said.append)
    assert len(said) == len(set(said)) == 2
    assert "Degraded (RolloutAborted: " in said[-1]


def test_waiting_is_bounded(api: Api) -> None:
    with pytest.raises(WaitTimeout, match=r"not there after 0 s. Last seen: Progressing.* v2 1 %, v1 99 %"):
        at(api, "measured-once-at-1").wait(timeout=0, say=lambda line: None)


def test_a_persons_word_is_the_plugins_patch(api: Api, cluster: Cluster) -> None:
    def status() -> Any:
        found = cluster.get(argo.API, argo.KIND, "name")
        assert found is not None
        return found["status"]

    at(api, "paused-for-a-person").promote()
    assert "pauseConditions" not in status()
    assert status()["currentStepIndex"] == 3  # the controller goes on by itself
    at(api, "measured-once-at-1").promote()
    assert status()["currentStepIndex"] == 2
    rollout = at(api, "paused-by-hand")
    rollout.promote()
    found = cluster.get(argo.API, argo.KIND, "name")
    assert found is not None
    assert found["spec"]["paused"] is False
    rollout.pause()
    rollout.promote_fully()
    assert status()["promoteFull"] is True
    rollout.abort()
    assert status()["abort"] is True
    at(api, "aborted-by-hand").retry()
    assert status()["abort"] is False


@pytest.mark.parametrize("command", ["promote", "promote_fully", "abort"])
def test_what_has_ended_refuses_a_word(api: Api, command: str) -> None:
    with pytest.raises(ReleaseError, match="has ended"):
        getattr(at(api, "promoted"), command)()


def test_without_argo_rollouts_the_words_say_what_installs_it(api: Api, cluster: Cluster) -> None:
    with pytest.raises(
        ClusterError, match=r"no Argo Rollouts.*`kata addons install rollouts`.*--engine kind"
    ):
        argo.find(cluster, "name")
    argo.forget(cluster)  # nothing to do
    install(api)
    with pytest.raises(ReleaseError, match="no Rollout name: apply its manifest first"):
        argo.find(cluster, "name")


def test_a_rollout_on_which_nobody_acts_is_told(
    api: Api, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(api)
    cluster.apply("deploy/rollouts/argo-rollouts/rollout-v1.yaml")
    monkeypatch.setattr(argo, "SEEN_SECONDS", 0.0)
    with pytest.raises(
        WaitTimeout, match=r"Nobody acts on the Rollout name.*Is the Argo Rollouts controller running"
    ):
        argo.until_healthy(cluster, "name")
    put(api, "v1-alone")
    argo.until_healthy(cluster, "name")
    argo.forget(cluster)
    assert cluster.objects(argo.API, argo.KIND) == []


def test_nothing_of_the_recordings_is_changed_by_reading() -> None:
    stage = recorded("promoted")
    before = copy.deepcopy(stage)
    of(stage)
    assert stage == before
