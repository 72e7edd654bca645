"""Argo Rollouts by its plugin for the Gateway API, and Flagger by its provider, move an HTTPRoute's weights.

Each runs where its programs are found (KATA_ROLLOUTS_CONTROLLER, KATA_GATEWAYAPI_PLUGIN, KATA_FLAGGER, or on
PATH), and its manifest is to be had.
"""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from requirements import lacking

from embedded.engine_cluster import quiet
from kata_lib import addons
from kata_lib.cluster import waiting
from kata_lib.cluster.cluster import MERGE_PATCH, Cluster
from kata_lib.course import service
from kata_lib.course.application import APPLICATION, sample
from kata_lib.engines.embedded import EmbeddedEngine
from kata_lib.errors import EngineError
from kata_lib.machine import PROJECT
from kata_lib.mesh import synced, weights
from kata_lib.mesh.matches import Request

ROLLOUTS, FLAGGER = (
    PROJECT / "deploy" / "rollouts" / name for name in ("argo-rollouts-gateway-api", "flagger-gateway-api")
)
ARGO_API, FLAGGER_API = "argoproj.io/v1alpha1", "flagger.app/v1beta1"
TESTER = Request(headers={"x-tester": "yes"})
HEADER = {"headerName": "x-tester", "headerValue": {"exact": "yes"}}
STEPS: list[dict[str, Any]] = [
    {"setCanaryScale": {"replicas": 1}},
    {"setHeaderRoute": {"name": "testers", "match": [HEADER]}},
    {"pause": {}},
    {"setWeight": 10},
    {"pause": {}},
]
SECONDS = 90.0


@pytest.fixture
def cluster(_home: Path, request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """Yield a cluster with the add-on that the test names, and what calls `name`."""
    engine = EmbeddedEngine("over-routes", APPLICATION)
    place = engine.start(quiet)
    try:
        _install(engine, request.param)
        made = Cluster.at(place)
        made.enable_injection()
        for path in ("deploy/v1/age.yaml", "deploy/v1/sentences.yaml"):
            made.apply(path)
        yield made
    finally:
        engine.stop()


def _install(engine: EmbeddedEngine, name: str) -> None:
    try:
        addons.install(engine, [name], quiet)
    except EngineError as error:
        if "KATA_ADDONS" in str(error):
            lacking(name, str(error))
        raise


def until(cluster: Cluster, wanted: str, now: Any) -> None:
    """Wait until what `now` tells is what is wanted, and in force."""
    waiting.until(lambda: "" if now() == wanted else f"{now()}", SECONDS, None, f"not {wanted}")
    synced.until(cluster, "sentences", synced.Moment())


def rollout(version: str) -> dict[str, Any]:
    """Return the workshop's Rollout with a route for testers, and pauses in place of analyses."""
    found: dict[str, Any] = yaml.safe_load((ROLLOUTS / f"rollout-{version}.yaml").read_text())
    canary = found["spec"]["strategy"]["canary"]
    canary["steps"] = copy.deepcopy(STEPS)
    canary["trafficRouting"]["managedRoutes"] = [{"name": "testers"}]
    return found


@pytest.mark.needs("rollouts-gateway-api")
@pytest.mark.parametrize("cluster", ["rollouts-gateway-api"], indirect=True)
def test_argo_rollouts_moves_a_routes_weights_and_leaves_the_testers_theirs(cluster: Cluster) -> None:
    def stands() -> str:
        found = cluster.get(ARGO_API, "Rollout", "name")
        assert found
        status = found.get("status", {})
        seen = status.get("observedGeneration") == str(found["metadata"]["generation"])
        return f"{status.get('phase')} {weights.read(cluster, 'name')['name-canary']}" if seen else "unseen"

    def promote() -> None:
        path = cluster.api.path(ARGO_API, "Rollout", "name") + "/status"
        cluster.api.request("PATCH", path, {"status": {"pauseConditions": None}}, content_type=MERGE_PATCH)

    cluster.apply("deploy/v1/name.yaml")
    cluster.apply(ROLLOUTS / "routing.yaml")
    cluster.create(rollout("v1"))
    cluster.wait_ready(30)
    until(cluster, "Healthy 0", stands)
    cluster.patch(ARGO_API, "Rollout", "name", {"spec": {"template": rollout("v2")["spec"]["template"]}})
    until(cluster, "Paused 0", stands)
    assert service.in_force(cluster).outcome(TESTER).versions == {"v2": 1.0}
    assert service.in_force(cluster).versions == {"v1": 1.0}
    promote()
    until(cluster, "Paused 10", stands)
    assert service.in_force(cluster).outcome(TESTER).versions == {"v2": 1.0}
    assert service.in_force(cluster).versions == {"v1": 0.9, "v2": 0.1}
    assert "KATA06" not in repr(service.analysis(cluster))
    promote()
    until(cluster, "Healthy 0", stands)
    assert set(sample(cluster.url("sentences"), requests=50, concurrency=8)["version"]) == {"v2"}


@pytest.mark.needs("flagger")
@pytest.mark.parametrize("cluster", ["flagger"], indirect=True)
def test_flagger_makes_the_route_moves_its_weights_and_promotes(cluster: Cluster) -> None:
    seen: list[int] = []

    def phase() -> str:
        found = cluster.get(FLAGGER_API, "Canary", "name")
        assert found
        if routing := weights.read(cluster, "name"):
            seen.append(routing["name-canary"])
        return str(found.get("status", {}).get("phase"))

    canary, *_ = yaml.safe_load_all((FLAGGER / "canary.yaml").read_text())
    canary["spec"]["analysis"] = {"interval": "2s", "threshold": 1, "stepWeights": [10, 50]}
    cluster.apply(FLAGGER / "name-v1.yaml")
    cluster.create(canary)
    until(cluster, "Initialized", phase)
    assert service.in_force(cluster).versions == {"v1": 1.0}
    cluster.apply(FLAGGER / "name-v2.yaml")
    until(cluster, "Progressing", phase)
    until(cluster, "Succeeded", phase)
    assert {10, 50} <= set(seen)
    assert set(sample(cluster.url("sentences"), requests=50, concurrency=8)["version"]) == {"v2"}
