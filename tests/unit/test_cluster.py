"""kata_lib.cluster.cluster, apply, waiting and manifests, on the embedded engine's API."""

import json
from pathlib import Path

import pytest
from api_server import Api, StartApi
from hypothesis import given
from hypothesis import strategies as st

from kata_lib.cluster import apply, readiness
from kata_lib.cluster.cluster import Cluster
from kata_lib.cluster.manifests import load
from kata_lib.cluster.replacing import replace
from kata_lib.course import application, originals
from kata_lib.engines.embedded.registry.patches import merge_patch
from kata_lib.errors import ClusterError, ManifestError, WaitTimeout


@pytest.fixture
def cluster(api: Api) -> Cluster:
    return api.cluster()


def test_apply_says_what_kubectl_says(cluster: Cluster, tmp_path: Path) -> None:
    assert cluster.apply("deploy/v2") == ["deployment.apps/name-v2 created"]
    assert cluster.apply("deploy/v2") == ["deployment.apps/name-v2 unchanged"]
    edited = (Path("deploy/v2/name-v2.yaml")).read_text().replace("replicas: 1", "replicas: 3")
    (tmp_path / "name-v2.yaml").write_text(edited)
    assert cluster.apply(tmp_path) == ["deployment.apps/name-v2 configured"]
    assert len(cluster.pods("version=v2")) == 3


def test_apply_leaves_the_annotation_that_kubectl_reads(cluster: Cluster) -> None:
    cluster.apply("deploy/virtual-service-canary.yaml")
    live = cluster.get("networking.istio.io/v1", "VirtualService", "name")
    assert live
    last = json.loads(live["metadata"]["annotations"][apply.LAST_APPLIED])
    assert last["spec"] == live["spec"]
    assert last["metadata"]["annotations"] == {}


def test_apply_removes_what_the_last_file_set_and_keeps_what_others_set(cluster: Cluster) -> None:
    first = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": {"x": 1, "y": [1]}}
    live = merge_patch(apply.annotated(first, "default"), {"spec": {"theirs": 2}})
    second = {**first, "spec": {"y": [1, 2]}}
    patch = apply.patch_for(apply.annotated(second, "default"), live)
    assert patch["spec"] == {"x": None, "y": [1, 2]}
    assert merge_patch(live, patch)["spec"] == {"y": [1, 2], "theirs": 2}


VALUES = st.recursive(
    st.integers(0, 3) | st.sampled_from("ab"),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("klm"), inner, max_size=3),
    max_leaves=6,
)


@given(
    before=st.dictionaries(st.sampled_from("klm"), VALUES),
    after=st.dictionaries(st.sampled_from("klm"), VALUES),
)
def test_a_second_apply_arrives_at_its_file(before: dict[str, object], after: dict[str, object]) -> None:
    def obj(spec: dict[str, object]) -> dict[str, object]:
        return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": spec}

    live = apply.annotated(obj(before), "default")
    wanted = apply.annotated(obj(after), "default")
    assert merge_patch(live, apply.patch_for(wanted, live)) == wanted
    assert apply.patch_for(wanted, wanted) == {}


def test_delete_in_the_katas_order(cluster: Cluster) -> None:
    for path in ("deploy/v1", "deploy/v2", "deploy/virtual-service-canary-promote.yaml"):
        cluster.apply(path)
    for path in ("deploy/v1", "deploy/v2", "deploy/virtual-service-canary-promote.yaml"):
        assert all(line.endswith(" deleted") for line in cluster.delete(path))
    assert cluster.pods() == []
    assert cluster.delete("deploy/v2") == ["deployment.apps/name-v2 was not there"]


def test_replace_leaves_exactly_the_manifests(cluster: Cluster) -> None:
    cluster.apply("deploy/v1")
    port = cluster.url("sentences")
    cluster.apply("deploy/virtual-service-canary.yaml")
    cluster.apply("deploy/v2")
    cluster.scale("name-v1", 5)
    lines = replace(cluster, load("deploy/v1"), originals.is_ours)
    assert "deployment.apps/name-v1 set back" in lines
    assert "virtualservice.networking.istio.io/name deleted" in lines
    assert len(cluster.pods()) == 4
    assert cluster.url("sentences") == port
    assert replace(cluster, load("deploy/v1"), originals.is_ours) == []


def test_url_says_what_is_there_instead(cluster: Cluster) -> None:
    with pytest.raises(ClusterError, match=r"no Service 'sentences'.*there are: none"):
        cluster.url("sentences")
    with pytest.raises(ClusterError, match=r"no Service 'sentences'.*`kubectl apply -f deploy/v1`"):
        application.url(cluster)
    cluster.apply("deploy/v1")
    assert cluster.url("sentences").startswith("http://127.0.0.9:3")
    with pytest.raises(ClusterError, match="no node port"):
        cluster.url("age")


def test_wait_timeout_carries_the_waiting_reason(cluster: Cluster) -> None:
    cluster.images = {"kata/sentences": "kata/nobody:v0"}
    cluster.apply("deploy/v2")
    said: list[str] = []
    with pytest.raises(
        WaitTimeout,
        match=r"after 0 s.*name-v2: 0 of 1 pods ready.*ErrImagePull: the embedded engine pulls no",
    ):
        cluster.wait_ready(timeout=0, on_wait=said.append)
    assert len(said) == 1


@pytest.mark.parametrize(
    ("status", "line"),
    [
        ({}, "the change is not seen yet"),
        ({"observedGeneration": 2, "updatedReplicas": 1}, "1 of 2 pods are of the new template"),
        ({"observedGeneration": 2, "updatedReplicas": 2, "replicas": 3}, "1 old pod to be removed"),
        ({"observedGeneration": 2, "updatedReplicas": 2, "replicas": 2}, "0 of 2 pods ready"),
    ],
)
def test_unfinished_roll_out(status: dict[str, int], line: str) -> None:
    deployment = {"metadata": {"name": "d", "generation": 2}, "spec": {"replicas": 2}, "status": status}
    assert readiness.unfinished(deployment) == f"d: {line}"


def test_logs_are_the_applications(start_api: StartApi) -> None:
    api = start_api("deploy/v2")
    cluster, (pod,) = api.cluster(), api.pods("name-v2")
    api.logs = {"name": "GET / 200\n", "istio-proxy": "all dependencies initialized\n"}
    assert list(cluster.logs(pod)) == ["GET / 200"]
    assert list(cluster.logs(pod, "istio-proxy")) == ["all dependencies initialized"]
    with pytest.raises(ClusterError, match=f"there are: {pod}"):
        list(cluster.logs("name-v3"))


def test_enable_injection_once(start_api: StartApi) -> None:
    cluster = start_api(injection=False).cluster()
    assert cluster.enable_injection()
    assert not cluster.enable_injection()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "not valid YAML"),
        ("- a", "expected an object"),
        ("kind: Pod\nmetadata: {name: a}", "apiVersion must be set"),
        ("apiVersion: v1\nkind: Pod", r"metadata\.name must be set"),
        ("# nothing", "holds no manifest"),
    ],
)
def test_a_manifest_that_is_none(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(ManifestError, match=said):
        load(tmp_path / "a.yaml")


def test_a_missing_manifest_lists_those_there_are() -> None:
    with pytest.raises(ManifestError, match=r"deploy/v7 does not exist.*deploy/v1, deploy/v2"):
        load("deploy/v7")
