"""kata_lib.cluster.pods: what a pod's object tells of its containers and of why it does not start."""

from math import inf
from typing import Any

import pytest

from kata_lib.cluster import pods
from kata_lib.engines import kubectl

SIDECAR = {"name": "istio-proxy", "restartPolicy": "Always"}
POD: dict[str, Any] = {
    "metadata": {"name": "age-1"},
    "spec": {"containers": [{"name": "age"}], "initContainers": [{"name": "istio-init"}, SIDECAR]},
}


def pod(conditions: dict[str, str], containers: Any = (), beginning: Any = ()) -> dict[str, Any]:
    made = [
        {"type": k, "status": v, "reason": "Unschedulable", "message": "0/1"} for k, v in conditions.items()
    ]
    status = {"conditions": made, "containerStatuses": containers, "initContainerStatuses": beginning}
    return {**POD, "status": status}


def waiting(reason: str, message: str = "") -> list[dict[str, Any]]:
    state = {"waiting": {"reason": reason, "message": message}}
    return [{"name": "age", "image": "kata/sentences:v9", "state": state}]


def ended(reason: str, code: int) -> list[dict[str, Any]]:
    return [{"name": "age", "state": {"terminated": {"reason": reason, "exitCode": code}}}]


def test_a_sidecar_that_is_an_init_container_counts() -> None:
    assert pods.container_names(POD) == ["age", "istio-proxy"]


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (pod({"PodScheduled": "False"}), ["age-1: Unschedulable: 0/1"]),
        (pod({}, waiting("ErrImagePull", "not found")), ["age-1: ErrImagePull: not found"]),
        (pod({}, waiting("PodInitializing")), []),
        (pod({}, ended("Error", 137)), ["age-1: Error, exit code 137"]),
        (pod({}, ended("Completed", 0)), []),
        (
            pod({}, (), [{"name": "istio-proxy", "ready": False, "state": {"running": {}}}]),
            ["age-1: the sidecar is not ready (`kata logs age-1 -c istio-proxy`)"],
        ),
        (pod({"Ready": "True"}), []),
    ],
)
def test_why_a_pod_does_not_start(found: dict[str, Any], said: list[str]) -> None:
    assert list(pods.troubles([found])) == said


def test_since_when_a_container_runs() -> None:
    running = {"name": "istio-proxy", "state": {"running": {"startedAt": "1970-01-01T00:01:40Z"}}}
    assert pods.running_since(pod({}, (), [running]), "istio-proxy") == 100.0
    assert pods.running_since(pod({}, ended("Error", 137)), "age") == inf
    assert pods.running_since(POD, "istio-proxy") == inf


def test_what_an_engine_waits_for() -> None:
    unready = {"type": "Ready", "status": "False", "message": "containers with unready status: [age]"}
    silent, new = {**POD, "status": {"conditions": [unready]}}, {**POD, "status": {}}
    found = [pod({"Ready": "True"}), silent, new, pod({"PodScheduled": "False"})]
    assert kubectl.unready(found) == [
        "age-1: containers with unready status: [age]",
        "age-1: not ready",
        "age-1: Unschedulable: 0/1",
    ]
    pulling = [pod({}, waiting(reason)) for reason in ("ErrImageNeverPull", "CrashLoopBackOff")]
    assert kubectl.not_loaded(pulling) == ["kata/sentences:v9"]
    assert kubectl.not_loaded(pulling[1:]) == []
