"""The one service that the workshop releases, and who calls it: what the mesh is asked about them."""

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from kata_lib.cluster.cluster import Cluster
from kata_lib.course import application
from kata_lib.course.application import APPLICATION
from kata_lib.course.steps import CANARY
from kata_lib.mesh import in_force as mesh_in_force
from kata_lib.mesh.in_force import InForce

if TYPE_CHECKING:
    from kata_lib.mesh.analyze import Analysis, Known
    from kata_lib.mesh.synced import Moment

NAME = "name"
CALLER = APPLICATION.service
CALLED = (("age", 5000), (NAME, 5000))


@functools.cache
def known() -> "Known":
    """Return what an analysis is told of the workshop."""
    from kata_lib.course import originals
    from kata_lib.mesh.analyze import Known

    return Known((CALLER,), CALLED, originals.made_by(), weighted=NAME)


def in_force(cluster: Cluster, gateway: str = "") -> InForce:
    """Return where requests to name go, as the sidecar of sentences has it, or a gateway asked for name."""
    if gateway:
        return mesh_in_force.read(cluster, NAME, gateway, application.host_of(NAME))
    return mesh_in_force.read(cluster, NAME, CALLER)


def analysis(cluster: Cluster) -> "Analysis":
    """Return what is wrong with the namespace's objects, with what the sidecar of sentences makes of them."""
    from kata_lib.mesh import analyze

    return analyze.namespace(cluster, known())


def set_weights(cluster: Cluster, wanted: Mapping[str, float]) -> dict[str, int]:
    """Set the weights for name and return all; MeshError says what is no weight, or what is missing."""
    from kata_lib.mesh import weights

    try:
        return weights.set_weights(cluster, NAME, wanted)
    except weights.NoWeights as missing:
        raise weights.NoWeights(f"{missing} `kubectl apply -f {CANARY}` makes one.") from None


def moment(cluster: Cluster) -> "Moment":
    """Return how things stand before something is written."""
    from kata_lib.mesh import synced

    return synced.now(cluster, CALLER)


def settle(cluster: Cluster, since: "Moment", on_wait: Callable[[str], None] | None = None) -> None:
    """Wait until the sidecar of sentences has what was written since; WaitTimeout says what it lacks."""
    from kata_lib.mesh import synced

    synced.until(cluster, CALLER, since, on_wait)
