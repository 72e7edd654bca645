"""What Argo Rollouts writes into its objects, stage by stage: tests/reference/argo-rollouts.

It takes five minutes, on a cluster whose nodes answer here, with the application's images, Argo Rollouts,
and a Prometheus that has Istio's request counters: kind, with `kata addons install prometheus rollouts`.
The workshop's Rollout stands meanwhile in the namespace `default`, of which what the workshop knows is
deleted before.
"""

import json
from collections.abc import Callable
from typing import Any

from kata_lib import versions
from kata_lib.cluster.apply import LAST_APPLIED
from kata_lib.cluster.cluster import Cluster
from kata_lib.cluster.location import Location
from kata_lib.course import application, beginning
from kata_lib.course.exercises import step
from kata_lib.course.steps import ARGO
from kata_lib.delivery import argo
from kata_lib.delivery.argo.handle import ANALYSIS_RUN, ArgoRollout
from kata_lib.delivery.argo.state import RolloutState
from kata_lib.engines.context import reach
from kata_lib.errors import WaitTimeout
from recorders.lab import Lab, LabError
from recorders.leaving import leaving_nothing
from recorders.recorded import REFERENCE, Versions

FOLDER = REFERENCE / "argo-rollouts"
LIMIT_SECONDS = 150.0
RATE = 100.0
"""Requests a second, of which the smallest canary gets one."""
SHORT = [{"setWeight": 20}, {"pause": {"duration": "1h"}}, {"setWeight": 60}, {"pause": {}}]


def record(lab: Lab) -> Versions:
    """Take the workshop's Rollout through all that a release can meet."""
    host = reach.node_host(lab.cluster)
    if host is None:
        raise LabError(f"No node of {lab.cluster} answers from here on its node ports, as those of kind do.")
    with leaving_nothing(lab.client):
        cluster = Cluster.at(Location(lab.cluster, host))
        cluster.enable_injection()
        _without_requests(cluster)  # first: for a minute Prometheus has what v2 answered
        _with_pauses(cluster)
        _under_requests(cluster)
    return {"kubernetes": lab.kubernetes, "istio": lab.istio, "argo_rollouts": versions.ARGO_ROLLOUTS}


def _under_requests(cluster: Cluster) -> None:
    release = _begun(cluster)
    _save(cluster, "v1-alone")
    with application.Sampler(application.url(cluster), RATE):
        cluster.apply(f"{ARGO}/rollout-v2.yaml")
        _until(release, lambda state: len(state.measurements) == 1)
        _save(cluster, "measured-once-at-1")
        _until(release, lambda state: state.weight == 50)
        _save(cluster, "at-50")
        _until(release, lambda state: state.ended)
        _save(cluster, "promoted")
        cluster.apply(f"{ARGO}/rollout-v3.yaml")
        _until(release, lambda state: state.ended)
        _save(cluster, "aborted-by-analysis")


def _without_requests(cluster: Cluster) -> None:
    release = _begun(cluster)
    cluster.apply(f"{ARGO}/rollout-v2.yaml")
    _until(release, lambda state: state.phase == "Paused")
    _save(cluster, "inconclusive-without-requests")
    release.abort()
    _until(release, lambda state: state.phase == "Degraded")
    _save(cluster, "aborted-by-hand")


def _with_pauses(cluster: Cluster) -> None:
    release = _begun(cluster)
    _change_steps(cluster)
    cluster.apply(f"{ARGO}/rollout-v2.yaml")
    _change_steps(cluster)
    _until(release, lambda state: state.phase == "Paused")
    _save(cluster, "paused-for-a-time")
    release.promote()
    _until(release, lambda state: state.phase == "Paused" and state.step == 3)
    _save(cluster, "paused-for-a-person")
    release.pause()
    _until(release, lambda state: state.reason == "manually paused")
    _save(cluster, "paused-by-hand")
    release.promote()
    release.abort()


def _begun(cluster: Cluster) -> ArgoRollout:
    """Return the Rollout of v1, which runs and answers."""
    beginning.anew(cluster, step("argo-rollouts"))
    argo.until_healthy(cluster, "name")
    return argo.find(cluster, "name")


def _until(release: ArgoRollout, reached: Callable[[RolloutState], bool]) -> None:
    try:
        release.until(reached, LIMIT_SECONDS)
    except WaitTimeout as late:
        raise LabError(
            f"{late} An analysis without a result found no istio_requests_total in the lab's Prometheus."
        ) from late


def _change_steps(cluster: Cluster) -> None:
    """Give the Rollout a plan of pauses."""
    body = {"spec": {"strategy": {"canary": {"steps": SHORT}}}}
    cluster.patch(argo.API, argo.KIND, "name", body)


def _save(cluster: Cluster, stage: str) -> None:
    """Write the objects as they stand."""
    objects = {
        "rollout": cluster.get(argo.API, argo.KIND, "name"),
        "runs": cluster.objects(argo.API, ANALYSIS_RUN),
        "replicaSets": cluster.objects("apps/v1", "ReplicaSet", "app=name"),
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
