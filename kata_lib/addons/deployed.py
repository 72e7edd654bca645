"""A manifest in a real cluster: applied by kubectl, and its Deployment looked at."""

from pathlib import Path

from kata_lib.engines import kubectl
from kata_lib.engines.programs import ProgramFailed
from kata_lib.errors import EngineError


def apply(kubeconfig: Path, name: str, manifest: str, *words: str) -> None:
    """Apply an add-on's manifest, given as text; EngineError with the cluster's words where it is refused.

    On the server's side: definitions are too large for the annotation of kubectl's own apply.
    """
    try:
        kubectl.kubectl(
            kubeconfig, "apply", "--server-side", "--force-conflicts", "--filename=-", *words, given=manifest
        )
    except ProgramFailed as failed:
        raise EngineError(f"The cluster does not take {name}: {failed.said}") from failed


def missing(kubeconfig: Path, namespace: str, name: str) -> str:
    """Return why a Deployment does not serve yet, "" where it does."""
    try:
        found = kubectl.read(kubeconfig, "get", "deployment", name, f"--namespace={namespace}")
    except ProgramFailed as failed:
        return failed.said or f"there is no Deployment {name}"
    if found.get("status", {}).get("availableReplicas", 0) > 0:
        return ""
    pods = [p for p in kubectl.pods(kubeconfig, namespace) if p["metadata"]["name"].startswith(f"{name}-")]
    return f"{name}: {'; '.join(kubectl.unready(pods)) or 'no pods yet'}"
