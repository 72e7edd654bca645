"""Lines that make the workshop's own objects what it brought: which object differs, and what brings it back.

An object as the API has it and the workshop's manifest go in. kubectl apply leaves what somebody else added,
and cannot change what is fixed: where it would not arrive, the line replaces the object, or makes it anew.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from kata_lib.cluster import apply
from kata_lib.cluster.client import Obj
from kata_lib.cluster.cluster import Cluster
from kata_lib.course import originals
from kata_lib.mesh.virtual_services import ISTIO

_SHOWN = 200
"""As many characters of a value are shown to a person."""
_API = {"Deployment": "apps/v1", "Service": "v1", "VirtualService": ISTIO, "DestinationRule": ISTIO}


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
    live = cluster.get(_API[kind], kind, name)
    return found is not None and (live is None or bool(_other(found[0], live, cluster.images)))


def what_differs(cluster: Cluster, kind: str, name: str, file: str = "") -> str:
    """Return for people what of an object is not what the workshop brought."""
    found, live = original(kind, name, file), cluster.get(_API[kind], kind, name)
    if found is None or live is None:
        return ""
    return "; ".join(
        f"{place} is {_short(now)}, in {found[1]} {_short(wanted)}"
        for path, found_there, asked in _other(found[0], live, cluster.images)
        for place, now, wanted in _leaves(path, found_there, asked)
    )


def line(cluster: Cluster, kind: str, name: str, file: str = "") -> str:
    """Return the line that brings the original of an object back; "" where the workshop brings none."""
    found = original(kind, name, file)
    if found is None:
        return ""
    wanted, place = found
    live = cluster.get(_API[kind], kind, name)
    return from_file(place) + _how(cluster, wanted, live, place)


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
    there = all(cluster.get(_API[obj["kind"]], obj["kind"], obj["metadata"]["name"]) for obj in each)
    return ("" if there else f"kubectl apply -f {file} && ") + f"kubectl replace --save-config -f {file}"


def _arrives(cluster: Cluster, wanted: Obj, live: Obj) -> bool:
    """Return whether kubectl apply makes the object what is wanted; it adds a Service's ports by number."""
    if wanted["kind"] == "Service" and _numbers(live) - _numbers(wanted):
        return False
    patch = apply.patch_for(apply.annotated(wanted, cluster.namespace), live)
    return not list(_other(wanted, apply.merged(live, patch), cluster.images))


def _numbers(service: Obj) -> set[int]:
    return {port["port"] for port in service["spec"].get("ports") or []}


def _other(wanted: Obj, live: Obj, images: Mapping[str, str]) -> list[tuple[str, Any, Any]]:
    """Return what decides about requests and differs: where, what is there, what is wanted."""
    wanted = apply.with_images(wanted, images)
    if live["spec"].get("clusterIP") == "None":
        return [("spec.clusterIP", "None", "")]
    return [
        (path, _at(live, path), _at(wanted, path))
        for path in _DECIDING[wanted["kind"]]
        if not _same(_at(live, path), _at(wanted, path))
    ]


_DECIDING: Mapping[str, tuple[str, ...]] = {
    "Service": ("spec.selector", "spec.ports"),
    "Deployment": ("spec.selector", "spec.template.metadata.labels", "spec.template.spec.containers"),
    "VirtualService": ("spec",),
    "DestinationRule": ("spec",),
}


def _leaves(path: str, now: Any, wanted: Any) -> Iterator[tuple[str, Any, Any]]:
    """Yield the innermost places in which a value is not the wanted one."""
    if isinstance(wanted, dict) and isinstance(now, dict) and not path.endswith(("labels", "selector")):
        for key in wanted:
            yield from _leaves(f"{path}.{key}", now.get(key), wanted[key])
    elif isinstance(wanted, list) and isinstance(now, list) and len(now) == len(wanted):
        for index, (one, other) in enumerate(zip(now, wanted, strict=True)):
            yield from _leaves(f"{path}[{index}]", one, other)
    elif not _holds(now, wanted) or (isinstance(wanted, dict) and now != wanted):
        yield path, now, wanted


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _at(obj: Obj, path: str) -> Any:
    for part in path.split("."):
        obj = obj.get(part) or {}
    return obj


def _same(live: Any, wanted: Any) -> bool:
    """Return whether a value is the wanted one, but for what the server fills in.

    Of a list of Kubernetes' own each entry is compared in the fields that are wanted. Labels, selectors and
    all of Istio's are compared whole.
    """
    if isinstance(wanted, list) and isinstance(live, list):
        return len(live) == len(wanted) and all(map(_holds, live, wanted))
    return bool(live == wanted)


def _holds(live: Any, wanted: Any) -> bool:
    if isinstance(wanted, dict):
        return isinstance(live, dict) and all(_holds(live.get(key), value) for key, value in wanted.items())
    if isinstance(wanted, list):
        return isinstance(live, list) and len(live) == len(wanted) and all(map(_holds, live, wanted))
    return bool(live == wanted)
