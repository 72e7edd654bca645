"""What a write to status, scale or finalize may change, and the Scale object that stands for replicas."""

from kata_lib.engines.embedded.registry.resources import APPS, Resource
from kata_lib.engines.embedded.registry.selectors import selector_text
from kata_lib.engines.embedded.store import Obj


def restricted(resource: Resource, old: Obj, new: Obj, subresource: str) -> Obj:
    """Return the new state with only those changes that the subresource ("" for the object) lets through."""
    if subresource == "status":
        kept = ("managedFields", *(("annotations",) if resource.group == APPS else ()))
        metadata = {
            **old["metadata"],
            **{key: new["metadata"][key] for key in kept if key in new["metadata"]},
        }
        return _with({**old, "metadata": metadata}, "status", new.get("status"))
    if subresource == "scale":
        spec = {**old["spec"], "replicas": new["spec"].get("replicas", 0)}
        return {**old, "metadata": dict(old["metadata"]), "spec": spec}
    if subresource == "finalize":
        return {**old, "metadata": dict(old["metadata"]), "spec": new.get("spec", {})}
    if "status" in resource.subresources:
        return _with(new, "status", old.get("status"))
    return new


def _with(obj: Obj, key: str, value: object) -> Obj:
    rest = {k: v for k, v in obj.items() if k != key}
    return rest if value is None else {**rest, key: value}


def scale_of(obj: Obj) -> Obj:
    """Return the autoscaling/v1 Scale of a Deployment or ReplicaSet."""
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {key: obj["metadata"][key] for key in kept},
        "spec": {"replicas": obj["spec"].get("replicas", 1)},
        "status": {
            "replicas": obj.get("status", {}).get("replicas", 0),
            "selector": selector_text(obj["spec"].get("selector")),
        },
    }
