"""What `kubectl apply` would change: a manifest and the live object go in, a merge patch comes out.

Pure. Client-side apply as kubectl does it for custom resources (kubernetes/kubectl, pkg/cmd/apply): what the
file says is set, what the last applied file said and this one does not is removed, all else is left alone.
With kubectl's annotation and field manager, a file may be applied by hand and from a notebook in any order.
"""

import copy
import json
from collections.abc import Mapping
from typing import Any

from kata_lib.cluster.client import Obj

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
REVISION = "deployment.kubernetes.io/revision"


def with_images(manifest: Obj, images: Mapping[str, str]) -> Obj:
    """Return a workload with other images in place of some: each at the same tag, unless it has one."""
    if not images or manifest["kind"] not in ("Deployment", "Rollout"):
        return manifest
    changed = copy.deepcopy(manifest)
    for container in changed["spec"]["template"]["spec"]["containers"]:
        name, _, tag = container["image"].partition(":")
        if image := images.get(name):
            tagged = ":" in image.rpartition("/")[2] or "@" in image
            container["image"] = image if tagged else f"{image}:{tag}"
    return changed


def annotated(manifest: Obj, namespace: str) -> Obj:
    """Return the manifest in its namespace with the annotation that kubectl leaves of what it applied."""
    plain = copy.deepcopy(manifest)
    metadata = plain["metadata"]
    metadata["namespace"] = namespace
    metadata["annotations"] = {k: v for k, v in metadata.get("annotations", {}).items() if k != LAST_APPLIED}
    text = json.dumps(plain, separators=(",", ":"), sort_keys=True) + "\n"
    metadata["annotations"][LAST_APPLIED] = text
    return plain


def patch_for(wanted: Obj, live: Obj) -> Obj:
    """Return the JSON merge patch that makes the live object as `wanted` (annotated), {} if it is."""
    last = json.loads(live["metadata"].get("annotations", {}).get(LAST_APPLIED) or "{}")
    patch = _difference(wanted, live, last, whole=_is_custom(wanted))
    patch.pop("apiVersion", None)  # one object is served under all versions of its group
    annotation = wanted["metadata"]["annotations"][LAST_APPLIED]
    only_annotation = patch == {"metadata": {"annotations": {LAST_APPLIED: annotation}}}
    return {} if only_annotation and json.loads(annotation) == last else patch


def merged(live: Any, patch: Any) -> Any:
    """Return what a JSON merge patch (RFC 7396) makes of an object."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    kept = live if isinstance(live, dict) else {}
    stays = {key: copy.deepcopy(value) for key, value in kept.items() if key not in patch}
    return stays | {key: merged(kept.get(key), value) for key, value in patch.items() if value is not None}


def replacement(wanted: Obj, live: Obj) -> Obj:
    """Return the object for a PUT: what is wanted (annotated), and what only the server may have put there.

    That is a Deployment's revision, a Service's addresses and, for ports that stay, its node ports.
    """
    new = copy.deepcopy(wanted)
    if revision := live["metadata"].get("annotations", {}).get(REVISION):
        new["metadata"]["annotations"][REVISION] = revision
    # A Deployment's changes with every status, and an update may go without; a custom resource's may not.
    if new["kind"] != "Deployment":
        new["metadata"]["resourceVersion"] = live["metadata"]["resourceVersion"]
    if new["kind"] == "Service":
        for field in ("clusterIP", "clusterIPs"):
            if field in live["spec"] and live["spec"].get("clusterIP") != "None":
                new["spec"].setdefault(field, live["spec"][field])
        node_ports = {p["port"]: p["nodePort"] for p in live["spec"].get("ports", []) if "nodePort" in p}
        for port in new["spec"].get("ports", []):
            if port["port"] in node_ports and new["spec"].get("type") == "NodePort":
                port.setdefault("nodePort", node_ports[port["port"]])
    return new


def _is_custom(obj: Obj) -> bool:
    """Return whether an object is of a defined kind, whose lists kubectl replaces as a whole."""
    group = obj["apiVersion"].rpartition("/")[0]
    return "." in group and not group.endswith(".k8s.io")


def _difference(wanted: Obj, live: Obj, last: Obj, *, whole: bool) -> Obj:
    patch: Obj = {key: None for key in last if key not in wanted and key in live}
    for key, value in wanted.items():
        there, before = live.get(key), last.get(key)
        if isinstance(value, dict) and isinstance(there, dict):
            deeper = _difference(value, there, before if isinstance(before, dict) else {}, whole=whole)
            if deeper:
                patch[key] = deeper
        elif isinstance(value, list) and not whole:
            if not _covers(there, value) or (before is not None and before != value):
                patch[key] = value
        elif value != there:
            patch[key] = value
    return patch


def _covers(live: Any, wanted: Any) -> bool:
    """Return whether the live value holds all that is wanted; all else in it are the server's defaults."""
    if isinstance(wanted, dict):
        return isinstance(live, dict) and all(_covers(live.get(k), v) for k, v in wanted.items())
    if isinstance(wanted, list):
        return (
            isinstance(live, list)
            and len(live) == len(wanted)
            and all(_covers(a, b) for a, b in zip(live, wanted, strict=True))
        )
    return bool(live == wanted)
