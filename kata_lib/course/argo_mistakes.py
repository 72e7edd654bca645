"""Mistakes that a Rollout shows: what is not as a step wants it, and the line that mends it."""

from collections.abc import Iterator

from kata_lib.cluster.cluster import Cluster
from kata_lib.course import restoring
from kata_lib.course.mistake import Mistake
from kata_lib.course.service import NAME
from kata_lib.course.steps import ARGO
from kata_lib.delivery import argo
from kata_lib.errors import KataError, MeshError
from kata_lib.mesh import weights

_FILE = "deploy/rollouts/argo-rollouts/rollout-{}.yaml"
_ENDED_BY = {"Healthy": "goes through", "Degraded": "is aborted by its analysis"}


def find(cluster: Cluster, canary: str, phase: str) -> Iterator[Mistake]:
    """Yield why the Rollout's release of this version has not ended so, by its analysis."""
    begin = f"kubectl apply -f {_FILE.format(canary)}"
    try:
        state = argo.find(cluster, "name").state
    except KataError as error:
        yield Mistake(str(error), "kata reset argo-rollouts")
        return
    again = f"kubectl apply -f {_FILE.format(state.stable or 'v1')} && {begin}"
    unsure = [m for m in state.measurements if m.phase in ("Error", "Inconclusive")]
    if state.canary != canary:
        yield Mistake(f"The Rollout's newest version is {state.canary}; this step releases {canary}.", begin)
    elif not state.ended:
        yield Mistake(f"The release has not ended: {state}", "kubectl get rollout name --watch")
    elif state.phase != phase and unsure:
        yield Mistake(
            f"The analysis could not judge {canary}: {unsure[-1]}. It asks Prometheus.",
            f"kata addons install prometheus && {again}",
        )
    elif state.phase != phase:
        yield Mistake(f"This step's release {_ENDED_BY[phase]}; yours ended otherwise: {state}", again)
    elif not state.measurements or (phase == "Degraded" and state.measurements[-1].phase != "Failed"):
        yield Mistake(f"A person decided this release, not the analysis: {state}", again)
    else:
        yield from _moved(cluster)


def _moved(cluster: Cluster) -> Iterator[Mistake]:
    try:
        written = weights.read(cluster, NAME)
    except MeshError as error:
        yield Mistake(str(error), restoring.applied(f"{ARGO}/routing.yaml"))
        return
    if any(weight for name, weight in written.items() if name != "stable"):
        yield Mistake(
            f"The release has left everyone on stable, and somebody moved them since: {written}.",
            "kata weights stable=100 canary=0",
        )
