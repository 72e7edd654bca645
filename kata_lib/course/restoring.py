"""Lines that make the workshop's own objects what it brought: which object differs, and what brings it back.

An object as the API has it and the workshop's manifest go in. kubectl apply leaves what somebody else added,
and cannot change what is fixed: where it would not arrive, the line replaces the object, or makes it anew.
"""

import copy
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kata_lib.cluster import apply, managers
from kata_lib.cluster.client import Obj
from kata_lib.cluster.cluster import Cluster
from kata_lib.course import originals
from kata_lib.delivery import argo
from kata_lib.delivery.argo.state import HASH

_SHOWN = 200
"""As many characters of a value are shown to a person."""

Place = tuple[str, Any, Any]
"""Where an object differs, what is there, what is wanted."""


def original(kind: str, name: str, file: str = "") -> tuple[Obj, str] | None:
    """Return the workshop's manifest of an object and its file; None where it brings none.

    file: of an object that stands in several, the one that a step means.
    """
    place = file or originals.made_by().get((kind, name), "")
    for obj in originals.manifests(place) if place else []:
        if (obj["kind"], obj["metadata"]["name"]) == (kind, name):
            return obj, place
    return None


def differs(cluster: Cluster, kind: str, name: str, file: str = "") -> bool:
    """Return whether an object is missing, or differs from its file in what decides about requests."""
    found = original(kind, name, file)
    if found is None:
        return False
    live = _live(cluster, found[0])
    return live is None or bool(_other(found[0], live, cluster.images))


def what_differs(cluster: Cluster, kind: str, name: str, file: str = "") -> str:
    """Return for people what of an object is not what the workshop brought."""
    found = original(kind, name, file)
    live = _live(cluster, found[0]) if found else None
    if found is None or live is None:
        return ""
    return "; ".join(
        f"{place} is {short(now)}, in {found[1]} {short(wanted)}"
        for place, now, wanted in _innermost(_other(found[0], live, cluster.images))
    )


def places(wanted: Obj, live: Obj, images: Mapping[str, str]) -> list[Place]:
    """Return where an object is not as a step begins with it: what decides about requests, and its size."""
    deciding = (*_DECIDING.get(wanted["kind"], ("spec",)), *_ALSO_AT_THE_START.get(wanted["kind"], ()))
    return list(_innermost(_other(wanted, live, images, deciding)))


def line(cluster: Cluster, kind: str, name: str, file: str = "") -> str:
    """Return the line that brings the original of an object back; "" where the workshop brings none."""
    found = original(kind, name, file)
    if found is None:
        return ""
    wanted, place = found
    return from_file(place) + _how(cluster, wanted, _live(cluster, wanted), place)


def from_file(*files: str) -> str:
    """Return what must be done before these files are applied: a file that was edited is brought back."""
    edited = originals.edited(*files)
    return f"kata original {' '.join(edited)} && " if edited else ""


def applied(*files: str, namespace: str = "") -> str:
    """Return the line that applies files as the workshop has them."""
    at = f" -n {namespace}" if namespace else ""
    return f"{from_file(*files)}kubectl apply{at} -f {' -f '.join(files)}"


def _how(cluster: Cluster, wanted: Obj, live: Obj | None, file: str) -> str:
    if live is None:
        return f"kubectl apply -f {file}"
    fixed = wanted["kind"] == "Deployment" and live["spec"]["selector"] != wanted["spec"]["selector"]
    if fixed or live["spec"].get("clusterIP") == "None":
        kind = wanted["kind"].lower()
        return f"kubectl delete {kind} {wanted['metadata']['name']} && kubectl apply -f {file}"
    if _arrives(cluster, wanted, live):
        return f"kubectl apply -f {file}"
    each = originals.manifests(file)
    there = all(_live(cluster, obj) for obj in each)
    return ("" if there else f"kubectl apply -f {file} && ") + f"kubectl replace --save-config -f {file}"


def _arrives(cluster: Cluster, wanted: Obj, live: Obj) -> bool:
    """Return whether kubectl apply makes the object what is wanted; it adds a Service's ports by number."""
    if wanted["kind"] == "Service" and _numbers(live) - _numbers(wanted):
        return False
    patch = apply.patch_for(apply.annotated(wanted, cluster.namespace), live)
    return not places(wanted, apply.merged(live, patch), cluster.images)


def _numbers(service: Obj) -> set[int]:
    return {port["port"] for port in service["spec"].get("ports") or []}


def _live(cluster: Cluster, wanted: Obj) -> Obj | None:
    return cluster.get(wanted["apiVersion"], wanted["kind"], wanted["metadata"]["name"])


_DECIDING: Mapping[str, tuple[str, ...]] = {
    "Service": ("spec.selector", "spec.ports"),
    "Deployment": ("spec.selector", "spec.template.metadata.labels", "spec.template.spec"),
    "Rollout": ("spec.selector", "spec.strategy", "spec.template.metadata.labels", "spec.template.spec"),
    "VirtualService": ("spec",),
    "DestinationRule": ("spec",),
    "Gateway": ("spec",),
    "HTTPRoute": ("spec.parentRefs", "spec.hostnames", "spec.rules"),
    "AnalysisTemplate": ("spec",),
}
_OF_KUBERNETES = {"spec.ports", "spec.template.spec", "spec.strategy", "spec.parentRefs", "spec.rules"}
"""Fields in which a server fills in what a manifest leaves out."""
_ALSO_AT_THE_START: Mapping[str, tuple[str, ...]] = {
    "Service": ("spec.type",),
    "Deployment": ("spec.replicas", "spec.paused"),
    "Rollout": ("spec.replicas", "spec.paused"),
}
"""What some steps change on purpose, so that no check takes it for a mistake by itself."""
_DEFAULTS: Mapping[str, Any] = {"spec.type": "ClusterIP", "spec.replicas": 1, "spec.paused": False}


def _other(wanted: Obj, live: Obj, images: Mapping[str, str], deciding: tuple[str, ...] = ()) -> list[Place]:
    """Return the fields that decide about requests and differ."""
    wanted, live = apply.with_images(_without_hashes(wanted), images), _without_hashes(live)
    if live["spec"].get("clusterIP") == "None":
        return [("spec.clusterIP", "None", "")]
    return [
        (path, _at(live, path), _at(wanted, path))
        for path in deciding or _DECIDING[wanted["kind"]]
        if not _same(path, _at(live, path), _at(wanted, path))
    ]


def _without_hashes(obj: Obj) -> Obj:
    """Return a DestinationRule without what Argo Rollouts adds to its subsets: of which pods each is now."""
    if argo.MANAGER not in managers.of(obj, "spec", "subsets"):
        return obj
    kept = copy.deepcopy(obj)
    for subset in kept["spec"].get("subsets", []):
        subset.get("labels", {}).pop(HASH, None)
    return kept


def _innermost(found: Iterable[Place]) -> Iterator[Place]:
    """Yield the innermost places in which values are not the wanted ones."""
    for path, now, wanted in found:
        yield from _leaves(path, now, wanted, whole=path not in _OF_KUBERNETES)


def _leaves(path: str, now: Any, wanted: Any, *, whole: bool) -> Iterator[Place]:
    if isinstance(wanted, dict) and isinstance(now, dict) and not path.endswith(("labels", "selector")):
        for name in [*wanted, *(name for name in now if name not in wanted and (whole or name in _ADDED))]:
            yield from _leaves(f"{path}.{name}", now.get(name), wanted.get(name), whole=whole)
    elif isinstance(wanted, list) and isinstance(now, list) and len(now) == len(wanted):
        for index, (one, other) in enumerate(zip(now, wanted, strict=True)):
            yield from _leaves(f"{path}[{_name_of(other) or index}]", one, other, whole=whole)
    elif not _holds(now, wanted) or (isinstance(wanted, dict) and now != wanted):
        yield path, now, wanted


def _name_of(entry: Any) -> str:
    """Return what names an entry of a list: its name, or the subset that it is for; "" where nothing does."""
    if not isinstance(entry, dict):
        return ""
    return str(entry.get("name") or (entry.get("destination") or {}).get("subset") or "")


def short(value: Any) -> str:
    """Return a value as JSON, cut where it is long."""
    text = json.dumps(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _at(obj: Obj, path: str) -> Any:
    found: Any = obj
    for part in path.split("."):
        found = (found or {}).get(part)
    return _DEFAULTS.get(path, {}) if found is None else found


def _same(path: str, live: Any, wanted: Any) -> bool:
    """Return whether a value is the wanted one, but for what the server fills in.

    What is Kubernetes' own is compared in the fields that are wanted, and in those that only a person adds.
    Labels, selectors and all of Istio's are compared whole.
    """
    return _holds(live, wanted) if path in _OF_KUBERNETES else bool(live == wanted)


_ADDED = frozenset(
    {
        "args",
        "command",
        "envFrom",
        "filters",
        "headers",
        "hostNetwork",
        "initContainers",
        "lifecycle",
        "livenessProbe",
        "method",
        "queryParams",
        "retry",
        "sessionPersistence",
        "startupProbe",
        "timeouts",
    }
)
"""Fields of pods and HTTPRoutes that no server fills in, and that decide about what is answered."""


def _holds(live: Any, wanted: Any) -> bool:
    if isinstance(wanted, dict):
        return (
            isinstance(live, dict)
            and all(_holds(live.get(key), value) for key, value in wanted.items())
            and not (live.keys() - wanted.keys()) & _ADDED
        )
    if isinstance(wanted, list):
        return isinstance(live, list) and len(live) == len(wanted) and all(map(_holds, live, wanted))
    return bool(live == wanted)
