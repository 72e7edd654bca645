"""The workshop's application: three services of one image, of which `sentences` asks the other two."""

from typing import TYPE_CHECKING

from kata_lib.engines.application import Application
from kata_lib.errors import ClusterError
from kata_lib.machine import PROJECT

if TYPE_CHECKING:
    from kata_lib.cluster.cluster import Cluster

APPLICATION = Application(
    image="kata/sentences",
    tags=("v1", "v2", "v3"),
    source=PROJECT / "deploy" / "app",
    program="sentences.py",
    port=5000,
    service="sentences",
    node_port=30500,
    pods=8,  # four of v2, two of v1, age and sentences
)


def url(cluster: "Cluster") -> str:
    """Return where sentences answers; ClusterError says what makes it where it is not there."""
    if cluster.get("v1", "Service", APPLICATION.service) is None:
        raise ClusterError(
            f"There is no Service {APPLICATION.service!r} in namespace {cluster.namespace}: "
            "`kubectl apply -f deploy/v1` makes the workshop's."
        )
    return cluster.url(APPLICATION.service)
