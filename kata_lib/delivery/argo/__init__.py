"""A release by the real Argo Rollouts controller, watched and steered through the Kubernetes API alone.

    lab.apply("deploy/rollouts/argo-rollouts/rollout-v2.yaml")
    release = argo.find(lab.cluster, "name")
    release.wait()

state.py reads the controller's objects, handle.py is what a notebook holds. Nothing here decides: the
controller does.
"""

from collections.abc import Callable

from kata_lib.cluster import waiting
from kata_lib.cluster.cluster import Cluster
from kata_lib.delivery.argo.handle import ArgoRollout
from kata_lib.errors import ClusterError, WaitTimeout
from kata_lib.mesh.analyze.rollouts import API, KIND

__all__ = ["API", "KIND", "MANAGER", "ArgoRollout", "absent", "find", "forget", "until_healthy"]

MANAGER = "rollouts-controller"
"""The controller's name in metadata.managedFields: that of its program, which client-go takes."""
SEEN_SECONDS = 15.0
HEALTHY_SECONDS = 60.0
INSTALL = "`kata addons install rollouts` installs it"


def absent(cluster: Cluster) -> str:
    """Return why no Rollout can be released on this cluster and what to do, "" where one can."""
    if cluster.api.serves(API, KIND):
        return ""
    return (
        f"This cluster has no Argo Rollouts: its API serves no {API}. {INSTALL}, and "
        "`kata up --engine kind` makes a cluster with room for it."
    )


def find(cluster: Cluster, name: str) -> ArgoRollout:
    """Return the Rollout of that name; ReleaseError where it is not, ClusterError without Argo Rollouts."""
    if reason := absent(cluster):
        raise ClusterError(reason)
    found = ArgoRollout(cluster, name)
    _ = found.state
    return found


def forget(cluster: Cluster) -> None:
    """Delete the namespace's Rollouts and wait until they are gone; the weights stay as they are."""
    if absent(cluster):
        return
    there = cluster.objects(API, KIND)
    for rollout in there:
        cluster.remove(API, KIND, rollout["metadata"]["name"])
    cluster.wait_gone(there, HEALTHY_SECONDS)


def until_healthy(cluster: Cluster, name: str, on_wait: Callable[[str], None] | None = None) -> None:
    """Wait until a Rollout's first version runs; WaitTimeout says what was seen last, or that nobody acts."""
    rollout = find(cluster, name)

    def unseen() -> str:
        return "" if rollout.state.observed else str(rollout.state)

    def pending() -> str:
        state = rollout.state
        return "" if state.phase == "Healthy" else str(state)

    try:
        waiting.until(unseen, SEEN_SECONDS, None, f"Nobody acts on the Rollout {name}")
    except WaitTimeout as late:
        raise WaitTimeout(f"{late}. Is the Argo Rollouts controller running? {INSTALL}.") from late
    waiting.until(pending, HEALTHY_SECONDS, on_wait, f"The Rollout {name} is not healthy")
