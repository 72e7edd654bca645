"""What a faulty version costs a release: time until everyone is back on stable, and requests that met it.

Beside `kata release`, the real Argo Rollouts with the same weights releases it on the same cluster.
"""

import time
from collections.abc import Callable

import pandas as pd

from bench.results import Figure, percentile
from kata_lib import addons, delivery
from kata_lib.cluster.cluster import Cluster
from kata_lib.course import application
from kata_lib.delivery import argo
from kata_lib.engines.base import Engine
from kata_lib.errors import EngineError, KataError
from kata_lib.lab.lab import Lab
from kata_lib.mesh import weights

RATE = 200.0
FAULTY = "deploy/v3-faulty"
ROUTING = "deploy/virtual-service-canary-promote.yaml"
PLAN = "deploy/rollouts/v3.yaml"
LIMIT_SECONDS = 60.0
AFTER_SECONDS = 1.0
AT_ONCE = [{"setWeight": 100}, {"analysis": {}}]
ARGO, ARGO_SECONDS = "deploy/rollouts/argo-rollouts/rollout-v3.yaml", 240.0


def measure(cluster: Cluster, releases: int) -> list[Figure]:
    """Release the faulty version as often at 200 requests a second, by the plan and all at once."""
    cluster.apply(ROUTING)
    cluster.apply(FAULTY)
    cluster.wait_ready(LIMIT_SECONDS)
    plan = delivery.read(PLAN)
    return [
        *_figures(cluster, "by steps", plan, releases),
        *_figures(cluster, "at once", plan.changed(steps=AT_ONCE), releases),
    ]


def _figures(cluster: Cluster, name: str, plan: delivery.Plan, releases: int) -> list[Figure]:
    seconds, met = zip(*(_release(cluster, plan) for _ in range(releases)), strict=True)
    how = f"{releases} releases at {RATE:g} requests/s, a look each {plan.interval:g} s"
    return [
        Figure(f"faulty v3 {name}: first failure to all back, p50", percentile(seconds, 50), "s", how=how),
        Figure(f"faulty v3 {name}: requests that met it, p50", percentile(met, 50), "requests", how=how),
    ]


def _release(cluster: Cluster, plan: delivery.Plan) -> tuple[float, int]:
    """Release a version and return its price."""
    found = _under_load(cluster, lambda: delivery.start(cluster, plan).wait(LIMIT_SECONDS, _unsaid))
    if weights.read(cluster, plan.service)[plan.canary]:
        raise KataError(f"The release of {plan.canary} was not sent back.")
    return _price(found)


def by_argo(engine: Engine, cluster: Cluster, say: Callable[[str], None]) -> list[Figure]:
    """Release the faulty version once by Argo Rollouts, which is installed for it, with a Prometheus.

    Where one of them is not to be had there is no figure; `say` is told why.
    """
    try:
        addons.install(engine, ["prometheus", "rollouts"], say)
    except EngineError as error:
        say(f"Argo Rollouts: left out. {error}")
        return []
    Lab(engine, cluster, _unsaid).begin("argo-rollouts", reset=True)

    def release() -> None:
        cluster.apply(ARGO)
        argo.find(cluster, "name").wait(ARGO_SECONDS, _unsaid)

    seconds, met = _price(_under_load(cluster, release))
    if argo.find(cluster, "name").state.weight:
        raise KataError("Argo Rollouts did not send the release back.")
    how = f"one release at {RATE:g} requests/s, by {ARGO}"
    return [
        Figure("faulty v3 by Argo Rollouts: first failure to all back", seconds, "s", how=how),
        Figure("faulty v3 by Argo Rollouts: requests that met it", met, "requests", how=how),
    ]


def _unsaid(line: str) -> None:
    """Leave out what would be said to a person."""


def _under_load(cluster: Cluster, release: Callable[[], None]) -> pd.DataFrame:
    """Return the requests of users during a release, and for a moment after it."""
    with application.Sampler(cluster.url("sentences"), rate=RATE, concurrency=128) as users:
        release()
        time.sleep(AFTER_SECONDS)
        users.stop()
        return users.frame()


def _price(frame: pd.DataFrame) -> tuple[float, int]:
    """Return the seconds from the first failure to the last request that met version 3, and their number.

    An error is one of name: its answer has no version, and nothing else fails here.
    """
    failed = frame["error"].notna()
    met = frame[failed | (frame["version"] == "v3")]
    return (met["time"].max() - frame.loc[failed, "time"].min()).total_seconds(), len(met)
