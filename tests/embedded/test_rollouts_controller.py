"""The real controller of Argo Rollouts, as a process: it drives a release, aborts one, comes back.

Runs where its binary is found (KATA_ROLLOUTS_CONTROLLER, or on PATH), and its manifest is to be had.
"""

import copy
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from requirements import lacking

from embedded.engine_cluster import quiet
from kata_lib import addons
from kata_lib.addons.rollouts import ROLLOUTS as ADDON
from kata_lib.cluster import waiting
from kata_lib.cluster.cluster import MERGE_PATCH, Cluster
from kata_lib.course.application import APPLICATION, sample
from kata_lib.engines.embedded import EmbeddedEngine, processes
from kata_lib.engines.embedded.processes import Identity
from kata_lib.errors import EngineError
from kata_lib.machine import PROJECT
from kata_lib.mesh import synced, weights
from kata_lib.statistics.shares import judge

API, KIND = "argoproj.io/v1alpha1", "Rollout"
ROLLOUTS = PROJECT / "deploy" / "rollouts" / "argo-rollouts"
STEPS = [{"setWeight": 10}, {"pause": {}}, {"setWeight": 50}, {"pause": {}}]
SECONDS = 60.0


pytestmark = pytest.mark.needs("rollouts")


@pytest.fixture(scope="module")
def engine(_home: Path) -> Iterator[EmbeddedEngine]:
    """Yield an engine whose cluster runs, with the controller."""
    try:
        ADDON.manifest()
    except EngineError as missing:
        lacking("rollouts", str(missing))
    engine = EmbeddedEngine("argo", APPLICATION)
    engine.start(quiet)
    try:
        addons.install(engine, ["rollouts"], quiet)
        yield engine
    finally:
        engine.stop()


@pytest.fixture(scope="module")
def cluster(engine: EmbeddedEngine) -> Cluster:
    """Return a cluster with the first version as a Rollout, shared by this module's tests."""
    place = engine.where()
    assert place
    made = Cluster.at(place)
    made.enable_injection()
    for path in ("deploy/v1/age.yaml", "deploy/v1/sentences.yaml", "deploy/v1/name.yaml"):
        made.apply(path)
    made.apply(ROLLOUTS / "routing.yaml")
    made.create(rollout("v1"))
    made.wait_ready(30)
    reaches(made, "Healthy", 0)
    return made


def rollout(version: str) -> dict[str, Any]:
    """Return the workshop's Rollout with pauses, at which a test has time to look, in place of analyses."""
    found: dict[str, Any] = yaml.safe_load((ROLLOUTS / f"rollout-{version}.yaml").read_text())
    found["spec"]["strategy"]["canary"]["steps"] = copy.deepcopy(STEPS)
    return found


def release(cluster: Cluster, version: str) -> None:
    """Put a version into the template, and wait until the controller has seen it."""
    cluster.patch(API, KIND, "name", {"spec": {"template": rollout(version)["spec"]["template"]}})


def write_status(cluster: Cluster, status: dict[str, Any]) -> None:
    path = cluster.api.path(API, KIND, "name") + "/status"
    cluster.api.request("PATCH", path, {"status": status}, content_type=MERGE_PATCH)


def reaches(cluster: Cluster, phase: str, weight: int | None = None) -> None:
    """Wait until the release is in a phase and the route at a weight (per cent), in force."""

    def missing() -> str:
        found = cluster.get(API, KIND, "name")
        assert found
        status = found.get("status", {})
        if status.get("observedGeneration") != str(found["metadata"]["generation"]):
            return "the controller has not seen it yet"
        canary = weights.read(cluster, "name")["canary"]
        if status.get("phase") != phase or weight not in (None, canary):
            return f"{status.get('phase')} at {canary} %: {status.get('message')}"
        return ""

    waiting.until(missing, SECONDS, None, f"not {phase} at {weight} %")
    synced.until(cluster, "sentences", synced.Moment())


def answers(cluster: Cluster, n: int) -> Counter[str]:
    """Return how many of n answers came from which version."""
    return Counter(sample(cluster.url("sentences"), requests=n, concurrency=8)["version"])


def controller(engine: EmbeddedEngine) -> Identity:
    """Return the controller's process."""
    marked = processes.find_marked(engine.state.mark)
    return next(process for process, owner in marked if owner.endswith("/argo-rollouts"))


def test_a_release_goes_to_ten_to_fifty_and_to_a_hundred_per_cent(cluster: Cluster) -> None:
    release(cluster, "v2")
    for weight, otherwise, n in ((10, 0.5, 100), (50, 0.1, 100)):
        reaches(cluster, "Paused", weight)
        seen = answers(cluster, n)
        assert judge(seen["v2"], seen.total(), weight / 100, otherwise) == "right", seen
        write_status(cluster, {"pauseConditions": None})  # as `kubectl argo rollouts promote` does
    reaches(cluster, "Healthy")
    assert set(answers(cluster, 50)) == {"v2"}


def test_an_abort_gives_all_traffic_back(cluster: Cluster) -> None:
    release(cluster, "v1")
    reaches(cluster, "Paused", 10)
    write_status(cluster, {"abort": True})
    reaches(cluster, "Degraded", 0)
    assert set(answers(cluster, 50)) == {"v2"}
    release(cluster, "v2")
    reaches(cluster, "Healthy")


def test_a_controller_that_is_killed_comes_back_and_goes_on(cluster: Cluster, engine: EmbeddedEngine) -> None:
    before = controller(engine)
    processes.signal_group(before, signal.SIGKILL)
    release(cluster, "v1")
    reaches(cluster, "Paused", 10)
    assert controller(engine) != before
    write_status(cluster, {"abort": True})
    release(cluster, "v2")
    reaches(cluster, "Healthy")


def test_it_goes_with_the_cluster(cluster: Cluster, engine: EmbeddedEngine) -> None:
    process = controller(engine)
    engine.stop()
    assert not processes.alive(process)
