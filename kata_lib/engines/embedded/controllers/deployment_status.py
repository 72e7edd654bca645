"""What a Deployment says of itself: counts and conditions; pure."""

import time
from collections.abc import Iterable
from typing import Any

from kata_lib.engines.embedded.controllers.rollout import limits, wanted
from kata_lib.engines.embedded.objects import condition, put_condition, seconds, timestamp
from kata_lib.engines.embedded.store import Obj

Condition = dict[str, Any]


def new_condition(type_: str, status: str, reason: str, message: str) -> Condition:
    """Return a condition as of now."""
    now = timestamp()
    return {
        "type": type_,
        "status": status,
        "lastUpdateTime": now,
        "lastTransitionTime": now,
        "reason": reason,
        "message": message,
    }


def progressing(status: str, reason: str, message: str) -> Condition:
    return new_condition("Progressing", status, reason, message)


def put_last(conditions: Iterable[Condition], new: Condition) -> list[Condition]:
    """Return the conditions with `new`, in place of the one of its type, as the last."""
    placed = put_condition(conditions, new)
    return sorted(placed, key=lambda found: found["type"] == new["type"])


def _sum(replicasets: list[Obj], field: str) -> int:
    return sum(replicaset.get("status", {}).get(field, 0) for replicaset in replicasets)


def is_complete(deployment: Obj, status: dict[str, Any]) -> bool:
    """Return whether all wanted replicas are of the newest template, available, and no others are left."""
    replicas = deployment["spec"]["replicas"]
    counts = (status.get(name, 0) for name in ("updatedReplicas", "replicas", "availableReplicas"))
    return all(count == replicas for count in counts)


def status_of(deployment: Obj, new: Obj | None, old: list[Obj]) -> dict[str, Any]:
    """Return the Deployment's next status; zero counts are left out, as the API leaves them out."""
    replicasets = [*old, new] if new else old
    available = _sum(replicasets, "availableReplicas")
    counts = {
        "replicas": _sum(replicasets, "replicas"),
        "updatedReplicas": _sum([new] if new else [], "replicas"),
        "readyReplicas": _sum(replicasets, "readyReplicas"),
        "availableReplicas": available,
        "unavailableReplicas": max(0, sum(map(wanted, replicasets)) - available),
        "collisionCount": deployment.get("status", {}).get("collisionCount", 0),
    }
    status: dict[str, Any] = {
        "observedGeneration": deployment["metadata"]["generation"],
        **{name: count for name, count in counts.items() if count},
        "terminatingReplicas": _sum(replicasets, "terminatingReplicas"),
    }
    status["conditions"] = _conditions(deployment, status, new, replicasets)
    return status


def _conditions(
    deployment: Obj, status: dict[str, Any], new: Obj | None, replicasets: list[Obj]
) -> list[Condition]:
    conditions = _with_availability(deployment, status)
    conditions = [found for found in conditions if found["type"] != "ReplicaFailure"]
    if failure := next((found for rs in replicasets if (found := condition(rs, "ReplicaFailure"))), None):
        conditions.append({**failure, "lastUpdateTime": failure["lastTransitionTime"]})
    paused = deployment["spec"].get("paused", False)
    before = next((found for found in conditions if found["type"] == "Progressing"), None)
    if paused:
        if before is None or before["reason"] != "DeploymentPaused":
            paused_now = progressing("Unknown", "DeploymentPaused", "Deployment is paused")
            conditions = put_last(conditions, paused_now)
        return conditions
    if before and before["reason"] == "DeploymentPaused":
        before = progressing("Unknown", "DeploymentResumed", "Deployment is resumed")
        conditions = put_last(conditions, before)
    if changed := _progress(deployment, status, new, before):
        conditions = put_last(conditions, changed)
    return conditions


def _with_availability(deployment: Obj, status: dict[str, Any]) -> list[Condition]:
    conditions: list[Condition] = deployment.get("status", {}).get("conditions", [])
    least = deployment["spec"]["replicas"] - limits(deployment["spec"]).unavailable
    if status.get("availableReplicas", 0) >= least:
        found = ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    else:
        found = ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    before = condition(deployment, "Available")
    if before and (before["status"], before["reason"]) == found[:2]:
        return conditions
    return put_last(conditions, new_condition("Available", *found))


def _progress(
    deployment: Obj, status: dict[str, Any], new: Obj | None, before: Condition | None
) -> Condition | None:
    """Return the Progressing condition if it changes."""
    subject = (
        f'ReplicaSet "{new["metadata"]["name"]}"' if new else f'Deployment "{deployment["metadata"]["name"]}"'
    )
    was_complete = before is not None and before["reason"] == "NewReplicaSetAvailable"
    if was_complete and status.get("replicas", 0) == status.get("updatedReplicas", 0):
        return None
    if is_complete(deployment, status):
        return progressing("True", "NewReplicaSetAvailable", f"{subject} has successfully progressed.")
    if _moved(deployment.get("status", {}), status):
        return progressing("True", "ReplicaSetUpdated", f"{subject} is progressing.")
    if before and before["reason"] != "ProgressDeadlineExceeded" and deadline_in(deployment, before) <= 0:
        return progressing("False", "ProgressDeadlineExceeded", f"{subject} has timed out progressing.")
    return None


def _moved(before: dict[str, Any], now: dict[str, Any]) -> bool:
    def old(status: dict[str, Any]) -> int:
        return int(status.get("replicas", 0) - status.get("updatedReplicas", 0))

    more = ("updatedReplicas", "readyReplicas", "availableReplicas")
    return old(now) < old(before) or any(now.get(name, 0) > before.get(name, 0) for name in more)


def deadline_in(deployment: Obj, found: Condition) -> float:
    """Return the seconds until a rollout that does not move counts as failed."""
    allowed: int = deployment["spec"].get("progressDeadlineSeconds", 600)
    return allowed - (time.time() - seconds(found["lastUpdateTime"]))
