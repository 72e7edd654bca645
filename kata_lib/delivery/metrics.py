"""A release's metrics, from what the caller's sidecars counted: two readings in, a Look at each metric out.

While the canary gets copies of users' requests, which no caller counts, the called pods' sidecars are asked.
A request that reached no pod carries no version. Where a pod was chosen, its workload tells; where none was,
the caller's sidecar does: it answers in place of a destination without pods. What is left is nobody's.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from itertools import chain
from typing import TYPE_CHECKING

from kata_lib.cluster.client import Obj
from kata_lib.cluster.cluster import Cluster
from kata_lib.cluster.pods import is_ready, not_ready, troubles, workload
from kata_lib.delivery.metric import Metric
from kata_lib.delivery.observed import Look, Observed, Pods
from kata_lib.delivery.plan import Plan
from kata_lib.delivery.state import ReleaseState, Versions
from kata_lib.errors import ReleaseError
from kata_lib.mesh import in_force, telemetry
from kata_lib.mesh.in_force import InForce
from kata_lib.statistics.sequential import Counted

if TYPE_CHECKING:
    import pandas as pd

UNKNOWN = ("unknown", "")
"""Istio's word for a version that did not answer; some ways to count leave the label out."""

Parts = tuple["pd.DataFrame", "pd.DataFrame", "pd.DataFrame"]
"""What was counted of the canary, of stable, and of neither."""


def reading(cluster: Cluster, plan: Plan) -> "pd.DataFrame":
    """Return the counters as they stand, with the buckets that the plan's metrics need."""
    return telemetry.counters(cluster, [m.within for m in plan.metrics if m.within is not None])


def observe(cluster: Cluster, counted: "pd.DataFrame", state: ReleaseState) -> Observed:
    """Return what a look sees; counted: the difference of two readings.

    ReleaseError where a pod did not answer that counts the requests: a caller, or of copies one called.
    """
    plan, versions, routing = state.plan, state.versions, state.routing
    asked = {plan.service, plan.stable, plan.canary}  # an HTTPRoute sends to a Service for each version
    everything = cluster.pods()
    pods = _behind(cluster, plan.service, everything)
    called = named(counted, {workload(pod): _version(pod) for pod in pods})
    if routing.mirror and not routing.weight:
        _must_answer(counted, pods)
        parts = split(called, asked, versions, "destination")
    else:
        callers = _behind(cluster, plan.caller, everything)
        _must_answer(counted, callers)
        mine = called[called.index.get_level_values("pod").isin([c["metadata"]["name"] for c in callers])]
        parts = split(mine, asked, versions)
    if len(parts[2]):
        parts = given(parts, plan, in_force.read(cluster, plan.service, plan.caller))
    return Observed(looks(parts, plan), pods_of(pods, versions.canary), pods_of(pods, versions.stable))


def _must_answer(counted: "pd.DataFrame", pods: list[Obj]) -> None:
    silent = counted.attrs.get("silent", {})
    for name in (pod["metadata"]["name"] for pod in pods):
        if name in silent:
            raise ReleaseError(f"The sidecar of {name} does not answer: {silent[name]}")


def _behind(cluster: Cluster, service: str, pods: list[Obj]) -> list[Obj]:
    """Return those of the pods that a Service selects, but for those on their way out; [] without it."""
    found = cluster.get("v1", "Service", service)
    selected = [] if found is None else in_force.behind(found, pods)
    return [pod for pod in selected if "deletionTimestamp" not in pod["metadata"]]


def pods_of(pods: list[Obj], version: str) -> Pods:
    """Return how many of a version's pods are ready, and why not all of them."""
    mine = [pod for pod in pods if _version(pod) == version]
    missing = [pod for pod in mine if not is_ready(pod)]
    why = chain(troubles(missing), map(not_ready, missing))
    return Pods(len(mine) - len(missing), len(mine), next(why, ""))


def named(counted: "pd.DataFrame", workloads: Mapping[str, str]) -> "pd.DataFrame":
    """Return the counts with the version of each workload that was chosen and did not answer."""
    import pandas as pd

    index = counted.index.to_frame()
    told = index["destination"].map(workloads)
    index["version"] = index["version"].where(~index["version"].isin(UNKNOWN) | told.isna(), told)
    renamed = counted.set_axis(pd.MultiIndex.from_frame(index), axis="index")
    renamed.attrs = counted.attrs
    return renamed


def split(
    counted: "pd.DataFrame", services: AbstractSet[str], versions: Versions, reporter: str = "source"
) -> Parts:
    """Return what was counted of the versions of canary and stable, of the requests to some services."""
    index = counted.index
    chosen = index.get_level_values("service").isin(services)
    mine = counted[chosen & (index.get_level_values("reporter") == reporter)]
    version = mine.index.get_level_values("version")
    lost = version.isin(UNKNOWN) & telemetry.failed(mine).to_numpy()
    return mine[version == versions.canary], mine[version == versions.stable], mine[lost]


def given(parts: Parts, plan: Plan, found: InForce) -> Parts:
    """Return the parts with what was lost in that of the destination for which the caller answers."""
    import pandas as pd

    route = found.route()
    dead = [place.name for place in (route.destinations if route else ()) if place.share and place.status]
    if dead not in ([plan.canary], [plan.stable]):
        return parts
    canary, stable, lost = parts
    if dead == [plan.canary]:
        return pd.concat([canary, lost]), stable, lost.iloc[:0]
    return canary, pd.concat([stable, lost]), lost.iloc[:0]


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


def failures(part: "pd.DataFrame") -> Counted:
    """Return how many requests of a part failed, and how many there were."""
    return Counted(int(part.loc[telemetry.failed(part), "requests"].sum()), int(part["requests"].sum()))


def _counted(metric: Metric, part: "pd.DataFrame") -> Counted:
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
