"""Which pods of the service that is released get its requests: the mesh is asked, a graph comes out."""

from typing import TYPE_CHECKING

from kata_lib.cluster.cluster import Cluster
from kata_lib.course import service
from kata_lib.mesh import ejections, in_force
from kata_lib.pictures import graph

if TYPE_CHECKING:
    import pandas as pd


def graph_of(cluster: Cluster, counted: "pd.DataFrame") -> graph.Graph:
    """Return who of the service's ready pods got how much of what was counted, and which are ejected."""
    pods = {
        pod["metadata"]["name"]: pod["metadata"].get("labels", {}).get("version", "")
        for pod in in_force.ready_pods(cluster, service.NAME)
    }
    ejected = ejections.read(cluster, service.NAME, service.CALLER)
    return graph.draw_pods(counted, service.NAME, service.CALLER, pods, ejected)
