"""Failed requests while everything that can change does: the goal is none."""

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass

from bench.results import Figure
from kata_lib.cluster.client import Obj
from kata_lib.cluster.cluster import Cluster
from kata_lib.course import application, service
from kata_lib.mesh.virtual_services import ISTIO

RATE = 300.0
DEPLOYMENTS = ("name-v1", "sentences", "age", "name-v2")
CANARY = "deploy/virtual-service-canary.yaml"
BEFORE_AND_AFTER_SECONDS = 0.5
READY_LIMIT_SECONDS = 60.0


@dataclass(frozen=True)
class Counts:
    """How many of each change are made."""

    weights: int
    subsets: int
    rollouts: int


QUICK = Counts(weights=100, subsets=5, rollouts=4)
FULL = Counts(weights=1000, subsets=20, rollouts=20)


def measure(cluster: Cluster, counts: Counts, say: Callable[[str], None]) -> list[Figure]:
    """Send 300 requests a second, one connection each, during each kind of change; count the failures."""
    kinds: list[tuple[str, Callable[[], None]]] = [
        (f"{counts.weights} weight changes", lambda: _change_weights(cluster, counts.weights)),
        (f"{counts.subsets} subsets added and removed", lambda: _change_subsets(cluster, counts.subsets)),
        (f"{counts.rollouts} rolling updates", lambda: _roll(cluster, counts.rollouts)),
        ("scale to 1 and back", lambda: _scale(cluster)),
        ("VirtualService deleted", lambda: _delete_virtual_service(cluster)),
    ]
    figures = []
    for what, change in kinds:
        say(f"{what} at {RATE:g} requests/s")
        figures.append(_failures(cluster, what, change))
    return figures


def _failures(cluster: Cluster, what: str, change: Callable[[], None]) -> Figure:
    with application.Sampler(cluster.url("sentences"), rate=RATE, concurrency=16) as sampler:
        time.sleep(BEFORE_AND_AFTER_SECONDS)
        change()
        time.sleep(BEFORE_AND_AFTER_SECONDS)
        sampler.stop()
        frame = sampler.frame()
    failed = frame[frame["status"] != 200]
    reasons = ", ".join(sorted({str(row.error or row.status) for row in failed.itertuples()}))
    how = f"of {len(frame)} requests" + (f": {reasons}" if reasons else "")
    return Figure(f"failed: {what}", len(failed), "requests", 0, how=how)


def _change_weights(cluster: Cluster, count: int) -> None:
    for number in range(count):
        service.set_weights(cluster, {"name-v2": 10 + number * 7 % 80})


def _change_subsets(cluster: Cluster, count: int) -> None:
    """Add a subset, then send a tenth of the requests to it; take the route away, then the subset."""
    rule = _spec(cluster, "DestinationRule")
    service = _spec(cluster, "VirtualService")
    for number in range(count):
        extra = f"extra-{number}"
        more = [*rule["subsets"], {"name": extra, "labels": {"version": "v2"}}]
        cluster.patch(ISTIO, "DestinationRule", "name", {"spec": {"subsets": more}})
        with_extra = copy.deepcopy(service["http"])
        with_extra[0]["route"].append({"destination": {"host": "name", "subset": extra}, "weight": 10})
        cluster.patch(ISTIO, "VirtualService", "name", {"spec": {"http": with_extra}})
        cluster.patch(ISTIO, "VirtualService", "name", {"spec": {"http": service["http"]}})
        cluster.patch(ISTIO, "DestinationRule", "name", {"spec": {"subsets": rule["subsets"]}})


def _spec(cluster: Cluster, kind: str) -> Obj:
    found = cluster.get(ISTIO, kind, "name")
    assert found is not None, f"{CANARY} is applied"
    spec: Obj = found["spec"]
    return spec


def _roll(cluster: Cluster, count: int) -> None:
    """Do what `kubectl rollout restart` does, on one Deployment after the other."""
    for number in range(count):
        annotations = {"kata/restarted": str(number)}
        template = {"spec": {"template": {"metadata": {"annotations": annotations}}}}
        cluster.patch("apps/v1", "Deployment", DEPLOYMENTS[number % len(DEPLOYMENTS)], template)
        cluster.wait_ready(READY_LIMIT_SECONDS)


def _scale(cluster: Cluster) -> None:
    for replicas in (1, 2):
        cluster.scale("name-v1", replicas)
        cluster.wait_ready(READY_LIMIT_SECONDS)


def _delete_virtual_service(cluster: Cluster) -> None:
    cluster.remove(ISTIO, "VirtualService", "name")
    time.sleep(BEFORE_AND_AFTER_SECONDS)
    cluster.apply(CANARY)
