"""A release through real sidecars: testers, copies, users; a faulty version; a runner that is killed."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import commands
import httpx2
import pandas as pd
import pytest

from embedded import http_route
from embedded.engine_cluster import quiet
from kata_lib import delivery
from kata_lib.cluster.cluster import Cluster
from kata_lib.course.application import APPLICATION, Sampler, version_of
from kata_lib.delivery.runner import GONE_SECONDS
from kata_lib.engines.embedded import EmbeddedEngine
from kata_lib.mesh import telemetry, weights

RUN = """
import sys
from pathlib import Path
from kata_lib import delivery
from kata_lib.cluster.cluster import Cluster
delivery.start(Cluster(Path(sys.argv[1])), delivery.read(sys.argv[2])).wait(60, through=True)
"""
PLAN = """
service: name
caller: sentences
stable: name-v1
canary: name-v2
steps:
- setHeaderRoute: {name: testers, match: [{headerName: x-tester, headerValue: {exact: "yes"}}]}
- pause: {}
- setMirrorRoute: {percentage: 100}
- analysis: {}
- setWeight: 20
- analysis: {}
- pause: {}
analysis:
  interval: 100ms
  metrics:
  - {name: success-rate, successCondition: result >= 0.99, failureCondition: result < 0.7}
"""


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("plans") / "plan.yaml"
    file.write_text(PLAN)
    return file


@pytest.fixture(scope="module")
def cluster(_home: Path) -> Iterator[Cluster]:
    """Yield a cluster with all versions, shared by this module's tests: each sets its own weights."""
    engine = EmbeddedEngine("release", APPLICATION)
    place = engine.start(quiet)
    made = Cluster(place.kubeconfig, node_host=place.node_host)
    made.enable_injection()
    for path in ("deploy/v1", "deploy/v2", "deploy/v3-faulty", "deploy/virtual-service-canary.yaml"):
        made.apply(path)
    made.wait_ready(30)
    yield made
    engine.stop()


def by_a_tester(url: str) -> str | None:
    return version_of(httpx2.get(url, headers={"x-tester": "yes"}, timeout=5).text)


@pytest.fixture
def by_http_route(cluster: Cluster) -> Iterator[None]:
    """Have an HTTPRoute speak for `name`, before the VirtualService."""
    for manifest in http_route.manifests(v1=100, v2=0):
        cluster.apply_object(manifest)
    yield
    for manifest in http_route.manifests():
        cluster.remove(manifest["apiVersion"], manifest["kind"], manifest["metadata"]["name"])
    delivery.forget(cluster)


@pytest.mark.usefixtures("by_http_route")
def test_an_http_route_is_released_as_a_virtual_service_is(cluster: Cluster, plan: Path) -> None:
    test_testers_then_copies_then_users(cluster, plan)
    assert str(weights.find(cluster, "name")) == "HTTPRoute name"


def test_testers_then_copies_then_users(cluster: Cluster, plan: Path) -> None:
    url = cluster.url("sentences")
    with Sampler(url, rate=100) as users:
        release = delivery.start(cluster, delivery.read(plan))
        release.wait(20)
        assert (release.state.phase, weights.read(cluster, "name")["name-v2"]) == ("Paused", 0)
        until(lambda: [by_a_tester(url) for _ in range(3)] == ["v2"] * 3)
        before, nobody_since = telemetry.counters(cluster), pd.Timestamp.now("UTC")
        release.promote()
        release.wait(20)
        assert [d.what for d in release.state.decisions].count("successful") == 2
        assert weights.read(cluster, "name")["name-v2"] == 20
        counted = telemetry.difference(before, telemetry.counters(cluster))
        release.promote(full=True)
        release.wait(20)
        assert release.state.phase == "Healthy"
        until(lambda: users.frame()["version"].tail(20).eq("v2").all())
        users.stop()
        frame = users.frame()
    assert not frame["error"].notna().any()
    # Until the weight was raised no user met v2, though its pods got copies.
    while_copied = frame["time"].between(nobody_since, release.moments()["20 %"])
    assert while_copied.sum() > 14
    assert set(frame.loc[while_copied, "version"]) == {"v1"}
    arrived = counted[counted.index.get_level_values("reporter") == "destination"]
    assert arrived.groupby(level="version")["requests"].sum()["v2"] > 14
    holder = weights.find(cluster, "name")
    assert holder is not None
    assert not {"mirror", "filters"} & holder.rules[holder.index].keys()


def test_a_faulty_version_is_sent_back_and_nobody_meets_it_afterwards(cluster: Cluster, plan: Path) -> None:
    made = delivery.read(plan).changed(
        canary="name-v3", steps=[{"setWeight": 50}, {"analysis": {}}, {"setWeight": 100}]
    )
    weights.set_weights(cluster, "name", {"name-v1": 100, "name-v2": 0})
    with Sampler(cluster.url("sentences"), rate=100) as users:
        release = delivery.start(cluster, made)
        release.wait(20)
        assert release.state.phase == "Degraded"
        aborted = len(users.frame())
        until(lambda: len(users.frame()) > aborted + 100)
        users.stop()
        frame = users.frame()
    assert frame["error"].notna().any()
    assert not frame["error"].tail(60).notna().any()
    assert weights.read(cluster, "name")["name-v3"] == 0


def test_a_release_outlives_whoever_runs_it(cluster: Cluster, plan: Path) -> None:
    """SIGKILL in the middle: the weights stay, the state is found, and another process goes on."""
    slow = delivery.read(plan).changed(
        steps=[{"setWeight": 20}, {"analysis": {}}, {"setWeight": 100}, {"analysis": {}}]
    )
    plan.write_text(repr(slow))
    runner = subprocess.Popen([sys.executable, "-c", RUN, str(cluster.kubeconfig), str(plan)])
    release = delivery.find(cluster, "name")
    until(lambda: release.state.plan == slow and "Nobody runs it" not in release.status())
    runner.send_signal(signal.SIGKILL)
    runner.wait(10)
    until(lambda: "Nobody runs it" in release.status(), GONE_SECONDS + 10)
    assert (release.state.phase, weights.read(cluster, "name")["name-v2"]) == ("Progressing", 20)
    with Sampler(cluster.url("sentences"), rate=100):
        release.resume()
        release.wait(20)
    assert [d.what for d in release.state.decisions[2:]] == [
        "taken over",
        "successful",
        "routed",
        "successful",
        "healthy",
    ]


def kata(*words: str, code: int = 0) -> str:
    """Return what `kata release ...` prints, or where it refuses, says of it."""
    done = commands.kata("--name", "release", "release", *words)
    assert done.code == code, done.stdout + done.stderr
    return done.stderr if code else done.stdout


def test_the_command_line_begins_shows_and_ends_a_release(cluster: Cluster, plan: Path) -> None:
    weights.set_weights(cluster, "name", {"name-v1": 100, "name-v2": 0})
    delivery.forget(cluster)
    assert "no release of name" in kata("status", code=1)
    waits = delivery.read(plan).changed(
        steps=[{"setWeight": 20}, {"pause": {"duration": "1s"}}, {"analysis": {}}]
    )
    plan.write_text(repr(waits))
    with Sampler(cluster.url("sentences"), rate=100):
        said = kata("start", str(plan), "--timeout", "30")
    assert "Successful success-rate: 0 of" in said
    assert said.endswith("Healthy. name-v2 100 %, name-v1 0 %.\n")
    assert "setWeight 20: 20 % of the requests go to name-v2" in kata("status")
    assert "retry is for one that was aborted" in kata("retry", code=1)
    assert "Undone: At a person's word. All requests go to name-v1." in kata("undo")
    assert weights.read(cluster, "name")["name-v2"] == 0
    assert "There is no file nowhere.yaml" in kata("start", "nowhere.yaml", code=1)


def until(true: Callable[[], object], seconds: float = 10.0) -> None:
    """Wait for a condition, with a limit."""
    limit = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < limit, "the condition did not come true"
        time.sleep(0.05)
