"""kata_lib.mesh.weights: weights become shares, and nonsense is refused with words."""

import math

import pytest
from fake_api import make_cluster
from hypothesis import given
from hypothesis import strategies as st

from kata_lib.cluster.cluster import Cluster
from kata_lib.errors import MeshError
from kata_lib.mesh import weights as mesh
from kata_lib.mesh.weights import ISTIO


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    cluster, _ = make_cluster(monkeypatch)
    cluster.apply("deploy/v1")
    cluster.apply("deploy/v2")
    return cluster


@pytest.fixture
def canary(cluster: Cluster) -> Cluster:
    cluster.apply("deploy/virtual-service-canary.yaml")
    return cluster


def test_without_a_virtual_service_the_pods_share(cluster: Cluster) -> None:
    assert mesh.weights(cluster) == {}
    assert mesh.expected_share(cluster) == {"v1": pytest.approx(2 / 3), "v2": pytest.approx(1 / 3)}


def test_the_canary(canary: Cluster) -> None:
    assert mesh.weights(canary) == {"name-v1": 0.9, "name-v2": 0.1}
    assert mesh.expected_share(canary) == {"v1": 0.9, "v2": 0.1}


def test_weights_need_not_total_100(canary: Cluster) -> None:
    assert mesh.set_weights(canary, {"name-v2": 10, "name-v1": 80})["name-v2"] == pytest.approx(1 / 9)
    assert mesh.expected_share(canary)["v2"] == pytest.approx(1 / 9)


def test_a_subset_left_out_gets_the_rest(canary: Cluster) -> None:
    assert mesh.set_weights(canary, {"name-v2": 25}) == {"name-v2": 0.25, "name-v1": 0.75}
    assert mesh.weights(canary) == {"name-v2": 0.25, "name-v1": 0.75}


def test_one_destination_needs_no_weight(canary: Cluster) -> None:
    alone = {"route": [{"destination": {"host": "name"}}]}
    canary.patch(ISTIO, "VirtualService", "name", {"spec": {"http": [alone]}})
    assert mesh.weights(canary) == {"name": 1.0}
    assert mesh.expected_share(canary)["v2"] == pytest.approx(1 / 3)


def test_the_host_may_be_written_in_full_and_a_match_is_not_everybodys(canary: Cluster) -> None:
    service = canary.get(ISTIO, "VirtualService", "name")
    assert service
    matched = {"match": [{"uri": {"prefix": "/x"}}], "route": [{"destination": {"host": "name"}}]}
    changed = {"hosts": ["name.default.svc.cluster.local"], "http": [matched, *service["spec"]["http"]]}
    canary.patch(ISTIO, "VirtualService", "name", {"spec": changed})
    assert mesh.weights(canary) == {"name-v1": 0.9, "name-v2": 0.1}


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ({"name-v2": "ten"}, "must be a number, not 'ten'"),
        ({"name-v2": True}, "must be a number"),
        ({"name-v2": math.nan}, "must be a number"),
        ({"name-v2": -1}, "cannot be negative"),
        ({"name-v2": 2.5}, "whole numbers only"),
        ({"name-v2": 0, "name-v1": 0}, "All weights are 0"),
        ({"name-v3": 10}, "no subset 'name-v3'; it has: name-v1, name-v2"),
        ({"name-v2": 120}, "Weights for name-v1 are missing"),
        ({}, "are missing"),
    ],
)
def test_what_is_no_weight(canary: Cluster, weights: dict[str, float], said: str) -> None:
    with pytest.raises(MeshError, match=said):
        mesh.set_weights(canary, weights)
    assert mesh.weights(canary) == {"name-v1": 0.9, "name-v2": 0.1}


def test_nothing_to_weight(cluster: Cluster) -> None:
    with pytest.raises(MeshError, match=r"kubectl apply -f deploy/virtual-service-canary\.yaml"):
        mesh.set_weights(cluster, {"name-v2": 10})


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=4).filter(any))
def test_complete_weights_keeps_what_is_complete(weights: list[int]) -> None:
    names = [f"s{i}" for i in range(len(weights))]
    wanted = dict(zip(names, weights, strict=True))
    assert mesh.complete_weights(wanted, names) == wanted
