"""A release's objects for a cluster whose pods are processes: Deployments without what a process has not."""

from collections.abc import Sequence
from typing import Any

from kata_lib.cluster.documents import documents

_OF_PODS = ("volumes", "securityContext")
_OF_CONTAINERS = ("command", "livenessProbe", "readinessProbe", "ports", "securityContext", "volumeMounts")


def without_containers(text: str, arguments: Sequence[str]) -> list[dict[str, Any]]:
    """Return a manifest's objects; each Deployment's program gets `arguments` after its own."""
    objects = list(documents(text.encode()))
    for obj in objects:
        if obj["kind"] == "Deployment":
            _without_container(obj["spec"]["template"]["spec"], arguments)
    return objects


def _without_container(spec: dict[str, Any], arguments: Sequence[str]) -> None:
    for field in _OF_PODS:
        spec.pop(field, None)
    for container in spec["containers"]:
        own = [*container.get("command", ())[1:], *container.get("args", ())]  # the program is the machine's
        for field in _OF_CONTAINERS:
            container.pop(field, None)
        container["args"] = [*own, *arguments]
