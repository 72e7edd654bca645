"""Pods: what a pod template has, and what only a pod gets, at creation."""

from typing import Any

from kata_lib.engines.embedded.registry.defaults import pod_template
from kata_lib.engines.embedded.store import Obj

LEAVE_BROKEN_NODE_AFTER = 300
"""Seconds that a pod stays bound to a node that is not ready or unreachable."""

_TOLERATED = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")


def fill(obj: Obj) -> None:
    """Add a Pod's defaults in place."""
    spec = obj.setdefault("spec", {})
    pod_template.fill_spec(spec)
    spec.setdefault("enableServiceLinks", True)
    for container in pod_template.containers(spec):
        _request_what_is_limited(container["resources"])


def complete(obj: Obj) -> None:
    """Add in place what a real server's admission plug-ins give a new Pod."""
    spec = obj["spec"]
    if spec["terminationGracePeriodSeconds"] < 0:
        spec["terminationGracePeriodSeconds"] = 1
    spec.setdefault("serviceAccountName", "default")
    spec["serviceAccount"] = spec["serviceAccountName"]
    spec.setdefault("priority", 0)
    spec.setdefault("preemptionPolicy", "PreemptLowerPriority")
    tolerations = spec.setdefault("tolerations", [])
    for key in _TOLERATED:
        if not any(_tolerates(toleration, key) for toleration in tolerations):
            tolerations.append(
                {
                    "effect": "NoExecute",
                    "key": key,
                    "operator": "Exists",
                    "tolerationSeconds": LEAVE_BROKEN_NODE_AFTER,
                }
            )


def _tolerates(toleration: dict[str, Any], key: str) -> bool:
    return bool(toleration.get("key", key) == key and toleration.get("effect", "NoExecute") == "NoExecute")


def _request_what_is_limited(resources: dict[str, Any]) -> None:
    if limits := resources.get("limits"):
        resources["requests"] = limits | resources.get("requests", {})
