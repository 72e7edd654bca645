"""What a delete request does to an object at first: marks it where something still holds it."""

from datetime import datetime, timedelta
from typing import Any

from kata_lib.engines.embedded.registry import crds
from kata_lib.engines.embedded.registry.metadata import held, timestamp
from kata_lib.engines.embedded.registry.resources import Resource
from kata_lib.engines.embedded.registry.status import conflict, forbidden
from kata_lib.engines.embedded.store import Obj

DEFAULT_GRACE_SECONDS = 30
PROPAGATIONS = ("Foreground", "Background", "Orphan")
FINALIZER_OF = {"Foreground": "foregroundDeletion", "Orphan": "orphan"}
PERMANENT_NAMESPACES = ("default", "kube-system", "kube-public")


def check(resource: Resource, obj: Obj, preconditions: dict[str, Any] | None) -> None:
    """Raise StatusError where the object may not be deleted, or is not the one that is meant."""
    name = obj["metadata"]["name"]
    if resource.key == "namespaces" and name in PERMANENT_NAMESPACES:
        raise forbidden(resource, name, "this namespace may not be deleted")
    for field, words in (("uid", "UID"), ("resourceVersion", "ResourceVersion")):
        wanted, found = (preconditions or {}).get(field), obj["metadata"][field]
        if wanted and wanted != found:
            why = f"Precondition failed: {words} in precondition: {wanted}, {words} in object meta: {found}"
            raise conflict(resource, name, why)


def mark(resource: Resource, obj: Obj, propagation: str, grace_seconds: int | None, now: datetime) -> bool:
    """Write deletionTimestamp, grace period and finalizers into `obj`; return whether it must stay."""
    metadata = obj["metadata"]
    grace = _grace(obj, grace_seconds) if resource.key == "pods" else 0
    known = metadata.get("deletionGracePeriodSeconds")
    grace = grace if known is None else min(grace, known)
    finalizer = FINALIZER_OF.get(propagation)
    if finalizer and finalizer not in metadata.get("finalizers", []):
        metadata.setdefault("finalizers", []).append(finalizer)
    if resource.key == crds.KEY:
        _hold_definition(obj, timestamp(now))
    elif grace != known:
        metadata["deletionTimestamp"] = timestamp(now + timedelta(seconds=grace))
        metadata["deletionGracePeriodSeconds"] = grace
        if "generation" in metadata and known is None:
            metadata["generation"] += 1
    if resource.key == "namespaces":
        obj["status"] = {**obj.get("status", {}), "phase": "Terminating"}
    return held(obj)


def _hold_definition(definition: Obj, now: str) -> None:
    """Let a definition stay until its objects are gone."""
    definition["metadata"].setdefault("deletionTimestamp", now)
    finalizers = definition["metadata"].setdefault("finalizers", [])
    if crds.CLEANUP not in finalizers:
        finalizers.append(crds.CLEANUP)
    message = "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon"
    crds.set_condition(definition, "Terminating", "True", "InstanceDeletionPending", message, now)


def _grace(pod: Obj, wanted: int | None) -> int:
    """Return the seconds that a pod is given; none where no process of it can be running."""
    spec, phase = pod.get("spec", {}), pod.get("status", {}).get("phase")
    if not spec.get("nodeName") or phase in ("Succeeded", "Failed"):
        return 0
    if wanted is None:
        wanted = int(spec.get("terminationGracePeriodSeconds", DEFAULT_GRACE_SECONDS))
    return wanted if wanted >= 0 else 1
