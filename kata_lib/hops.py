"""Which sidecars a request meets, as their own counters say: one request goes in, a table comes out.

Every sidecar counts the requests that it takes for its pod (reporter="destination") and those that it sends
for it (reporter="source") in Istio's istio_requests_total, on the pod's port 15020.
"""

import re
from collections.abc import Callable

import pandas as pd

from kata_lib.cluster import Cluster
from kata_lib.mesh import is_ready

METRICS_PORT = 15020
_COUNTER = re.compile(r"^istio_requests_total\{(?P<labels>.*)\} (?P<value>\S+)$", re.MULTILINE)


def of(cluster: Cluster, send: Callable[[], object]) -> pd.DataFrame:
    """Return one row for each sidecar that counted something while `send` ran.

    Columns: received, sent (numbers of requests); index: pod. Other traffic at the same time is counted too.
    """
    before = _counts(cluster)
    send()
    after = _counts(cluster)
    rows = {
        pod: [now - then for now, then in zip(after[pod], before.get(pod, (0, 0)), strict=True)]
        for pod in after
    }
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["received", "sent"])
    counted = table[table.any(axis="columns")].sort_index(key=_callers_first(table))
    return counted.rename_axis(columns="pod")


def requests_counted(metrics: str) -> tuple[int, int]:
    """Return how many requests a sidecar received for its pod and sent for it, from its Prometheus text."""
    counted = {"destination": 0, "source": 0}
    for match in _COUNTER.finditer(metrics):
        reporter = re.search(r'reporter="(\w+)"', match["labels"])
        if reporter and reporter[1] in counted:
            counted[reporter[1]] += int(float(match["value"]))
    return counted["destination"], counted["source"]


def _counts(cluster: Cluster) -> dict[str, tuple[int, int]]:
    names = [pod["metadata"]["name"] for pod in cluster.pods() if is_ready(pod)]
    return {name: requests_counted(cluster.ask_pod(name, METRICS_PORT, "stats/prometheus")) for name in names}


def _callers_first(table: pd.DataFrame) -> Callable[[pd.Index], pd.Index]:
    return lambda pods: pd.Index([(-table.loc[pod, "sent"], pod) for pod in pods])
