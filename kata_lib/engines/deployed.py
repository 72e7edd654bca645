"""An add-on's manifest in a cluster: applied by kubectl, and its Deployment looked at."""

import json
from pathlib import Path

from kata_lib.engines import kubectl
from kata_lib.engines.addons import Addon
from kata_lib.engines.programs import ProgramFailed
from kata_lib.errors import EngineError

APPLY_SECONDS = 120.0
"""A release's definitions are megabytes, and a busy machine takes half a minute for them."""


def apply(kubeconfig: Path, addon: Addon, manifest: str) -> None:
    """Apply an add-on's manifest, given as text, in its namespace, which is made first.

    Raises EngineError with the cluster's words where it refuses.
    """
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": addon.namespace}}
    # On the server's side: definitions are too large for the annotation of kubectl's own apply.
    words = ("apply", "--server-side", "--force-conflicts", "--filename=-", f"--namespace={addon.namespace}")
    try:
        for given in (json.dumps(namespace), manifest):
            kubectl.kubectl(kubeconfig, *words, given=given, seconds=APPLY_SECONDS)
    except ProgramFailed as failed:
        raise EngineError(f"The cluster does not take {addon.name}: {failed.said or failed}") from failed


def missing(kubeconfig: Path, addon: Addon) -> str:
    """Return why an add-on's Deployment does not serve yet, "" where it does."""
    name, within = addon.deployment, f"--namespace={addon.namespace}"
    try:
        found = kubectl.read(kubeconfig, "get", "deployment", name, within)
    except ProgramFailed as failed:
        return failed.said or f"there is no Deployment {name}"
    if found.get("status", {}).get("availableReplicas", 0) > 0:
        return ""
    pods = kubectl.pods(kubeconfig, addon.namespace)
    own = [pod for pod in pods if pod["metadata"]["name"].startswith(f"{name}-")]
    return f"{name}: {'; '.join(kubectl.unready(own)) or 'no pods yet'}"
