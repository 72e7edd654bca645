"""What becomes of a release whose canary, or stable version, gets into trouble, under real users.

Whatever it is, and wherever the release stands, it ends in an abort, or in a hold that names the reason.
"""

import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pandas as pd
import pytest

from embedded.engine_cluster import quiet, until
from kata_lib import delivery
from kata_lib.cluster.cluster import Cluster
from kata_lib.course.application import APPLICATION, Sampler
from kata_lib.delivery import Release, words
from kata_lib.engines.embedded import EmbeddedEngine, processes
from kata_lib.engines.embedded.processes import Identity
from kata_lib.mesh import weights

RATE = 200.0
CANARY = "deploy/virtual-service-canary.yaml"
SECONDS = 3.0
"""By then a release has seen a trouble of its canary, on a machine that does other things too."""
PLAN: dict[str, Any] = {
    "service": "name",
    "caller": "sentences",
    "stable": "name-v1",
    "canary": "name-v2",
    "steps": [
        {"setWeight": 20},
        {"pause": {}},
        {"analysis": {}},
        {"setWeight": 100},
        {"pause": {"duration": "60s"}},
        {"analysis": {}},
    ],
    "analysis": {
        "interval": "100ms",
        "inconclusiveLimit": 8,
        "metrics": [
            {
                "name": "success-rate",
                "successCondition": "result >= 0.99",
                "failureCondition": "result < 0.75",
            }
        ],
    },
}


@pytest.fixture(scope="module")
def engine_cluster(_home: Path) -> Iterator[Cluster]:
    engine = EmbeddedEngine("troubles", APPLICATION)
    place = engine.start(quiet)
    made = Cluster(place.kubeconfig, node_host=place.node_host)
    made.enable_injection()
    for path in ("deploy/v1", "deploy/v2", CANARY):
        made.apply(path)
    made.wait_ready(30)
    yield made
    engine.stop()


@pytest.fixture
def cluster(engine_cluster: Cluster) -> Cluster:
    """Return it with everyone on version 1, and both versions as they were."""
    delivery.forget(engine_cluster)
    engine_cluster.delete("deploy/v2")
    for path in ("deploy/v1", "deploy/v2"):
        engine_cluster.apply(path)
    engine_cluster.wait_ready(30)
    weights.set_weights(engine_cluster, "name", {"name-v1": 100, "name-v2": 0})
    return engine_cluster


def deployment(cluster: Cluster, container: dict[str, Any], **spec: Any) -> None:
    """Change the canary's container."""
    live = cluster.get("apps/v1", "Deployment", "name-v2") or {}
    whole = {**live["spec"]["template"]["spec"]["containers"][0], **container}
    template = {"spec": {"containers": [whole]}}
    cluster.patch("apps/v1", "Deployment", "name-v2", {"spec": {**spec, "template": template}})


RECREATE = {"strategy": {"type": "Recreate", "rollingUpdate": None}}


def scaled_to_zero(cluster: Cluster) -> None:
    cluster.scale("name-v2", 0)


def crashing(cluster: Cluster) -> None:
    deployment(cluster, {"env": [{"name": "SENTENCE_MODE", "value": "no-such-mode"}]}, **RECREATE)


def unready(cluster: Cluster) -> None:
    probe = {"httpGet": {"path": "/nowhere", "port": 5000}, "periodSeconds": 1}
    deployment(cluster, {"readinessProbe": probe}, **RECREATE)


def without_an_image(cluster: Cluster) -> None:
    deployment(cluster, {"image": "kata/sentences:no-such-tag"}, **RECREATE)


def with_a_new_image_that_is_missing(cluster: Cluster) -> None:
    """Its old pod answers on."""
    deployment(cluster, {"image": "kata/sentences:no-such-tag"})


def kill(cluster: Cluster, container: str) -> None:
    for pod in cluster.pods("version=v2"):
        for status in pod.get("status", {}).get("containerStatuses", []):
            if status["name"] == container and "running" in status.get("state", {}):
                process = Identity.parse(status["containerID"].removeprefix("process://"))
                if processes.identify(process.pid) == process:
                    os.kill(process.pid, signal.SIGKILL)


def nobody_behind_the_service(cluster: Cluster) -> None:
    cluster.patch("v1", "Service", "name", {"spec": {"selector": {"app": "nobody"}}})


def stable_scaled_to_zero(cluster: Cluster) -> None:
    cluster.scale("name-v1", 0)


@contextmanager
def killed(cluster: Cluster, container: str) -> Iterator[None]:
    """Kill a container of the canary's again and again, as a crash that comes back."""
    over = Event()

    def loop() -> None:
        while not over.wait(0.05):
            kill(cluster, container)

    thread = Thread(target=loop, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(10)


def application_killed(cluster: Cluster) -> AbstractContextManager[None]:
    return killed(cluster, "name")


def envoy_killed(cluster: Cluster) -> AbstractContextManager[None]:
    return killed(cluster, "istio-proxy")


def begun(cluster: Cluster, everyone: bool) -> Release:
    """Start a release that waits, at 20 % or with everyone on the canary, and well so far."""
    release = delivery.start(cluster, delivery.parse(PLAN))
    until(lambda: release.state.hold == "plan" and release.state.tallies["success-rate"].stable.n > 20)
    if everyone:
        release.promote(full=True)
        until(lambda: release.state.tallies["success-rate"].canary.n > 20)
    return release


Trouble = Callable[[Cluster], AbstractContextManager[None] | None]


def after(cluster: Cluster, trouble: Trouble, everyone: bool) -> tuple[Release, pd.DataFrame]:
    """Return a release that has ended or asks for a person, and what users got since the trouble began."""
    with Sampler(cluster.url("sentences"), rate=RATE) as users:
        release = begun(cluster, everyone)
        since = pd.Timestamp.now("UTC")
        try:
            with trouble(cluster) or nullcontext():
                seen(release)
                release.wait(10.0, quiet)
        finally:
            release.close()
        answered = len(users.frame())
        until(lambda: len(users.frame()) > answered + RATE / 2)
        users.stop()
        frame = users.frame()
    return release, frame[frame["time"] >= since]


def seen(release: Release) -> None:
    """Wait until a release has ended or holds, for another reason than its plan."""
    limit = time.monotonic() + 20
    while not release.state.ended and release.state.hold in ("", "plan"):
        assert time.monotonic() < limit, (release.state.tallies, *release.lines())
        time.sleep(0.05)


@pytest.mark.parametrize("everyone", [False, True], ids=["in-a-pause", "with-everyone-on-it"])
@pytest.mark.parametrize(
    "trouble",
    [scaled_to_zero, crashing, unready, without_an_image, application_killed, envoy_killed],
)
def test_a_canary_that_does_not_answer_is_sent_back(
    cluster: Cluster, trouble: Trouble, everyone: bool
) -> None:
    release, users = after(cluster, trouble, everyone)
    last = release.state.decisions[-1]
    assert (release.state.phase, last.what, last.by) == ("Degraded", "aborted", "metrics"), release.lines()
    assert last.findings[0].reason in ("worse", "gone")
    failed = users["error"].notna()
    assert 0 < failed.sum() < RATE * SECONDS * (1.0 if everyone else 0.2), release.lines()
    assert not failed.tail(int(RATE / 4)).any()


@pytest.mark.parametrize("everyone", [False, True], ids=["in-a-pause", "with-everyone-on-it"])
@pytest.mark.parametrize(
    ("trouble", "named"),
    [
        (with_a_new_image_that_is_missing, "1 of 2 pods of name-v2 are ready: .*Image"),
        (stable_scaled_to_zero, "name-v1 has no pod."),
        (nobody_behind_the_service, "name-v2 has no pod. name-v1 has no pod."),
    ],
)
def test_what_is_not_the_canarys_fault_alone_holds_the_release_and_is_named(
    cluster: Cluster, trouble: Trouble, named: str, everyone: bool
) -> None:
    release, users = after(cluster, trouble, everyone)
    state = release.state
    assert (state.phase, state.hold) == ("Paused", "inconclusive"), release.lines()
    assert re.search(named, words.why(state.decisions[-1], state.plan)), release.lines()
    blameless = trouble is with_a_new_image_that_is_missing or (trouble is stable_scaled_to_zero and everyone)
    assert users["error"].notna().any() != blameless
