"""Requests to a pod through the API server, which leads into any cluster; what came back, as a frame."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from kata_lib.cluster import waiting
from kata_lib.cluster.client import ApiRefused
from kata_lib.cluster.cluster import Cluster
from kata_lib.course import application
from kata_lib.course.exam.scenario import PORT
from kata_lib.errors import ClusterError
from kata_lib.mesh import in_force
from kata_lib.traffic.frames import RequestRecord

if TYPE_CHECKING:
    import pandas as pd

_AT_ONCE = 8


def ask(cluster: Cluster, caller: str, requests: int) -> "pd.DataFrame":
    """Ask a ready pod of the Service `caller` and return one row a request, as traffic.sample does.

    ClusterError where it has no ready pod.
    """
    pods = in_force.ready_pods(cluster, caller)
    if not pods:
        raise ClusterError(f"{caller} has no ready pod in namespace {cluster.namespace}.")
    path = f"{cluster.api.path('v1', 'Pod', pods[0]['metadata']['name'])}:{PORT}/proxy/"
    records: list[RequestRecord] = []
    with waiting.busy("Asking") as tell, ThreadPoolExecutor(_AT_ONCE) as pool:
        for record in pool.map(lambda _: _ask(cluster, path), range(requests)):
            records.append(record)
            tell(f"Asking: {len(records):,} of {requests:,} requests", len(records) / requests)
    return application.frame_of(records)


def _ask(cluster: Cluster, path: str) -> RequestRecord:
    sent, began = time.time_ns(), time.perf_counter()
    try:
        status, text = 200, cluster.api.text(path)
    except ApiRefused as refused:
        status, text = refused.code, str(refused)
    return RequestRecord(sent, 1000 * (time.perf_counter() - began), status, text)
