"""What the sidecars counted: a cluster goes in, tables of requests, errors and durations come out.

Istio's istio_requests_total and istio_request_duration_milliseconds, read from each pod's port 15020
(https://istio.io/latest/docs/reference/config/metrics/). Both ends of a hop count: the caller's sidecar
(reporter="source") each request once, with the answer it got in the end; the called pod's sidecar
(reporter="destination") each attempt that reached it, so that a retry counts there again.
"""

import math
import re
import time
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from kata_lib.cluster import waiting
from kata_lib.cluster.client import Obj
from kata_lib.cluster.cluster import Cluster
from kata_lib.cluster.pods import SIDECAR, is_ready, running_since
from kata_lib.errors import ClusterError
from kata_lib.mesh import proxy_counters, version_services
from kata_lib.statistics import shares

if TYPE_CHECKING:
    import pandas as pd

SETTLE = 6.0  # seconds; Envoy publishes durations once in five where nobody sets it otherwise
_PAUSE = 0.1
_AT_ONCE = 8  # sidecars asked side by side

ISTIOS = "istio_requests_total of each sidecar"
ENVOYS_OWN = "each Envoy's own counters, for want of istio_requests_total: attempts, without durations"
"""Where a table's numbers are from: its attrs["source"]."""

LABELS = {
    "reporter": "reporter",
    "source": "source_workload",
    "source version": "source_version",
    "service": "destination_service_name",
    "destination": "destination_workload",
    "version": "destination_version",
    "code": "response_code",
    "flags": "response_flags",
}
"""The tables' names for Istio's labels."""
BOUNDS = (1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000)
"""Milliseconds: of the durations, how many lasted at most so long is counted; Istio's own have more."""
KEYS = ["pod", *LABELS]
READING = [*KEYS, proxy_counters.ENDPOINT]
"""What tells the rows of a reading apart; the endpoint is "" in Istio's own counters."""
_VALUES = {
    "istio_requests_total": "requests",
    "istio_request_duration_milliseconds_count": "timed",
    "istio_request_duration_milliseconds_sum": "milliseconds",
}
_BUCKET = "istio_request_duration_milliseconds_bucket"
PodCounters = tuple[dict[tuple[str, ...], dict[Any, float]], bool]
"""One pod's counters by READING, and whether they are Envoy's own for want of Istio's."""

_LINE = re.compile(r"^(?P<name>istio_\w+)\{(?P<labels>.*)\} (?P<value>\S+)$", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="([^"]*)"')


def counters(cluster: Cluster, within: Collection[int] = ()) -> "pd.DataFrame":
    """Return the counters as they stand this moment, which attrs["at"] holds; as `reading` otherwise.

    And for each time of `within`, in ms, the number of durations known up to it: a column of that number.
    attrs["asked"]: since when the sidecar of each pod that answered runs, in seconds since 1970;
    attrs["silent"]: the reason of each that did not, such as one killed a moment ago. Where none answers, its
    ClusterError is raised. attrs["versions"]: as version_services has them.
    """
    import pandas as pd

    at = time.time()
    pods = cluster.objects("v1", "Pod")  # of a pod on its way out an Envoy may still have counts
    ready = [pod for pod in pods if is_ready(pod) and "deletionTimestamp" not in pod["metadata"]]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        answers = [*pool.map(lambda pod: _answer_of(cluster, pod, pods, within), ready)]
    by_pod = {pod["metadata"]["name"]: answer for pod, answer in zip(ready, answers, strict=True)}
    told = {name: answer for name, answer in by_pod.items() if not isinstance(answer, ClusterError)}
    silent = {name: answer for name, answer in by_pod.items() if isinstance(answer, ClusterError)}
    if silent and not told:
        raise next(iter(silent.values()))
    rows = {key: row for counted, _ in told.values() for key, row in counted.items()}
    own = any(by_envoy for _, by_envoy in told.values())
    index = pd.MultiIndex.from_tuples(list(rows), names=READING)
    table = pd.DataFrame(list(rows.values()), index=index, columns=[*_VALUES.values(), *within], dtype=float)
    table.attrs = {
        "at": at,
        "source": ENVOYS_OWN if own else ISTIOS,
        "asked": {
            name: running_since(pod, SIDECAR) for name, pod in zip(by_pod, ready, strict=True) if name in told
        },
        "silent": {name: str(error) for name, error in silent.items()},
        "versions": version_services.of_services(cluster.objects("v1", "Service")),
    }
    return table


def reading(cluster: Cluster, settle: float = SETTLE, within: Collection[int] = ()) -> "pd.DataFrame":
    """Return the counters of all ready pods' sidecars since each began; within: as `counters` says.

    Index: READING. Columns: requests, and timed and milliseconds, the number and sum of the durations known.
    Envoy publishes durations late; until each request has one, the reading is repeated for `settle` seconds.
    """
    import pandas as pd

    last = pd.DataFrame()

    def settled() -> bool:
        nonlocal last
        before, last = last, counters(cluster, within)
        timed = last.attrs["source"] == ENVOYS_OWN or last["requests"].equals(last["timed"])
        return timed and last.equals(before)

    waiting.holds(settled, settle, _PAUSE)
    return last


def parse(pod: str, metrics: str, within: Collection[int] = ()) -> dict[tuple[str, ...], dict[Any, float]]:
    """Return one pod's counters by READING from its Prometheus text; what differs in other labels is added.

    within: as `counters` says; without durations up to such a time the column is missing.
    """
    rows: dict[tuple[str, ...], dict[Any, float]] = {}
    columns: dict[Any, Any] = {**_VALUES, **{(_BUCKET, float(ms)): ms for ms in within}}
    for match in _LINE.finditer(metrics):
        labels = dict(_LABEL.findall(match["labels"])) if match["name"] in (*_VALUES, _BUCKET) else {}
        name = (_BUCKET, float(labels["le"])) if "le" in labels else match["name"]
        if (column := columns.get(name)) is not None:
            key = (pod, *(labels.get(label, "unknown") for label in LABELS.values()), "")
            row = rows.setdefault(key, dict.fromkeys(_VALUES.values(), 0.0))
            row[column] = row.get(column, 0.0) + float(match["value"])
    return rows


def _answer_of(
    cluster: Cluster, pod: Obj, pods: list[Obj], within: Collection[int]
) -> PodCounters | ClusterError:
    """Return one pod's counters, or why it does not answer."""
    try:
        return _of_pod(cluster, pod, pods, within)
    except ClusterError as error:
        return error


def _of_pod(cluster: Cluster, pod: Obj, pods: list[Obj], within: Collection[int]) -> PodCounters:
    """Return one pod's counters; ClusterError where it does not answer."""
    name = pod["metadata"]["name"]
    if counted := parse(name, cluster.ask_agent(name, "stats/prometheus"), within):
        return counted, False
    counted = plain(name, proxy_counters.read(cluster, pod, pods))
    return counted, bool(counted)


def plain(pod: str, counted: list[proxy_counters.LabelledCount]) -> dict[tuple[str, ...], dict[str, float]]:
    """Return one pod's counters by READING from what its Envoy counted by itself."""
    rows: dict[tuple[str, ...], dict[str, float]] = {}
    for labels, number in counted:
        described = (labels.get(label, "unknown") for label in LABELS.values())
        key = (pod, *described, labels[proxy_counters.ENDPOINT])
        rows.setdefault(key, dict.fromkeys(_VALUES.values(), 0.0))["requests"] += number
    return rows


def difference(before: "pd.DataFrame", after: "pd.DataFrame") -> "pd.DataFrame":
    """Return what was counted between two readings by KEYS, without rows of zero; attrs["seconds"]: how long.

    Where a counter fell, whoever keeps it has begun anew, and all it shows now is new: the sidecar, or of
    what an Envoy counts by itself one of its clusters. A counter of Istio's that vanished tells the same; an
    endpoint's goes with its pod. What a pod that is gone by the second reading counted last is not known, nor
    what one counted that was not asked at the first, as it was not ready for a moment.
    """
    after = after[~after.index.get_level_values("pod").isin(_not_asked(before, after))]
    then = before.reindex(after.index.union(before.index)).fillna(0.0)
    now = after.reindex(then.index, fill_value=0.0)
    endpoint = then.index.get_level_values(proxy_counters.ENDPOINT)
    gone = (endpoint != "") & ~then.index.isin(after.index)
    keeper = [then.index.get_level_values("pod"), [place.partition("@")[0] for place in endpoint]]
    fell = ((now["requests"] < then["requests"]) & ~gone).groupby(keeper).transform("any")
    change = now - then.where(~fell, 0.0)
    counted = change[change["requests"] > 0].groupby(level=KEYS).sum(min_count=1)
    counted.attrs = {**after.attrs, "seconds": after.attrs.get("at", 0.0) - before.attrs.get("at", 0.0)}
    return counted


def _not_asked(before: "pd.DataFrame", after: "pd.DataFrame") -> list[str]:
    """Return the pods whose sidecars ran at the first reading, to the second, and were asked at the other."""
    asked, at = before.attrs.get("asked"), before.attrs.get("at", 0.0)
    if asked is None:
        return []
    later = after.attrs.get("asked", {})
    return [pod for pod, since in later.items() if pod not in asked and since + 1.0 < at]


def edges(counted: "pd.DataFrame") -> "pd.DataFrame":
    """Return who called whom, one row for each pair, reporter and response code, with the mean in ms."""
    by = ["reporter", "source", "destination", "version", "code"]
    table = counted.groupby(level=by, sort=True)[["requests", "timed", "milliseconds"]].sum()
    table["mean ms"] = (table["milliseconds"] / table["timed"]).round(1)
    table["requests"] = table["requests"].astype(int)
    return table[["requests", "mean ms"]].sort_index(ascending=[False, False, True, True, True])


def by_version(counted: "pd.DataFrame", service: str, reporter: str = "source") -> "pd.DataFrame":
    """Return for each version of a service its requests, its share of them, and its errors.

    Those to a Service of one version are among them: an HTTPRoute sends them there. An error is a 5xx, or 0
    for a caller that went away. share, errors %: with their 95 % intervals, as text.
    """
    import pandas as pd

    mine = counted[_of_service(counted, service) & _is(counted, "reporter", reporter)]
    total = int(mine["requests"].sum())
    rows = {}
    for version, part in mine.groupby(level="version"):
        requests, errors = int(part["requests"].sum()), int(part.loc[failed(part), "requests"].sum())
        rows[version] = {
            "requests": requests,
            "share": str(shares.share_of(str(version), requests, total)),
            "errors": errors,
            "error share": str(shares.share_of(str(version), errors, requests)),
            "mean ms": round(part["milliseconds"].sum() / (part["timed"].sum() or math.nan), 1),
        }
    columns = ["requests", "share", "errors", "error share", "mean ms"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis(columns="version")


def percentile(counted: Mapping[Any, float], part: float) -> tuple[int, int] | None:
    """Return between which two of BOUNDS, in ms, a part of the durations ends; None where none is known.

    counted: sums of columns, of a reading within BOUNDS. Beyond the last bound it is the last twice.
    """
    wanted = part * counted.get("timed", 0.0)
    if not wanted or BOUNDS[-1] not in counted:
        return None
    for low, high in pairwise((0, *BOUNDS)):
        if counted.get(high, 0.0) >= wanted:
            return low, high
    return BOUNDS[-1], BOUNDS[-1]


def failures_of(counted: "pd.DataFrame", workload: str, reporter: str = "source") -> shares.Share:
    """Return how many of a workload's requests failed: a 5xx, or 0 for a caller that went away.

    By the workload, which the chosen endpoint names: a version is known only of what a sidecar answered.
    """
    mine = counted[_is(counted, "destination", workload) & _is(counted, "reporter", reporter)]
    count, n = int(mine.loc[failed(mine), "requests"].sum()), int(mine["requests"].sum())
    return shares.share_of("failed", count, n)


def side_by_side(sample: "pd.DataFrame", counted: "pd.DataFrame", service: str) -> "pd.DataFrame":
    """Return how many answers of each version the client, callers' sidecars and the pods' own counted.

    Failures, which the client cannot tell the version of, have a row of their own: failed.
    """
    import pandas as pd

    client = sample["version"].astype(object).where(sample["version"].notna(), "failed").value_counts()
    table = pd.DataFrame({"client": client})
    mine = counted[_of_service(counted, service)]
    names = mine.index.get_level_values("version").where(~failed(mine), "failed")
    for reporter in ("source", "destination"):
        chosen = _is(mine, "reporter", reporter)
        table = table.join(
            mine.loc[chosen, "requests"].groupby(names[chosen]).sum().rename(reporter), how="outer"
        )
    return table.fillna(0).astype(int).sort_index().rename_axis(columns="version", index=None)


def _of_service(table: "pd.DataFrame", service: str) -> "pd.Series":
    """Return for each row whether it is of a service, or of a Service that is one of its versions."""
    import pandas as pd

    names = [service, *table.attrs.get("versions", {}).get(service, ())]
    return pd.Series(table.index.get_level_values("service").isin(names), index=table.index)


def _is(table: "pd.DataFrame", level: str, value: str) -> "pd.Series":
    import pandas as pd

    return pd.Series(table.index.get_level_values(level) == value, index=table.index)


def failed(table: "pd.DataFrame") -> "pd.Series":
    """Return for each row whether it counts failures: a 5xx, or 0 for a caller that went away."""
    import pandas as pd

    codes = table.index.get_level_values("code")
    return pd.Series([code.startswith("5") or code == "0" for code in codes], index=table.index, dtype=bool)
