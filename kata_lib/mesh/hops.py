"""Which sidecars a request meets, as their own counters say: one request goes in, a table comes out.

Every sidecar counts the requests that it takes for its pod (reporter="destination") and those that it sends
for it (reporter="source").
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from kata_lib.cluster.cluster import Cluster
from kata_lib.mesh import telemetry

if TYPE_CHECKING:
    import pandas as pd


def count(cluster: Cluster, send: Callable[[], object]) -> "pd.DataFrame":
    """Return one row for each sidecar that counted something while `send` ran.

    Columns: received, sent (numbers of requests); index: pod. Other traffic at the same time is counted too.
    """
    import pandas as pd

    before = telemetry.counters(cluster)
    send()
    counted = telemetry.difference(before, telemetry.counters(cluster))
    sides = counted["requests"].groupby(level=["pod", "reporter"]).sum().unstack("reporter", fill_value=0)
    table = sides.reindex(columns=["destination", "source"], fill_value=0).astype(int)
    table.columns = pd.Index(["received", "sent"], name="pod")
    table.index.name = None
    return table.sort_index(key=_callers_first(table))


def _callers_first(table: "pd.DataFrame") -> "Callable[[pd.Index], pd.Index]":
    import pandas as pd

    return lambda pods: pd.Index([(-table.loc[pod, "sent"], pod) for pod in pods])
