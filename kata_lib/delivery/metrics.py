"""A release's metrics, from what the callers' sidecars counted: two readings in, a Look at each metric out.

While the canary gets copies of users' requests, which no caller counts, the called pods' sidecars are asked.
A request that reached no pod carries no version. Where a pod was chosen, its workload tells; where none was,
it is that version's of which no pod is ready. What is left is nobody's (Look.lost).
"""

from collections.abc import Mapping

import pandas as pd

from kata_lib.cluster.client import Obj
from kata_lib.cluster.cluster import Cluster
from kata_lib.cluster.pods import is_ready, troubles, workload
from kata_lib.delivery.metric import Metric
from kata_lib.delivery.observed import Look, Observed, Pods
from kata_lib.delivery.plan import Plan
from kata_lib.delivery.state import Routing
from kata_lib.errors import ReleaseError
from kata_lib.mesh import old_weights as mesh
from kata_lib.mesh import telemetry
from kata_lib.statistics.sequential import Counted

UNKNOWN = ("unknown", "")
"""Istio's word for a version that did not answer; some ways to count leave the label out."""

Parts = tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]
"""What was counted of the canary, of stable, and of neither."""


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


def observe(cluster: Cluster, counted: pd.DataFrame, plan: Plan, routing: Routing) -> Observed:
    """Return what a look sees; counted: the difference of two readings."""
    names = versions(cluster, plan)
    behind = pods_behind(cluster, plan.service)
    canary, stable = (pods_of(behind, name) for name in names)
    copies = routing.mirror and not routing.weight
    called = named(counted, {workload(pod): _version(pod) for pod in behind})
    parts = split(called, plan.service, names, "destination" if copies else "source")
    if canary.gone != stable.gone:
        parts = _given(parts, 0 if canary.gone else 1)
    return Observed(looks(parts, plan), canary, stable)


def pods_behind(cluster: Cluster, service: str) -> list[Obj]:
    """Return the pods that a Service selects, but for those on their way out; [] without the Service."""
    found = cluster.get("v1", "Service", service) or {"spec": {}}
    selector = ",".join(f"{key}={value}" for key, value in found["spec"].get("selector", {}).items())
    if not selector:
        return []
    return [pod for pod in cluster.pods(selector) if "deletionTimestamp" not in pod["metadata"]]


def pods_of(pods: list[Obj], version: str) -> Pods:
    """Return how many of a version's pods are ready, and why not all of them."""
    mine = [pod for pod in pods if _version(pod) == version]
    missing = [pod for pod in mine if not is_ready(pod)]
    return Pods(len(mine) - len(missing), len(mine), next(troubles(missing), ""))


def named(counted: pd.DataFrame, workloads: Mapping[str, str]) -> pd.DataFrame:
    """Return the counts with the version of each workload that was chosen and did not answer."""
    index = counted.index.to_frame()
    told = index["destination"].map(workloads)
    index["version"] = index["version"].where(~index["version"].isin(UNKNOWN) | told.isna(), told)
    renamed = counted.set_axis(pd.MultiIndex.from_frame(index), axis="index")
    renamed.attrs = counted.attrs
    return renamed


def split(counted: pd.DataFrame, service: str, names: tuple[str, str], reporter: str = "source") -> Parts:
    """Return what was counted of the versions of canary and stable, of the requests to a service."""
    index = counted.index
    chosen = index.get_level_values("service") == service
    mine = counted[chosen & (index.get_level_values("reporter") == reporter)]
    version = mine.index.get_level_values("version")
    canary, stable = names
    lost = version.isin(UNKNOWN) & telemetry.failed(mine).to_numpy()
    return mine[version == canary], mine[version == stable], mine[lost]


def looks(parts: Parts, plan: Plan) -> Mapping[str, Look]:
    """Return what each metric says of the parts."""
    canary, stable, lost = parts
    return {
        metric.name: Look(
            _counted(metric, canary),
            _counted(metric, stable),
            failures(lost).bad if metric.within is None else 0,
        )
        for metric in plan.metrics
    }


def failures(part: pd.DataFrame) -> Counted:
    """Return how many requests of a part failed, and how many there were."""
    return Counted(int(part.loc[telemetry.failed(part), "requests"].sum()), int(part["requests"].sum()))


def _given(parts: Parts, whose: int) -> Parts:
    """Return the parts with what was lost in one of them, the canary's (0) or stable's (1)."""
    found = list(parts)
    found[whose] = pd.concat([found[whose], found[2]])
    return found[0], found[1], found[2].iloc[:0]


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
    part = part[~telemetry.failed(part)]
    timed, within = int(part["timed"].sum()), int(part[metric.within].sum())
    return Counted(timed - within, timed)


def _version(pod: Obj) -> str:
    return str(pod["metadata"].get("labels", {}).get("version", ""))
