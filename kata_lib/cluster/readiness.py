"""Whether Deployments have rolled out: objects as the API has them in, a line on what is missing out."""

from collections.abc import Sequence

from kata_lib.cluster import pods
from kata_lib.cluster.client import Obj


def missing(deployments: Sequence[Obj], there: Sequence[Obj]) -> str:
    """Return what is missing of these Deployments, with the pods' own reasons, or '' where nothing is."""
    waiting_for = [line for deployment in deployments if (line := unfinished(deployment))]
    return "; ".join([*waiting_for, *pods.troubles(there)]) if waiting_for else ""


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
