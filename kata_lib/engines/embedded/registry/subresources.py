"""What a write to status, scale or finalize may change, and the Scale object that stands for replicas."""

from kata_lib.engines.embedded.registry.resources import APPS, Resource
from kata_lib.engines.embedded.registry.selectors import selector_text
from kata_lib.engines.embedded.store import Obj


def concerned(resource: Resource, old: Obj | None, new: Obj, subresource: str) -> Obj:
    """Return what of a write its subresource ("" for the object) is there for; metadata always is."""
    before = old or {}
    if subresource == "scale":
        spec = {**before["spec"], "replicas": new["spec"].get("replicas", 0)}
        return {**before, "metadata": dict(before["metadata"]), "spec": spec}
    if subresource:
        part = subresource if subresource == "status" else "spec"
        return _with({**before, "metadata": dict(new["metadata"])}, part, new.get(part))
    metadata = dict(new["metadata"])
    if "status" in resource.subresources:
        return _with({**new, "metadata": metadata}, "status", before.get("status"))
    return {**new, "metadata": metadata}


def restricted(resource: Resource, old: Obj, new: Obj, subresource: str) -> Obj:
    """Return the new state with only those changes that the subresource ("" for the object) lets through."""
    if subresource == "status":
        metadata = new["metadata"]
        if resource.custom:
            metadata = _with(old["metadata"], "managedFields", metadata.get("managedFields"))
        elif resource.group == APPS:
            metadata = _with(metadata, "labels", old["metadata"].get("labels"))
        return _with({**old, "metadata": dict(metadata)}, "status", new.get("status"))
    if subresource == "scale":
        spec = {**old["spec"], "replicas": new["spec"].get("replicas", 0)}
        metadata = _with(old["metadata"], "managedFields", new["metadata"].get("managedFields"))
        return {**old, "metadata": metadata, "spec": spec}
    if subresource in ("binding", "finalize"):
        return {**old, "metadata": dict(new["metadata"]), "spec": new.get("spec", {})}
    if resource.plural == "namespaces":
        new = _with(new, "spec", old.get("spec"))
    if "status" in resource.subresources:
        return _with(new, "status", old.get("status"))
    return new


def _with(obj: Obj, key: str, value: object) -> Obj:
    rest = {k: v for k, v in obj.items() if k != key}
    return rest if value is None else {**rest, key: value}


def scale_of(obj: Obj) -> Obj:
    """Return the autoscaling/v1 Scale of a Deployment or ReplicaSet."""
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    replicas = obj["spec"].get("replicas", 1)
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {key: obj["metadata"][key] for key in kept},
        "spec": {"replicas": replicas} if replicas else {},
        "status": {
            "replicas": obj.get("status", {}).get("replicas", 0),
            "selector": selector_text(obj["spec"].get("selector")),
        },
    }
