"""Whether a task of an exam is done: what is in force, then what requests meet, as the steps' checks look."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from kata_lib.cluster import readiness, waiting
from kata_lib.cluster.cluster import Cluster
from kata_lib.course.exam import traffic
from kata_lib.course.exam.tasks import Task
from kata_lib.course.result import Result
from kata_lib.course.wanted import same
from kata_lib.errors import ClusterError
from kata_lib.mesh import in_force, telemetry
from kata_lib.mesh.analyze.written import shares_text
from kata_lib.statistics import shares

if TYPE_CHECKING:
    import pandas as pd

SETTLE_SECONDS = 5.0
"""How long what was just written may take until it is in force."""


def judge(cluster: Cluster, task: Task) -> Result:
    """Return the verdict on a task: right or wrong, with what was found; it names no way to mend it."""
    waiting.holds(lambda: not differs(cluster, task), SETTLE_SECONDS)
    if found := differs(cluster, task):
        return Result(task.title, "wrong", found)
    try:
        sample = traffic.ask(cluster, task.scenario.theme.caller, task.requests)
    except ClusterError as error:
        return Result(task.title, "wrong", str(error))
    return _of_sample(task, sample)


def figures(cluster: Cluster, task: Task) -> str:
    """Make the task's requests and return a line a version: requests, failures, latency of its answers."""
    theme = task.scenario.theme
    before = telemetry.reading(cluster)
    sample = traffic.ask(cluster, theme.caller, task.figures)
    counted = telemetry.difference(before, telemetry.reading(cluster))
    lines = [f"{'version':8} {'requests':>8} {'failed':>8} {'failed, 95 % interval':>28} {'median ms':>10}"]
    for version in task.scenario.versions:
        failed = telemetry.failures_of(counted, task.scenario.deployment(version))
        median = sample.loc[sample["version"] == version, "latency_ms"].median()
        lines.append(f"{version:8} {failed.n:8,} {failed.count:8,} {failed!s:>28} {median:10,.0f}")
    return "\n".join(lines)


def differs(cluster: Cluster, task: Task) -> str:
    """Return what is in force that the task does not ask for, "" where all is."""
    if unready := readiness.missing(cluster.objects("apps/v1", "Deployment"), cluster.pods()):
        return f"Not ready: {unready}."
    found = in_force.read(cluster, task.scenario.theme.service, task.scenario.theme.caller)
    if not same(found.versions, task.wanted):
        return f"In force: {shares_text(found.versions)}."
    pods = _pods(cluster, task)
    wanted = dict(zip(task.scenario.versions, task.scenario.replicas, strict=True))
    return "" if pods == wanted or task.figures else f"Pods: {_listed(pods)}."


def _pods(cluster: Cluster, task: Task) -> Mapping[str, int]:
    """Return how many pods each version is to have by its Deployment."""
    found = {
        v: cluster.get("apps/v1", "Deployment", task.scenario.deployment(v)) for v in task.scenario.versions
    }
    return {v: d["spec"].get("replicas", 1) if d else 0 for v, d in found.items()}


def _listed(pods: Mapping[str, int]) -> str:
    return ", ".join(f"{number} of {version}" for version, number in pods.items())


def _of_sample(task: Task, sample: "pd.DataFrame") -> Result:
    newest = task.scenario.newest
    failures = int(sample["version"].isna().sum())
    seen = shares.observed(sample, newest)
    text = f"{newest} {seen}; {failures} of {len(sample):,} requests failed."
    if failures:
        return Result(task.title, "wrong", text)
    return Result(task.title, shares.judge(seen.count, seen.n, task.wanted[newest], task.otherwise), text)
