"""What becomes of a release whose canary, or stable version, gets into trouble, under real users.

Whatever it is, and wherever the release stands, it ends in an abort, or in a hold that names the reason. On
the engine that KATA_TEST_ENGINE names: proxies without Istio's counters (telemetry.ENVOYS_OWN) count nothing
of a request that reached no pod, so that there a canary without pods is held, not aborted.
"""

import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from threading import Event, Thread
from typing import Any

import pandas as pd
import pytest
from labs import lab_on
from requirements import ENGINE

from kata_lib import delivery
from kata_lib.cluster import pods, waiting
from kata_lib.cluster.cluster import Cluster
from kata_lib.course.application import Sampler
from kata_lib.delivery import Release, words
from kata_lib.engines.embedded import processes
from kata_lib.engines.embedded.processes import Identity
from kata_lib.lab.lab import Lab
from kata_lib.mesh import telemetry

CLUSTER = "troubles"
RATE = 50.0 if ENGINE == "embedded" else 25.0
"""Users' requests a second.

A canary that answers nothing is worse than stable after 4 of its requests at a fifth of all (each adds 1.5
to the evidence, 5.3 are needed), beside stable at half of all after 8 (0.66). A release that looks every
0.2 s is held at the ninth look without: by then the canary had 45 requests at half of 50 a second, and fewer
than 8 once in 10^11; at 25 a second 22, and once in 7,000.
"""
AFTERWARDS = 50
"""Of so many requests none fails once a release was sent back: were a fifth lost, once in 70,000."""
CANARY = "deploy/virtual-service-canary.yaml"
LIMIT = 20.0 if ENGINE == "embedded" else 90.0
SECONDS = 5.0 if ENGINE == "embedded" else 40.0
"""By then, at the 25th look, a release has seen its canary's trouble on a busy machine, too."""
NOT_READY = r"name-v2 has no pod\.|0 of 1 pods of name-v2 are ready: name-v2-\S+: ."
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
        "interval": "200ms",
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
def kata(engine_environment: dict[str, str]) -> Iterator[Lab]:
    with lab_on(engine_environment, CLUSTER, quiet) as made:
        for path in ("deploy/v1", "deploy/v2", CANARY):
            made.apply(path)
        yield made


@pytest.fixture
def cluster(kata: Lab) -> Cluster:
    """Return it with everyone on version 1, and both versions as they were, as the sidecars have it too."""
    delivery.forget(kata.cluster)
    kata.delete("deploy/v2")
    for pod in kata.cluster.pods("version=v1"):
        if not pods.is_ready(pod):  # a new one has no back-off to wait for
            kata.cluster.remove("v1", "Pod", pod["metadata"]["name"])
    for path in ("deploy/v1", "deploy/v2"):
        kata.apply(path)
    kata.set_weights({"name-v1": 100, "name-v2": 0})
    return kata.cluster


def quiet(line: str) -> None:
    """Take an engine's progress."""


def until(holds: Callable[[], bool]) -> None:
    assert waiting.holds(holds, LIMIT, 0.1), "it did not come to hold"


def deployment(cluster: Cluster, container: dict[str, Any], **spec: Any) -> None:
    """Change the canary's container."""
    live = cluster.get("apps/v1", "Deployment", "name-v2") or {}
    whole = {**live["spec"]["template"]["spec"]["containers"][0], **container}
    template = {"spec": {"containers": [whole]}}
    cluster.patch("apps/v1", "Deployment", "name-v2", {"spec": {**spec, "template": template}})


RECREATE = {"strategy": {"type": "Recreate", "rollingUpdate": None}}


def scaled_to_zero(cluster: Cluster) -> None:
    cluster.scale("name-v2", 0)


def deleted_for_good(cluster: Cluster) -> None:
    for pod in cluster.pods("version=v2"):
        cluster.scale("name-v2", 0)
        cluster.remove("v1", "Pod", pod["metadata"]["name"])


def crashing(cluster: Cluster) -> None:
    deployment(cluster, {"env": [{"name": "SENTENCE_MODE", "value": "no-such-mode"}]}, **RECREATE)


def unready(cluster: Cluster) -> None:
    """Ask for its readiness where nothing listens: the application answers every path."""
    probe = {"httpGet": {"path": "/healthz", "port": 5001}, "periodSeconds": 1}
    deployment(cluster, {"readinessProbe": probe}, **RECREATE)


def without_an_image(cluster: Cluster) -> None:
    deployment(cluster, {"image": "kata/sentences:no-such-tag"}, **RECREATE)


def with_a_new_image_that_is_missing(cluster: Cluster) -> None:
    """Its old pod answers on."""
    deployment(cluster, {"image": "kata/sentences:no-such-tag"})


def kill(cluster: Cluster, version: str, container: str) -> None:
    """Kill a container's first process wherever it runs: a process of this machine, or of kind's node."""
    for pod in cluster.pods(f"version={version}"):
        for status in pods.statuses(pod):
            if status["name"] == container and "running" in status.get("state", {}):
                scheme, _, identity = status["containerID"].partition("://")
                if scheme == "process":
                    kill_process(Identity.parse(identity))
                else:
                    kill_in_node(pod["spec"]["nodeName"], identity)


def kill_process(process: Identity) -> None:
    if processes.identify(process.pid) == process:
        os.kill(process.pid, signal.SIGKILL)


def kill_in_node(node: str, container: str) -> None:
    """Kill by the node's containerd: within a container nothing kills its first process.

    The container may have ended meanwhile.
    """
    words = ["ctr", "--namespace=k8s.io", "tasks", "kill", "--signal=SIGKILL", container]
    subprocess.run(["docker", "exec", node, *words], capture_output=True, timeout=30, check=False)


def nobody_behind_the_service(cluster: Cluster) -> None:
    cluster.patch("v1", "Service", "name", {"spec": {"selector": {"app": "nobody"}}})


def stable_scaled_to_zero(cluster: Cluster) -> None:
    cluster.scale("name-v1", 0)


@contextmanager
def killed(cluster: Cluster, version: str, container: str) -> Iterator[None]:
    """Kill a container of a version's again and again, as a crash that comes back."""
    over = Event()

    def loop() -> None:
        while not over.wait(0.1):
            kill(cluster, version, container)

    thread = Thread(target=loop, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(10)


def application_killed(cluster: Cluster) -> AbstractContextManager[None]:
    return killed(cluster, "v2", "name")


def envoy_killed(cluster: Cluster) -> AbstractContextManager[None]:
    return killed(cluster, "v2", "istio-proxy")


def stable_killed(cluster: Cluster) -> AbstractContextManager[None]:
    return killed(cluster, "v1", "name")


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
                until(lambda: troubled(release))
                release.wait(10.0, quiet)
        finally:
            release.close()
        answered = len(users.frame())
        until(lambda: len(users.frame()) > answered + RATE / 4 + AFTERWARDS)
        users.stop()
        frame = users.frame()
    return release, frame[frame["time"] >= since]


def refused(users: pd.DataFrame) -> pd.Series:
    """Return which requests were refused for want of a pod: a time-out may be a busy machine's."""
    return users["error"].str.startswith("HTTP 503", na=False)


def troubled(release: Release) -> bool:
    """Return whether a release has ended or holds, for another reason than its plan."""
    return release.state.ended or release.state.hold not in ("", "plan")


@pytest.mark.parametrize("everyone", [False, True], ids=["in-a-pause", "with-everyone-on-it"])
@pytest.mark.parametrize(
    "trouble",
    [
        scaled_to_zero,
        deleted_for_good,
        crashing,
        unready,
        without_an_image,
        application_killed,
        envoy_killed,
    ],
)
def test_a_canary_that_does_not_answer_is_sent_back_or_held(
    cluster: Cluster, trouble: Trouble, everyone: bool
) -> None:
    """Sent back where its failures are counted."""
    release, users = after(cluster, trouble, everyone)
    state = release.state
    last, failed = state.decisions[-1], users["error"].notna()
    assert failed.any()
    if state.phase == "Paused" and telemetry.counters(cluster).attrs["source"] == telemetry.ENVOYS_OWN:
        assert state.hold == "inconclusive", release.lines()
        assert re.search(NOT_READY, words.why(last, state.plan)), release.lines()
        return
    assert (state.phase, last.what, last.by) == ("Degraded", "aborted", "metrics"), release.lines()
    if last.findings:
        assert last.findings[0].reason in ("worse", "gone")
    else:
        assert last.canary is not None
        assert last.canary.gone
    assert refused(users).sum() < RATE * SECONDS * (1.0 if everyone else 0.2), release.lines()
    assert not failed.tail(AFTERWARDS).any()


@pytest.mark.parametrize("everyone", [False, True], ids=["in-a-pause", "with-everyone-on-it"])
@pytest.mark.parametrize(
    ("trouble", "named"),
    [
        (with_a_new_image_that_is_missing, r"1 of 2 pods of name-v2 are ready: name-v2-\S+: ."),
        (stable_scaled_to_zero, "name-v1 has no pod."),
        (stable_killed, r"0 of 2 pods of name-v1 are ready: name-v1-\S+: ."),
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
    elsewhere = everyone and trouble in (stable_scaled_to_zero, stable_killed)
    blameless = trouble is with_a_new_image_that_is_missing or elsewhere
    assert refused(users).any() != blameless
