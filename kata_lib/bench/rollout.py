"""What a faulty version costs a release: time until everyone is back on stable, and requests that met it."""

import time

from kata_lib import mesh, rollout, traffic
from kata_lib.bench.results import Figure, percentile
from kata_lib.cluster import Cluster
from kata_lib.errors import KataError

RATE = 200.0
FAULTY, ROUTING, PLAN = "deploy/v3-faulty", "deploy/virtual-service-canary-promote.yaml", "rollouts/v3.yaml"
LIMIT_SECONDS = 60.0
AFTER_SECONDS = 1.0
AT_ONCE = [{"setWeight": 100}, {"analysis": {}}]


def measure(cluster: Cluster, releases: int) -> list[Figure]:
    """Release the faulty version as often at 200 requests a second, by the plan and all at once."""
    cluster.apply(ROUTING)
    cluster.apply(FAULTY)
    cluster.wait_ready(LIMIT_SECONDS)
    plan = rollout.read(PLAN)
    return [
        *_figures(cluster, "by steps", plan, releases),
        *_figures(cluster, "at once", plan.changed(steps=AT_ONCE), releases),
    ]


def _figures(cluster: Cluster, name: str, plan: rollout.Plan, releases: int) -> list[Figure]:
    seconds, met = zip(*(_release(cluster, plan) for _ in range(releases)), strict=True)
    how = f"{releases} releases at {RATE:g} requests/s, a look each {plan.interval:g} s"
    return [
        Figure(f"faulty v3 {name}: first failure to all back, p50", percentile(seconds, 50), "s", how=how),
        Figure(f"faulty v3 {name}: requests that met it, p50", percentile(met, 50), "requests", how=how),
    ]


def _release(cluster: Cluster, plan: rollout.Plan) -> tuple[float, int]:
    """Return the seconds from a release's first failure to the last request that met it, and their number.

    An error is one of name: its answer has no version, and nothing else fails here.
    """
    with traffic.Sampler(cluster.url("sentences"), rate=RATE, concurrency=128) as users:
        rollout.start(cluster, plan).wait(LIMIT_SECONDS, lambda line: None)
        time.sleep(AFTER_SECONDS)
        users.stop()
        frame = users.frame()
    if mesh.weights(cluster)[plan.canary]:
        raise KataError(f"The release of {plan.canary} was not sent back.")
    failed = frame["error"].notna()
    met = frame[failed | (frame["version"] == "v3")]
    return (met["time"].max() - frame.loc[failed, "time"].min()).total_seconds(), len(met)
