"""Pods by the real kubectl: what it shows, what happens when they start, fail and leave."""

import json
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest

from embedded.engine_cluster import DEPLOY, Cluster
from kata_lib.course import application
from kata_lib.engines.embedded import processes
from kata_lib.statistics import shares

LIMIT = 60.0
NEEDED = shares.requests_needed(1 / 3, 0.1)
WITHOUT_SIDECAR = "sidecar.istio.io/inject=false"


def run(cluster: Cluster, name: str, *words: str, image: str = "kata/sentences:v1") -> None:
    cluster.kubectl("run", name, f"--labels={WITHOUT_SIDECAR}", f"--image={image}", *words)


def is_right(frame: pd.DataFrame, expected: float, otherwise: float) -> bool:
    count = int(frame["version"].eq("v2").sum())
    return shares.judge(count, len(frame), expected, otherwise) == "right"


@pytest.fixture
def pods(cluster: Cluster) -> Iterator[Cluster]:
    """The shared cluster; pods with the label of `run` are deleted afterwards."""
    yield cluster
    cluster.kubectl("delete", "pod", f"--selector={WITHOUT_SIDECAR}", "--grace-period=1")


def shown_until(cluster: Cluster, wanted: str, *words: str) -> str:
    """Return what kubectl shows as soon as it holds `wanted`."""
    deadline = time.monotonic() + LIMIT
    while wanted not in (shown := cluster.kubectl(*words)):
        assert time.monotonic() < deadline, shown
    return shown


def container_status(cluster: Cluster, pod: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(cluster.kubectl("get", "pod", pod, "--output=json"))
    status: dict[str, Any] = found["status"]["containerStatuses"][0]
    return status


def test_pods_look_as_on_a_real_cluster(cluster: Cluster) -> None:
    lines = cluster.kubectl("get", "pods", "--no-headers").splitlines()
    assert len(lines) == 5
    for line in lines:
        name, ready, status, *_ = line.split()
        assert len(name.rsplit("-", 1)[1]) == 5
        assert (ready, status) == ("2/2", "Running")


def test_v2_gets_its_pods_share_and_then_the_canarys(cluster: Cluster) -> None:
    plain = application.sample(cluster.url(), requests=NEEDED)
    assert is_right(plain, 1 / 3, otherwise=0.1)
    cluster.deploy("virtual-service-canary.yaml")
    routed = application.sample(cluster.url(), requests=NEEDED)
    cluster.kubectl("delete", f"--filename={DEPLOY / 'virtual-service-canary.yaml'}")
    assert is_right(routed, 0.1, otherwise=1 / 3)


def test_rolling_and_scaling_fail_no_request(cluster: Cluster) -> None:
    with application.Sampler(cluster.url(), 50) as per_request:
        with application.Sampler(cluster.url(), 50, connections="keep-alive") as kept:
            for name in ("name-v1", "sentences", "age"):
                cluster.kubectl("rollout", "restart", "deployment", name)
                cluster.kubectl("rollout", "status", "deployment", name, "--timeout=30s")
            for replicas in ("1", "2"):
                cluster.kubectl("scale", "deployment", "name-v1", f"--replicas={replicas}")
                cluster.kubectl("rollout", "status", "deployment", "name-v1", "--timeout=30s")
        failures = [
            (policy, record.time, record.error)
            for policy, sampler in (("per-request", per_request), ("keep-alive", kept))
            for record in sampler.frame().query("status != 200").itertuples()
        ]
    assert failures == []


def test_logs_and_previous_logs(pods: Cluster) -> None:
    run(pods, "crash", "--command", "--", "/bin/sh", "-c", "echo once more; exit 1")
    shown_until(pods, "CrashLoopBackOff", "get", "pod", "crash")
    assert pods.kubectl("logs", "crash") == pods.kubectl("logs", "crash", "--previous") == "once more\n"
    assert "Back-off restarting failed container crash" in pods.kubectl("describe", "pod", "crash")
    assert container_status(pods, "crash")["lastState"]["terminated"]["exitCode"] == 1


def test_a_pod_that_need_not_run_again_completes(pods: Cluster) -> None:
    run(pods, "once", "--restart=Never", "--command", "--", "/bin/true")
    pods.kubectl("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/once", "--timeout=10s")
    assert "Completed" in pods.kubectl("get", "pod", "once")


def test_an_unknown_image_is_told_as_kubernetes_tells_it(pods: Cluster) -> None:
    run(pods, "unknown", image="nginx:1")
    shown = shown_until(pods, "ErrImagePull", "get", "pod", "unknown")
    assert "0/1" in shown
    shown_until(pods, "ImagePullBackOff", "get", "pod", "unknown")
    events = pods.kubectl("get", "events", "--field-selector=involvedObject.name=unknown")
    assert 'Failed to pull image "nginx:1"' in events
    assert "kata/sentences:v1" in events


def test_a_pod_that_is_forced_away_leaves_no_process(pods: Cluster) -> None:
    run(pods, "forced", "--command", "--", "/bin/sh", "-c", "trap '' TERM; sleep 60")
    pods.kubectl("wait", "--for=condition=Ready", "pod/forced", "--timeout=10s")
    uid = pods.kubectl("get", "pod", "forced", "--output=jsonpath={.metadata.uid}")
    pods.kubectl("delete", "pod", "forced", "--grace-period=0", "--force")
    deadline = time.monotonic() + LIMIT
    while any(owner.startswith(uid) for _, owner in processes.find_marked(pods.engine.state.mark)):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_namespace_goes_with_all_that_is_in_it(cluster: Cluster) -> None:
    cluster.kubectl("create", "namespace", "team")
    cluster.kubectl("create", "deployment", "web", "--namespace=team", "--image=kata/sentences:v1")
    cluster.kubectl("rollout", "status", "deployment/web", "--namespace=team", "--timeout=20s")
    cluster.kubectl("delete", "namespace", "team", "--timeout=30s")
    assert "team" not in cluster.kubectl("get", "namespaces")


def test_what_the_engine_cannot_give_is_refused(cluster: Cluster) -> None:
    manifest = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "first"},
        "spec": {
            "initContainers": [{"name": "init", "image": "kata/sentences:v1"}],
            "containers": [{"name": "main", "image": "kata/sentences:v1"}],
        },
    }
    refusal = cluster.kubectl("apply", "--filename=-", stdin=json.dumps(manifest), ok=False)
    assert "spec.initContainers: not supported by the embedded engine" in refusal


def test_a_pods_counters_are_served_under_istios_names(cluster: Cluster) -> None:
    application.sample(cluster.url(), requests=10)
    pod = cluster.kubectl("get", "pod", "--selector=app=age", "--output=jsonpath={.items[0].status.podIP}")
    with urllib.request.urlopen(f"http://{pod}:15020/stats/prometheus", timeout=5) as answer:
        text = answer.read().decode()
    assert 'istio_requests_total{reporter="destination"' in text


def test_an_application_that_has_metrics_is_asked_for_them_by_the_agent(cluster: Cluster) -> None:
    annotations = {"prometheus.io/port": "5000", "prometheus.io/path": "/healthz"}
    container = {
        "name": "main",
        "image": "kata/sentences:v1",
        "env": [{"name": "SENTENCE_MODE", "value": "age"}],
        "ports": [{"containerPort": 5000}],
        "readinessProbe": {"httpGet": {"path": "/healthz", "port": 5000}},
    }
    manifest = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "annotated", "annotations": annotations},
        "spec": {"containers": [container]},
    }
    cluster.kubectl("apply", "--filename=-", stdin=json.dumps(manifest))
    try:
        cluster.kubectl("wait", "--for=condition=Ready", "pod/annotated", "--timeout=30s")
        address = cluster.kubectl("get", "pod", "annotated", "--output=jsonpath={.status.podIP}")
        with urllib.request.urlopen(f"http://{address}:5000/healthz", timeout=5) as answer:
            own = answer.read()
        with urllib.request.urlopen(f"http://{address}:15020/stats/prometheus", timeout=5) as answer:
            text = answer.read()
    finally:
        cluster.kubectl("delete", "pod", "annotated", "--wait=false")
    assert own
    assert text.endswith(own)
    assert text.startswith(b"# TYPE")
