"""Records what Argo Rollouts writes into its objects, stage by stage, for tests/reference/argo-rollouts.

    KATA_ENGINE=kind KATA_ADDONS=FOLDER python tests/kind/record_rollouts.py

On a cluster with the add-ons prometheus and rollouts; takes about five minutes.
"""

import json
from pathlib import Path
from typing import Any

from kata_lib.cluster.apply import LAST_APPLIED
from kata_lib.course.steps import ARGO
from kata_lib.delivery import argo
from kata_lib.delivery.argo.handle import ANALYSIS_RUN
from kata_lib.lab import lab
from kata_lib.lab.lab import Lab

FOLDER = Path(__file__).parents[1] / "reference" / "argo-rollouts"
LIMIT_SECONDS = 150.0
SHORT = [{"setWeight": 20}, {"pause": {"duration": "1h"}}, {"setWeight": 60}, {"pause": {}}]


def main() -> None:
    """Take the workshop's Rollout through all that a release can meet."""
    kata = lab.connect()
    kata.begin("argo-rollouts", reset=True)
    release = argo.find(kata.cluster, "name")
    save(kata, "v1-alone")
    with kata.watch(rate=200):
        kata.apply(f"{ARGO}/rollout-v2.yaml")
        release.until(lambda state: len(state.measurements) == 1, LIMIT_SECONDS)
        save(kata, "measured-once-at-1")
        release.until(lambda state: state.weight == 50, LIMIT_SECONDS)
        save(kata, "at-50")
        release.until(lambda state: state.ended, LIMIT_SECONDS)
        save(kata, "promoted")
        kata.apply(f"{ARGO}/rollout-v3.yaml")
        release.until(lambda state: state.ended, LIMIT_SECONDS)
        save(kata, "aborted-by-analysis")
    kata.begin("argo-rollouts", reset=True)
    release = argo.find(kata.cluster, "name")
    kata.apply(f"{ARGO}/rollout-v2.yaml")
    release.until(lambda state: state.phase == "Paused", LIMIT_SECONDS)
    save(kata, "inconclusive-without-requests")
    release.abort()
    release.until(lambda state: state.phase == "Degraded", LIMIT_SECONDS)
    save(kata, "aborted-by-hand")
    kata.begin("argo-rollouts", reset=True)
    release = argo.find(kata.cluster, "name")
    change_steps(kata)
    kata.apply(f"{ARGO}/rollout-v2.yaml")
    change_steps(kata)
    release.until(lambda state: state.phase == "Paused", LIMIT_SECONDS)
    save(kata, "paused-for-a-time")
    release.promote()
    release.until(lambda state: state.phase == "Paused" and state.step == 3, LIMIT_SECONDS)
    save(kata, "paused-for-a-person")
    release.pause()
    release.until(lambda state: state.reason == "manually paused", LIMIT_SECONDS)
    save(kata, "paused-by-hand")
    release.promote()
    release.abort()


def change_steps(kata: Lab) -> None:
    """Give the Rollout a plan of pauses."""
    body = {"spec": {"strategy": {"canary": {"steps": SHORT}}}}
    kata.cluster.patch(argo.API, argo.KIND, "name", body)


def save(kata: Lab, stage: str) -> None:
    """Write the objects as they stand."""
    objects = {
        "rollout": kata.cluster.get(argo.API, argo.KIND, "name"),
        "runs": kata.cluster.objects(argo.API, ANALYSIS_RUN),
        "replicaSets": kata.cluster.objects("apps/v1", "ReplicaSet", "app=name"),
    }
    (FOLDER / f"{stage}.json").write_text(json.dumps(plain(objects), indent=1) + "\n")
    print(f"recorded: {stage}")


def plain(found: Any) -> Any:
    """Leave out who owns which field, and what kubectl keeps for itself."""
    if isinstance(found, list):
        return [plain(item) for item in found]
    if isinstance(found, dict):
        left_out = ("managedFields", LAST_APPLIED, "resourceVersion", "selfLink")
        return {key: plain(value) for key, value in found.items() if key not in left_out}
    return found


if __name__ == "__main__":
    main()
