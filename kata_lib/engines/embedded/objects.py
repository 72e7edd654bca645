"""Small questions about API objects that controllers, kubelet and mesh all ask; pure."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from kata_lib.engines.embedded.store import Obj

Key = tuple[str, str]
"""Namespace and name of an object ("" for cluster-wide ones)."""


def key(obj: Obj) -> Key:
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


def timestamp(seconds: float | None = None) -> str:
    """Return a time (seconds since 1970, default now) as the API writes it: UTC, whole seconds."""
    when = datetime.now(UTC) if seconds is None else datetime.fromtimestamp(seconds, UTC)
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds(text: str) -> float:
    """Return an API time as seconds since 1970."""
    return datetime.fromisoformat(text).timestamp()


def being_deleted(obj: Obj) -> bool:
    return "deletionTimestamp" in obj["metadata"]


def controller_of(obj: Obj) -> dict[str, Any] | None:
    """Return the owner reference of the object's controller."""
    for reference in obj["metadata"].get("ownerReferences", ()):
        if reference.get("controller"):
            return dict(reference)
    return None


def owner_reference(owner: Obj) -> dict[str, Any]:
    """Return the reference by which a controller's object owns what is made for it."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def condition(obj: Obj, type_: str) -> dict[str, Any] | None:
    """Return the object's status condition of one type."""
    for found in obj.get("status", {}).get("conditions", ()):
        if found["type"] == type_:
            return dict(found)
    return None


def is_active(pod: Obj) -> bool:
    """Return whether the pod counts as one of its ReplicaSet's replicas."""
    return not being_deleted(pod) and not is_ended(pod)


def is_ended(pod: Obj) -> bool:
    """Return whether none of the pod's containers runs or will run again."""
    return pod.get("status", {}).get("phase") in ("Succeeded", "Failed")


def put_condition(conditions: Iterable[dict[str, Any]], new: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the conditions with `new` in its type's place; a status that stays keeps its transition time."""
    result = []
    placed = False
    for old in conditions:
        if old["type"] != new["type"]:
            result.append(old)
            continue
        if old["status"] == new["status"] and "lastTransitionTime" in old:
            new = {**new, "lastTransitionTime": old["lastTransitionTime"]}
        result.append(new)
        placed = True
    return result if placed else [*result, new]
