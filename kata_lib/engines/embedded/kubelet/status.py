"""A pod's status from the states of its containers; pure."""

from typing import Any

from kata_lib.engines.embedded.objects import condition, put_condition, timestamp
from kata_lib.engines.embedded.store import Obj

States = list[dict[str, Any]]
"""The containers' entries, as the pod's status has them."""


def pod_status(pod: Obj, containers: States, pod_ip: str, host_ip: str) -> dict[str, Any]:
    """Return the whole status; conditions that stay as they are keep their time."""
    old = pod.get("status", {})
    generation = pod["metadata"].get("generation")
    observed = {"observedGeneration": generation} if generation else {}
    return {
        **observed,
        "conditions": _conditions(pod, containers, observed),
        "containerStatuses": sorted(containers, key=lambda entry: str(entry["name"])),
        "hostIP": host_ip,
        "hostIPs": [{"ip": host_ip}],
        "phase": phase(pod, containers),
        "podIP": pod_ip,
        "podIPs": [{"ip": pod_ip}],
        "qosClass": old.get("qosClass", "BestEffort"),
        "startTime": old.get("startTime") or timestamp(),
    }


def phase(pod: Obj, containers: States) -> str:
    """Return Pending, Running, Succeeded or Failed."""
    ended = [
        entry["state"]["terminated"]["exitCode"] for entry in containers if "terminated" in entry["state"]
    ]
    if len(ended) == len(containers):
        return "Failed" if any(ended) else "Succeeded"
    begun = all(
        "running" in entry["state"] or "terminated" in entry["state"] or entry["lastState"]
        for entry in containers
    )
    return "Running" if begun or pod.get("status", {}).get("phase") == "Running" else "Pending"


def restarts(policy: str, exit_code: int) -> bool:
    """Return whether a container that ended so is started again under its pod's restartPolicy."""
    return policy == "Always" or (policy == "OnFailure" and exit_code != 0)


def _conditions(pod: Obj, containers: States, observed: dict[str, int]) -> list[dict[str, Any]]:
    conditions: list[dict[str, Any]] = pod.get("status", {}).get("conditions", [])
    unready = [str(entry["name"]) for entry in containers if not entry["ready"]]
    all_ready: dict[str, str] = {"status": "True"}
    if phase(pod, containers) == "Succeeded":
        all_ready = {"status": "False", "reason": "PodCompleted"}
    elif unready:
        message = f"containers with unready status: [{' '.join(unready)}]"
        all_ready = {"status": "False", "reason": "ContainersNotReady", "message": message}
    wanted = {
        "PodReadyToStartContainers": {"status": "True"},
        "Initialized": {"status": "True"},
        "Ready": all_ready,
        "ContainersReady": all_ready,
        "PodScheduled": {"status": "True"},
    }
    for type_, found in wanted.items():
        new = {"type": type_, "lastProbeTime": None, "lastTransitionTime": timestamp(), **observed, **found}
        before = condition(pod, type_)
        if before and before["status"] == found["status"]:
            new["lastTransitionTime"] = before["lastTransitionTime"]
        conditions = put_condition(conditions, new)
    return conditions
