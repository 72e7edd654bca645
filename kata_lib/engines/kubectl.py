"""kubectl as an engine uses it: a kubeconfig and words go in, what it prints comes out."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kata_lib.cluster.pods import is_ready, not_ready, statuses, troubles
from kata_lib.engines.programs import ASK_SECONDS, ProgramFailed, ask, program

NOT_LOADED = ("ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName")


def kubectl(kubeconfig: Path, *words: str, given: str | None = None, seconds: float = ASK_SECONDS) -> str:
    """Return what kubectl prints; ProgramFailed with its words where it fails, or not in time.

    One request of several may take half of the time.
    """
    limit = f"--request-timeout={seconds / 2:g}s"
    return ask([program("kubectl"), f"--kubeconfig={kubeconfig}", limit, *words], seconds, given)


def read(kubeconfig: Path, *words: str) -> Any:
    """Return what kubectl prints as JSON."""
    return json.loads(kubectl(kubeconfig, *words, "--output=json"))


def create(kubeconfig: Path, objects: list[dict[str, Any]], *words: str) -> list[dict[str, Any]]:
    """Create objects and return them as the server made them, which kubectl prints one after the other."""
    given = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
    text = kubectl(kubeconfig, "create", "--filename=-", "--output=json", *words, given=given).strip()
    made, decoder = [], json.JSONDecoder()
    while text:
        one, end = decoder.raw_decode(text)
        made.append(one)
        text = text[end:].lstrip()
    return made


def pods(kubeconfig: Path, namespace: str) -> list[dict[str, Any]]:
    """Return a namespace's pods, none where the API does not answer (yet)."""
    try:
        found: list[dict[str, Any]] = read(kubeconfig, "get", "pods", f"--namespace={namespace}")["items"]
    except ProgramFailed:
        return []
    return found


def unready(found: Iterable[dict[str, Any]]) -> list[str]:
    """Return for each pod that is not ready why, as far as Kubernetes tells."""
    missing = [pod for pod in found if not is_ready(pod)]
    return [next(troubles([pod]), not_ready(pod)) for pod in missing]


def not_loaded(found: Iterable[dict[str, Any]]) -> list[str]:
    """Return the images that the node neither has nor gets."""
    images = set()
    for pod in found:
        for container in statuses(pod):
            if container.get("state", {}).get("waiting", {}).get("reason") in NOT_LOADED:
                images.add(container["image"])
    return sorted(images)
