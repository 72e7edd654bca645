"""A release's metrics, from what the callers' sidecars counted: two readings in, a Look at each metric out.

While the canary gets copies of users' requests, which no caller counts, the called pods' sidecars are asked.
A failure that reached no pod carries no version; it is the canary's, since before it there were none.
"""

from collections.abc import Mapping

import pandas as pd

from kata_lib.cluster.cluster import Cluster
from kata_lib.delivery.judging import Look
from kata_lib.delivery.metric import Metric
from kata_lib.delivery.plan import Plan
from kata_lib.delivery.state import Routing
from kata_lib.errors import ReleaseError
from kata_lib.mesh import old_weights as mesh
from kata_lib.mesh import telemetry
from kata_lib.statistics.sequential import Counted

UNKNOWN = "unknown"


def reading(cluster: Cluster, plan: Plan) -> pd.DataFrame:
    """Return the counters as they stand, with the buckets that the plan's metrics need."""
    return telemetry.counters(cluster, [m.within for m in plan.metrics if m.within is not None])


def versions(cluster: Cluster, plan: Plan) -> tuple[str, str]:
    """Return the versions behind the subsets of the canary and of stable."""
    labels = mesh.subsets(cluster, plan.service)
    try:
        return labels[plan.canary]["version"], labels[plan.stable]["version"]
    except KeyError as error:
        raise ReleaseError(f"The DestinationRules of {plan.service} no longer define {error}.") from None


def looks(counted: pd.DataFrame, plan: Plan, names: tuple[str, str], routing: Routing) -> Mapping[str, Look]:
    """Return what each metric says of the canary and of stable; counted: the difference of two readings."""
    copies = routing.mirror and not routing.weight
    parts = split(counted, plan.service, names, "destination" if copies else "source")
    return {metric.name: Look(*(_counted(metric, part) for part in parts)) for metric in plan.metrics}


def split(
    counted: pd.DataFrame, service: str, names: tuple[str, str], reporter: str = "source"
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return what was counted of the versions of canary and stable, of the requests to a service."""
    index = counted.index
    chosen = index.get_level_values("service") == service
    mine = counted[chosen & (index.get_level_values("reporter") == reporter)]
    version = mine.index.get_level_values("version")
    lost = (version == UNKNOWN) & telemetry.failed(mine).to_numpy()
    canary, stable = names
    return mine[(version == canary) | lost], mine[version == stable]


def failures(part: pd.DataFrame) -> Counted:
    """Return how many requests of a part failed, and how many there were."""
    return Counted(int(part.loc[telemetry.failed(part), "requests"].sum()), int(part["requests"].sum()))


def _counted(metric: Metric, part: pd.DataFrame) -> Counted:
    if metric.within is None:
        return failures(part)
    if part.attrs.get("source") == telemetry.ENVOYS_OWN:
        raise ReleaseError(
            f"These sidecars do not count how long requests take, so {metric.name} cannot be judged here: "
            "leave it out of the plan's metrics."
        )
    if part["timed"].sum() and part[metric.within].isna().all():
        raise ReleaseError(
            f"The sidecars do not count how many requests take up to {metric.within} ms. Istio counts up to "
            "1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000 and 10000 ms: take one of these for `within`."
        )
    timed, within = int(part["timed"].sum()), int(part[metric.within].sum())
    return Counted(timed - within, timed)
