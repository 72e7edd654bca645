"""kubectl as an engine uses it: a kubeconfig and words go in, what it prints comes out."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kata_lib.engines.programs import ProgramFailed, ask, program

REQUEST_SECONDS = 10

_WORKING = (None, "ContainerCreating", "PodInitializing")
NOT_LOADED = ("ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName")


def kubectl(kubeconfig: Path, *words: str, given: str | None = None) -> str:
    """Return what kubectl prints; ProgramFailed with its words where it fails."""
    limit = f"--request-timeout={REQUEST_SECONDS}s"
    return ask([program("kubectl"), f"--kubeconfig={kubeconfig}", limit, *words], given=given)


def read(kubeconfig: Path, *words: str, given: str | None = None) -> Any:
    """Return what kubectl prints as JSON."""
    return json.loads(kubectl(kubeconfig, *words, "--output=json", given=given))


def pods(kubeconfig: Path, namespace: str) -> list[dict[str, Any]]:
    """Return a namespace's pods, none where the API does not answer (yet)."""
    try:
        found: list[dict[str, Any]] = read(kubeconfig, "get", "pods", f"--namespace={namespace}")["items"]
    except ProgramFailed:
        return []
    return found


def troubles(found: Iterable[dict[str, Any]]) -> list[str]:
    """Return for each pod that is not ready the reason that Kubernetes gives."""
    lines = []
    for pod in found:
        name, status = pod["metadata"]["name"], pod.get("status", {})
        conditions = {c["type"]: c for c in status.get("conditions", [])}
        if conditions.get("Ready", {}).get("status") == "True":
            continue
        unplaced = conditions.get("PodScheduled", {})
        containers = [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]
        states = [s.get("state", {}) for s in containers]
        said = [s.get("waiting") or s.get("terminated") or {} for s in states]
        reasons = [s for s in said if s.get("reason") not in (*_WORKING, "Completed")]
        if unplaced.get("status") == "False":
            lines.append(f"{name}: {unplaced.get('message', 'no node takes it')}")
        elif reasons:
            lines.append(f"{name}: {reasons[0]['reason']} {reasons[0].get('message', '')}".strip())
        else:
            lines.append(f"{name}: not ready")
    return lines


def not_loaded(found: Iterable[dict[str, Any]]) -> list[str]:
    """Return the images that the node neither has nor gets."""
    images = set()
    for pod in found:
        status = pod.get("status", {})
        for container in [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]:
            if container.get("state", {}).get("waiting", {}).get("reason") in NOT_LOADED:
                images.add(container["image"])
    return sorted(images)
