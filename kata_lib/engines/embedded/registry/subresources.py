"""What a write to status, scale or finalize may change, and the Scale object that stands for replicas."""

from typing import Any

from kata_lib.engines.embedded.registry.resources import APPS, Resource, Scale
from kata_lib.engines.embedded.registry.selectors import selector_text
from kata_lib.engines.embedded.store import Obj


def concerned(resource: Resource, old: Obj | None, new: Obj, subresource: str) -> Obj:
    """Return what of a write its subresource ("" for the object) is there for.

    Metadata always is, but for the status of a custom resource: nobody comes to own a label by writing it.
    """
    before = old or {}
    if subresource == "status" and resource.custom:
        metadata = _with(before["metadata"], "managedFields", new["metadata"].get("managedFields"))
        return _with({**before, "metadata": metadata}, "status", new.get("status"))
    if subresource == "scale":
        return {**_scaled(resource, before, new), "metadata": dict(before["metadata"])}
    if subresource:
        part = subresource if subresource == "status" else "spec"
        return _with({**before, "metadata": dict(new["metadata"])}, part, new.get(part))
    metadata = dict(new["metadata"])
    if "status" in resource.subresources:
        return _with({**new, "metadata": metadata}, "status", before.get("status"))
    return {**new, "metadata": metadata}


def not_applied(resource: Resource, applied: Obj, subresource: str) -> tuple[str, ...]:
    """Return the fields of an applied configuration that are not its subresource's ("" for the object)."""
    if subresource == "status":
        return tuple(field for field in applied if field not in ("apiVersion", "kind", "metadata", "status"))
    return ("status",) if "status" in resource.subresources else ()


def restricted(resource: Resource, old: Obj, new: Obj, subresource: str) -> Obj:
    """Return the new state with only those changes that the subresource ("" for the object) lets through."""
    if subresource == "status":
        metadata = new["metadata"]
        if resource.custom:
            metadata = _with(old["metadata"], "managedFields", metadata.get("managedFields"))
        elif resource.group == APPS:
            metadata = _with(metadata, "labels", old["metadata"].get("labels"))
        left: Obj | None = None if resource.custom else {}  # a kind of Kubernetes' own has a status always
        return _with({**old, "metadata": dict(metadata)}, "status", new.get("status") or left)
    if subresource == "scale":
        metadata = _with(old["metadata"], "managedFields", new["metadata"].get("managedFields"))
        return {**_scaled(resource, old, new), "metadata": metadata}
    if subresource in ("binding", "finalize"):
        return {**old, "metadata": dict(new["metadata"]), "spec": new.get("spec", {})}
    if resource.key == "namespaces":
        new = _with(new, "spec", old.get("spec"))
    if "status" in resource.subresources:
        return _with(new, "status", old.get("status"))
    return new


def _with(obj: Obj, key: str, value: object) -> Obj:
    rest = {k: v for k, v in obj.items() if k != key}
    return rest if value is None else {**rest, key: value}


def _scaled(resource: Resource, obj: Obj, scale: Obj) -> Obj:
    """Return the object with as many replicas as a Scale wants."""
    path = (resource.scale or Scale()).wanted.split(".")
    return _put(obj, path, (scale.get("spec") or {}).get("replicas", 0))


def _put(obj: Obj, path: list[str], value: object) -> Obj:
    name, *rest = path
    return {**obj, name: _put(obj.get(name, {}), rest, value) if rest else value}


def at(obj: Any, path: str) -> Any:
    """Return what is at a dotted path, None where nothing is."""
    for name in path.split("."):
        obj = obj.get(name) if isinstance(obj, dict) else None
    return obj


def scale_of(resource: Resource, obj: Obj) -> Obj:
    """Return the autoscaling/v1 Scale of a Deployment, a ReplicaSet, or a kind that says where."""
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    paths = resource.scale or Scale()
    replicas = at(obj, paths.wanted)
    replicas = 1 if replicas is None and not resource.scale else replicas
    if resource.scale:
        selector = str(at(obj, paths.selector) or "") if paths.selector else ""
    else:
        selector = selector_text(obj["spec"].get("selector"))
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {key: obj["metadata"][key] for key in kept if key in obj["metadata"]},
        "spec": {"replicas": replicas} if replicas else {},
        "status": {"replicas": at(obj, paths.found) or 0, **({"selector": selector} if selector else {})},
    }
