"""Waiting with a limit, and a visible reason for every wait.

Deployments and pods go in as the API shows them; a line that says what is still missing comes out, or none.
"""

import time
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from kata_lib import pods
from kata_lib.errors import WaitTimeout
from kata_lib.kube import Obj

if TYPE_CHECKING:
    from kata_lib.cluster import Cluster

_POLL_SECONDS = 0.1


def until_ready(
    cluster: "Cluster",
    timeout: float,
    on_wait: Callable[[str], None] | None = None,
    names: Collection[str] | None = None,
) -> None:
    """Wait until the Deployments have rolled out; parameters as Cluster.wait_ready says."""

    def missing() -> str:
        deployments = [
            d
            for d in cluster.objects("apps/v1", "Deployment")
            if names is None or d["metadata"]["name"] in names
        ]
        waiting_for = [line for d in deployments if (line := unfinished(d))]
        return "; ".join(waiting_for + list(pods.troubles(cluster.pods()))) if waiting_for else ""

    until(missing, timeout, on_wait, "Not everything is ready")


def until_gone(cluster: "Cluster", objects: list[Obj], timeout: float) -> None:
    """Wait until none of the objects exists any more."""

    def left() -> str:
        names = (
            f"{o['kind']} {o['metadata']['name']}"
            for o in objects
            if cluster.get(o["apiVersion"], o["kind"], o["metadata"]["name"])
        )
        return ", ".join(names)

    until(left, timeout, None, "Still there")


def unfinished(deployment: Obj) -> str:
    """Return why a Deployment has not rolled out, in the terms of `kubectl rollout status`, or ''."""
    name, spec, status = deployment["metadata"]["name"], deployment["spec"], deployment.get("status", {})
    wanted = spec.get("replicas", 1)
    if status.get("observedGeneration", 0) < deployment["metadata"].get("generation", 1):
        return f"{name}: the change is not seen yet"
    if (updated := status.get("updatedReplicas", 0)) < wanted:
        return f"{name}: {updated} of {wanted} pods are of the new template"
    if (old := status.get("replicas", 0) - updated) > 0:
        return f"{name}: {old} old pod{'s' * (old > 1)} to be removed"
    if (available := status.get("availableReplicas", 0)) < wanted:
        return f"{name}: {available} of {wanted} pods ready"
    return ""


def until(
    missing: Callable[[], str], timeout: float, on_wait: Callable[[str], None] | None, what: str
) -> None:
    """Wait until `missing` says nothing; WaitTimeout begins with `what` and ends with the last thing seen."""
    limit = time.monotonic() + timeout
    said = ""
    while line := missing():
        if line != said and on_wait is not None:
            on_wait(line)
        said = line
        if time.monotonic() > limit:
            raise WaitTimeout(f"{what} after {timeout:g} s. Last seen: {line}")
        time.sleep(_POLL_SECONDS)
