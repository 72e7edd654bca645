"""What Argo Rollouts writes into its objects, stage by stage: tests/reference/argo-rollouts.

It takes five minutes, on a kind cluster with the add-ons prometheus and rollouts, which `kata` finds by
the environment as it always does (KATA_NAME, KATA_ENGINE=kind, KATA_ADDONS); the lab's kubeconfig is not
asked.
"""

import json
from typing import Any

from kata_lib import versions
from kata_lib.cluster.apply import LAST_APPLIED
from kata_lib.course.steps import ARGO
from kata_lib.delivery import argo
from kata_lib.delivery.argo.handle import ANALYSIS_RUN
from kata_lib.lab import lab
from kata_lib.lab.lab import Lab as Kata
from recorders.lab import Lab
from recorders.recorded import REFERENCE, Versions

FOLDER = REFERENCE / "argo-rollouts"
LIMIT_SECONDS = 150.0
SHORT = [{"setWeight": 20}, {"pause": {"duration": "1h"}}, {"setWeight": 60}, {"pause": {}}]


def record(_: Lab) -> Versions:
    """Take the workshop's Rollout through all that a release can meet."""
    kata = lab.connect()
    kata.begin("argo-rollouts", reset=True)
    release = argo.find(kata.cluster, "name")
    _save(kata, "v1-alone")
    with kata.watch(rate=200):
        kata.apply(f"{ARGO}/rollout-v2.yaml")
        release.until(lambda state: len(state.measurements) == 1, LIMIT_SECONDS)
        _save(kata, "measured-once-at-1")
        release.until(lambda state: state.weight == 50, LIMIT_SECONDS)
        _save(kata, "at-50")
        release.until(lambda state: state.ended, LIMIT_SECONDS)
        _save(kata, "promoted")
        kata.apply(f"{ARGO}/rollout-v3.yaml")
        release.until(lambda state: state.ended, LIMIT_SECONDS)
        _save(kata, "aborted-by-analysis")
    kata.begin("argo-rollouts", reset=True)
    release = argo.find(kata.cluster, "name")
    kata.apply(f"{ARGO}/rollout-v2.yaml")
    release.until(lambda state: state.phase == "Paused", LIMIT_SECONDS)
    _save(kata, "inconclusive-without-requests")
    release.abort()
    release.until(lambda state: state.phase == "Degraded", LIMIT_SECONDS)
    _save(kata, "aborted-by-hand")
    kata.begin("argo-rollouts", reset=True)
    release = argo.find(kata.cluster, "name")
    _change_steps(kata)
    kata.apply(f"{ARGO}/rollout-v2.yaml")
    _change_steps(kata)
    release.until(lambda state: state.phase == "Paused", LIMIT_SECONDS)
    _save(kata, "paused-for-a-time")
    release.promote()
    release.until(lambda state: state.phase == "Paused" and state.step == 3, LIMIT_SECONDS)
    _save(kata, "paused-for-a-person")
    release.pause()
    release.until(lambda state: state.reason == "manually paused", LIMIT_SECONDS)
    _save(kata, "paused-by-hand")
    release.promote()
    release.abort()
    return {"argo_rollouts": versions.ARGO_ROLLOUTS, "istio": versions.ISTIO}


def _change_steps(kata: Kata) -> None:
    """Give the Rollout a plan of pauses."""
    body = {"spec": {"strategy": {"canary": {"steps": SHORT}}}}
    kata.cluster.patch(argo.API, argo.KIND, "name", body)


def _save(kata: Kata, stage: str) -> None:
    """Write the objects as they stand."""
    objects = {
        "rollout": kata.cluster.get(argo.API, argo.KIND, "name"),
        "runs": kata.cluster.objects(argo.API, ANALYSIS_RUN),
        "replicaSets": kata.cluster.objects("apps/v1", "ReplicaSet", "app=name"),
    }
    (FOLDER / f"{stage}.json").write_text(json.dumps(_plain(objects), indent=1) + "\n")
    print(f"recorded: {stage}")


def _plain(found: Any) -> Any:
    """Leave out who owns which field, and what kubectl keeps for itself."""
    if isinstance(found, list):
        return [_plain(item) for item in found]
    if isinstance(found, dict):
        left_out = ("managedFields", LAST_APPLIED, "resourceVersion", "selfLink")
        return {key: _plain(value) for key, value in found.items() if key not in left_out}
    return found
