"""The whole kata on one engine, by the notebooks' own steps: what holds on one holds on each.

KATA_TEST_ENGINE says which (embedded, kind, context). The checks' tests err less than once in a million.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from labs import lab_on

from kata_lib import engines
from kata_lib.cluster import pod_table
from kata_lib.course.application import APPLICATION
from kata_lib.course.steps import CANARY, CANARY_V3, PROMOTE, V1, V2, V3
from kata_lib.errors import ClusterError, MeshError
from kata_lib.lab import lab
from kata_lib.lab.lab import Lab
from kata_lib.mesh import in_force, synced, telemetry
from kata_lib.statistics import shares

CLUSTER = "parity"
TOLD = shares.requests_needed(1 / 3, 0.1)
"""So many requests tell a third from a tenth; more would err as rarely."""
REFERENCE = Path(__file__).parents[1] / "reference" / "kubectl"


@pytest.fixture(scope="module")
def kata(engine_environment: dict[str, str]) -> Iterator[Lab]:
    with lab_on(engine_environment, CLUSTER) as made:
        yield made


def kubectl(kata: Lab, *words: str, ok: bool = True) -> str:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    program = shutil.which("kubectl", path=path)
    assert program, "kubectl is not on PATH: scripts/setup provides it or says how to get it"
    command = [program, f"--kubeconfig={kata.cluster.kubeconfig}", *words]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (run.returncode == 0) == ok, run.stdout + run.stderr
    return run.stdout if ok else run.stderr


def ready_pods(kata: Lab) -> list[tuple[str, str, str]]:
    """Return what `kubectl get pods` shows in its first columns, without the parts that are made up."""
    rows = [line.split()[:3] for line in kubectl(kata, "get", "pods", "--no-headers").splitlines()]
    return sorted(
        (re.sub(r"-[0-9a-z]+-[0-9a-z]{5}$", "", name), ready, status) for name, ready, status in rows
    )


def test_v1_alone(kata: Lab) -> None:
    kata.begin("deploy", reset=True)
    running = [
        ("age", "2/2", "Running"),
        *[("name-v1", "2/2", "Running")] * 2,
        ("sentences", "2/2", "Running"),
    ]
    assert ready_pods(kata) == running
    assert set(kata.pods()["ready"]) == {"2/2"}
    assert re.search(r"sentences +NodePort .* 5000:3\d+/TCP", kubectl(kata, "get", "services"))
    # Where the cluster has one entry, a probe's path is asked there until it answers: nobody calls for it.
    assert kata.counters().query("reporter == 'source'")["requests"].sum() == 0
    sample = kata.sample(requests=200)
    assert sample["error"].isna().all()
    assert kata.check("v1-alone", sample).verdict == "right"


def test_one_request_meets_three_sidecars(kata: Lab) -> None:
    hops = kata.hops()
    assert len(hops) == 3
    assert hops["sent"].sum() == 2


def test_a_third_the_moment_that_v2_is_ready(kata: Lab) -> None:
    kata.apply(V2)
    assert kata.expected_share() == pytest.approx({"v1": 2 / 3, "v2": 1 / 3})
    assert kata.check("a-third", kata.sample(requests=TOLD)).verdict == "right"


def test_a_tenth_the_moment_that_the_route_is_applied(kata: Lab) -> None:
    kata.apply(CANARY)
    assert kata.weights() == {"name-v1": 90, "name-v2": 10}
    assert kata.check("canary-10", kata.sample(requests=TOLD)).verdict == "right"


@pytest.mark.parametrize("version", ["v2", "v1"])
def test_a_sample_after_new_weights_has_none_of_the_old(kata: Lab, version: str) -> None:
    kata.set_weights({f"name-{version}": 100})
    assert set(kata.sample(requests=60)["version"]) == {version}


@pytest.mark.parametrize(
    ("declared", "routed"), [("tcp-name", False), ("https", False), ("web", True), ("http", True)]
)
def test_rules_for_http_hold_at_a_port_that_may_be_http(kata: Lab, declared: str, routed: bool) -> None:
    kata.set_weights({"name-v1": 90, "name-v2": 10})
    patch = [{"op": "replace", "path": "/spec/ports/0/name", "value": declared}]
    since = synced.now(kata.cluster, "sentences")
    kubectl(kata, "patch", "service", "name", "--type=json", f"--patch={json.dumps(patch)}")
    synced.until(kata.cluster, "sentences", since)
    found = in_force.read(kata.cluster, "name", "sentences")
    assert found.http is routed
    assert found.versions == pytest.approx({"v1": 0.9, "v2": 0.1} if routed else {"v1": 2 / 3, "v2": 1 / 3})
    sample = kata.sample(requests=100)
    assert sample["error"].isna().all()
    assert ("KATA0105" in {found.code for found in kata.analyze().findings}) is not routed


def test_client_and_mesh_count_the_same_requests(kata: Lab) -> None:
    kata.set_weights({"name-v1": 90, "name-v2": 10})
    before = kata.counters()
    sample = kata.sample(requests=400)
    table = telemetry.side_by_side(sample, kata.counters(since=before), "name")
    assert table["client"].equals(table["source"])
    assert kata.check("mesh-agrees", table).verdict == "right"


def test_a_faulty_v3_is_seen_and_rolled_back(kata: Lab) -> None:
    kata.apply(V3)
    kata.apply(CANARY_V3)
    assert kata.check("v3-hurts", kata.sample(requests=1300, concurrency=8)).verdict == "right"
    kata.apply(PROMOTE)
    assert kata.check("rolled-back", kata.sample(requests=200)).verdict == "right"


def test_what_promoting_leaves_is_what_kubectl_shows(kata: Lab) -> None:
    found = json.loads(kubectl(kata, "get", "virtualservice", "name", "--output=json"))
    assert [d["weight"] for d in found["spec"]["http"][0]["route"]] == [0, 100]
    assert "HOSTS" in kubectl(kata, "get", "virtualservices").splitlines()[0]


BELOW_ZERO = [{"op": "replace", "path": "/spec/http/0/route/0/weight", "value": -1}]
OTHER_SELECTOR = {"spec": {"selector": {"matchLabels": {"app": "x"}}}}

MISTAKES = {
    "no such file": (["apply", "-f", "nowhere.yaml"], 'the path "nowhere.yaml" does not exist'),
    "no such pod": (["get", "pod", "athos"], 'Error from server (NotFound): pods "athos" not found'),
    "no such kind": (["get", "musketeers"], 'the server doesn\'t have a resource type "musketeers"'),
    "a weight below zero": (
        ["patch", "virtualservice", "name", "--type=json", "--patch", json.dumps(BELOW_ZERO)],
        "weight -1 < 0",
    ),
    "a field misspelt": (["apply", "-f", str(REFERENCE / "misspelt.yaml")], "unknown field"),
    "immutable": (
        ["patch", "deployment", "age", "--patch", json.dumps(OTHER_SELECTOR)],
        "field is immutable",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_kubectl_says_the_same_of_a_mistake(kata: Lab, name: str) -> None:
    words, said = MISTAKES[name]
    assert said in kubectl(kata, *words, ok=False)


def test_the_library_refuses_the_same(kata: Lab) -> None:
    with pytest.raises(MeshError, match="no subset 'name-v9'"):
        kata.set_weights({"name-v9": 10})
    with pytest.raises(ClusterError, match="There is no Service 'king'"):
        kata.cluster.url("king")


def test_a_subset_without_pods_fails_for_its_share_alone(kata: Lab) -> None:
    kata.apply(CANARY)
    kata.set_weights({"name-v1": 50, "name-v2": 50})
    kata.scale("name-v2", 0)
    sample = kata.sample(requests=100)
    failed = shares.share_of("failed", int(sample["error"].notna().sum()), len(sample))
    assert shares.judge(failed.count, failed.n, 0.5, 0.0) == "right"
    assert set(sample.loc[sample["error"].isna(), "version"]) == {"v1"}
    kata.scale("name-v2", 1)


@pytest.mark.needs("context")
def test_two_learners_do_not_see_each_others_traffic(kata: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KATA_LEARNER", "other")
    try:
        other = lab.connect(cluster="other")
        other.begin("canary", reset=True)
        before = kata.counters()
        assert not other.sample(requests=50)["error"].any()
        assert kata.counters(since=before).empty
        assert {p["metadata"]["namespace"] for p in kata.cluster.pods()} == {kata.cluster.namespace}
    finally:
        engines.select(APPLICATION, cluster="other").stop()
    assert len(pod_table.rows(kata.cluster.pods())) == 6


def test_cleaned_up(kata: Lab) -> None:
    for path in (V1, V2, V3, PROMOTE):
        kata.delete(path)
    assert kata.check("cleaned-up").verdict == "right"
    assert kata.weights() == {}
