"""What the server itself writes into an object: names, uids, times, generations, the first status."""

import json
import random
import uuid
from datetime import UTC, datetime
from typing import Any

import msgspec

from kata_lib.cluster import documents
from kata_lib.engines.embedded.registry import crds
from kata_lib.engines.embedded.registry.resources import Resource
from kata_lib.engines.embedded.registry.status import (
    Cause,
    StatusError,
    bad_request,
    conflict,
    invalid,
    other_namespace,
    too_many_values,
)
from kata_lib.engines.embedded.store import Obj

MAX_VALUES = 3_000
"""Values of an object beside its managed fields."""

MAX_IN_DEFINITION = 7_000
"""Values of a CustomResourceDefinition; the largest of Istio's has 6,200, of Argo Rollouts' 5,700."""

NAME_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
GENERATED_BASE = 58

_BY_SPEC = ("customresourcedefinitions", "ingressclasses", "ingresses", "jobs", "poddisruptionbudgets")

SERVER_OWNED = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation")


def utc_now() -> datetime:
    """Return the present moment."""
    return datetime.now(UTC)


def timestamp(moment: datetime) -> str:
    """Return a moment as objects hold it, for example 2026-01-31T12:00:00Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def generated_name(base: str) -> str:
    """Return a name that begins with `base` and ends in five letters or digits."""
    return base[:GENERATED_BASE] + "".join(random.choices(NAME_LETTERS, k=5))


def forget(resource: Resource, obj: Obj) -> None:
    """Drop the fields of a new object that only the server sets."""
    metadata = obj["metadata"] = {
        key: value for key, value in (obj.get("metadata") or {}).items() if value is not None
    }
    for key in (*SERVER_OWNED, "resourceVersion", "selfLink"):
        if key != "generation" or generation_basis(resource, obj) is not None:
            metadata.pop(key, None)


def begin(resource: Resource, namespace: str | None, obj: Obj, now: str) -> None:
    """Give a new object its name, uid, time, first generation and first status."""
    metadata = obj["metadata"]
    if not metadata.get("name"):
        if not metadata.get("generateName"):
            cause = Cause(
                "metadata.name", "FieldValueRequired", "Required value: name or generateName is required"
            )
            raise invalid(resource.kind, resource.group, "", [cause])
        metadata["name"] = generated_name(metadata["generateName"])
    if resource.namespaced:
        metadata["namespace"] = namespace
    else:
        metadata.pop("namespace", None)
    metadata["uid"] = str(uuid.uuid4())
    metadata["creationTimestamp"] = now
    if generation_basis(resource, obj) is not None:
        metadata["generation"] = 1
    _begin_status(resource, obj)


def _begin_status(resource: Resource, obj: Obj) -> None:
    if "status" not in resource.subresources or resource.key == "nodes":
        return
    obj.pop("status", None)
    if resource.key == "pods":
        obj["status"] = {"phase": "Pending", "qosClass": quality_of_service(obj)}
    elif resource.key in ("services", "ingresses"):
        obj["status"] = {"loadBalancer": {}}
    elif resource.key == "poddisruptionbudgets":
        counts = ("currentHealthy", "desiredHealthy", "disruptionsAllowed", "expectedPods")
        obj["status"] = dict.fromkeys(counts, 0)
    elif resource.key == "namespaces":
        obj["status"] = {"phase": "Active"}
        obj.setdefault("spec", {})["finalizers"] = ["kubernetes"]
        obj["metadata"].setdefault("labels", {})["kubernetes.io/metadata.name"] = obj["metadata"]["name"]
    elif resource.key == "customresourcedefinitions":
        obj["status"] = crds.first_status(obj)
    elif not resource.custom:
        obj["status"] = {"replicas": 0} if resource.key == "replicasets" else {}


def quality_of_service(pod: Obj) -> str:
    """Return the pod's class by its resources: Guaranteed, Burstable or BestEffort."""
    resources = [container.get("resources") or {} for container in pod.get("spec", {}).get("containers", [])]
    if not any(r.get("requests") or r.get("limits") for r in resources):
        return "BestEffort"
    for r in resources:
        limits = r.get("limits") or {}
        if not {"cpu", "memory"} <= limits.keys() or (r.get("requests") or limits) != limits:
            return "Burstable"
    return "Guaranteed"


def generation_basis(resource: Resource, obj: Obj) -> Any:
    """Return what, when it changes, raises the object's generation; None for kinds that have none."""
    if resource.key == "deployments":
        return obj.get("spec"), obj["metadata"].get("annotations") or {}
    if resource.key in ("replicasets", "pods", *_BY_SPEC):
        return obj.get("spec")
    if resource.custom or resource.key == "endpointslices":
        apart = ("metadata", "status") if "status" in resource.subresources else ("metadata",)
        return {key: value for key, value in obj.items() if key not in apart}
    return None


def carry_over(old: Obj, new: Obj) -> None:
    """Keep what clients cannot change: names, identity, times, the version under which it was read."""
    metadata = new.setdefault("metadata", {})
    metadata["name"] = old["metadata"]["name"]
    for key in ("namespace", *SERVER_OWNED):
        if key in old["metadata"]:
            metadata[key] = old["metadata"][key]
        else:
            metadata.pop(key, None)
    metadata["resourceVersion"] = old["metadata"]["resourceVersion"]
    new["apiVersion"], new["kind"] = old["apiVersion"], old["kind"]


def check_same_object(resource: Resource, old: Obj, new: Obj) -> None:
    """Raise StatusError unless an update, as far as it says so, means the object that is there."""
    metadata, known = new.get("metadata") or {}, old["metadata"]
    if metadata.get("namespace") not in (None, "", known.get("namespace")):
        raise other_namespace()
    if metadata.get("uid") not in (None, "", known["uid"]):
        message = f"Invalid value: {json.dumps(metadata['uid'])}: field is immutable"
        cause = Cause("metadata.uid", "FieldValueInvalid", message)
        raise invalid(resource.kind, resource.group, known["name"], [cause, cause])  # as a real server: twice


def check_same_uid(resource: Resource, old: Obj, new: Obj) -> None:
    """Raise StatusError 409 where a replacement is meant for an object that was there before."""
    wanted, found = new["metadata"].get("uid"), old["metadata"]["uid"]
    if wanted and wanted != found:
        name, namespace = old["metadata"]["name"], old["metadata"].get("namespace")
        place = f"{resource.group}/{resource.plural}" if resource.custom else resource.plural
        key = "/".join(("/registry", place, *((namespace,) if namespace else ()), name))
        why = f"Precondition failed: UID in precondition: {wanted}, UID in object meta: {found}"
        storage = f"StorageError: invalid object, Code: 4, Key: {key}, ResourceVersion: 0"
        raise conflict(resource, name, f"{storage}, AdditionalErrorMsg: {why}")


def require_version(resource: Resource, obj: Obj) -> None:
    """Raise StatusError where a custom resource is to be replaced without its resourceVersion."""
    if resource.custom and not obj["metadata"].get("resourceVersion"):
        message = "Invalid value: 0: must be specified for an update"
        cause = Cause("metadata.resourceVersion", "FieldValueInvalid", message)
        raise invalid(resource.plural, resource.group, obj["metadata"].get("name", ""), [cause])


def copy_managers(source: Obj, target: Obj) -> None:
    """Let an object have another's managedFields, or none."""
    managers = source["metadata"].get("managedFields")
    target.setdefault("metadata", {}).pop("managedFields", None)
    if managers:
        target["metadata"]["managedFields"] = managers


def raise_generation(resource: Resource, old: Obj, new: Obj) -> None:
    """Add one to the generation if the part that counts for it differs."""
    if generation_basis(resource, old) != generation_basis(resource, new):
        new["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1


def same(old: Obj, new: Obj) -> bool:
    """Return whether two states differ in nothing but their bookkeeping: times of managers, versions."""
    return _bare(old) == _bare(new)


def _bare(obj: Obj) -> Obj:
    metadata = {key: value for key, value in obj["metadata"].items() if key != "resourceVersion"}
    metadata["managedFields"] = [
        {key: value for key, value in entry.items() if key != "time"}
        for entry in metadata.get("managedFields") or []
    ]
    return {**obj, "metadata": metadata}


def held(obj: Obj) -> bool:
    """Return whether a finalizer or a grace period still keeps a deleted object."""
    metadata = obj["metadata"]
    return bool(
        metadata.get("finalizers")
        or metadata.get("deletionGracePeriodSeconds")
        or (obj["kind"] == "Namespace" and obj.get("spec", {}).get("finalizers"))
    )


def own_copy(obj: Obj) -> Obj:
    """Return a copy that shares nothing with the original (by way of JSON, which is faster than deepcopy)."""
    copied: Obj = msgspec.json.decode(msgspec.json.encode(obj))
    return copied


def check_size(kind: Resource, obj: Obj) -> None:
    """Raise StatusError 413 where an object has more values, or 400 more levels, than one write may take."""
    metadata = obj.get("metadata")
    own = {key: value for key, value in obj.items() if key != "metadata"}
    if isinstance(metadata, dict):
        own["metadata"] = {key: value for key, value in metadata.items() if key != "managedFields"}
    most = MAX_IN_DEFINITION if kind.key == crds.KEY else MAX_VALUES
    try:
        documents.count(own, most)
    except documents.TooMany:
        raise too_many_values(most) from None
    except documents.Unreadable as error:
        raise bad_request(str(error)) from None


def said_name(obj: Obj) -> str:
    """Return the name that an object says as it was sent, "" for none, or for metadata that are none."""
    metadata = obj.get("metadata")
    return str(metadata.get("name") or "") if isinstance(metadata, dict) else ""


def require_name(name: str, obj: Obj) -> None:
    """Raise StatusError 400 unless the object says its name itself; `name` is that of the path."""
    if not (obj.get("metadata") or {}).get("name"):
        why = "name must be provided"
        raise bad_request(f"the name of the object ({name} based on URL) was undeterminable: {why}")


def check_same_name(name: str, obj: Obj) -> None:
    """Raise StatusError 400 unless the object is named as the path it was sent to."""
    found = (obj.get("metadata") or {}).get("name") or name
    if found != name:
        message = f"the name of the object ({found}) does not match the name on the URL ({name})"
        raise StatusError(400, "BadRequest", message)
