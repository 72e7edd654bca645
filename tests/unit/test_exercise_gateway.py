"""08: the solution is right; a damaged one is wrong by name, and its lines mend it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from api_server import StartApi
from following import damaged, sample_of, until_right

from kata_lib.cluster.cluster import Cluster
from kata_lib.course.checks import check
from kata_lib.mesh import weights
from kata_lib.mesh.virtual_services import ISTIO

CANARY, FOLDER = "deploy/virtual-service-canary.yaml", "deploy/outside"
WAY_IN = ("deploy/gateway/gateway.yaml", "deploy/gateway/sentences.yaml")
SOLVED = ("deploy/v1", "deploy/v2", *WAY_IN, CANARY, f"{FOLDER}/both.yaml")
SAMPLE = sample_of(v1=270, v2=30)
DAMAGES: list[tuple[Callable[[Cluster], object], str]] = [
    (lambda cluster: cluster.apply(CANARY), "No rule at the gateway is for name.example"),
    (lambda cluster: cluster.apply(f"{FOLDER}/gateway-only.yaml"), "without mesh no sidecar gets it"),
    (lambda cluster: as_it_begins(cluster), "ask for name.example, get: v1 66.7 %, v2 33.3 %"),
    (lambda cluster: cluster.remove(ISTIO, "VirtualService", "name"), "Callers inside get: v1 66.7 %"),
    (lambda cluster: weights.set_weights(cluster, "name", {"name-v2": 30}), "Callers inside get: v1 70.0 %"),
    (lambda cluster: cluster.remove(ISTIO, "Gateway", "gateway"), "There is no gateway"),
    (lambda cluster: cluster.delete(WAY_IN[0]), "There is no gateway"),
    (lambda cluster: cluster.scale("gateway", 0), "gateway has 0 pods"),
    (lambda cluster: cluster.delete("deploy/v2"), "no Deployment name-v2"),
]


def as_it_begins(cluster: Cluster) -> None:
    cluster.apply(CANARY)
    cluster.apply(f"{FOLDER}/name.yaml")


@pytest.mark.parametrize(("damage", "said"), DAMAGES)
def test_a_damaged_solution_is_wrong_by_name(
    damage: Callable[[Cluster], object], said: str, start_api: StartApi, tmp_path: Path
) -> None:
    api = start_api(*SOLVED)
    damaged(api, "inside", SAMPLE, damage, said)
    until_right(api, tmp_path, lambda: check("outside", api.cluster(), SAMPLE))


def test_a_sample_of_the_other_callers_is_from_before(start_api: StartApi) -> None:
    result = check("inside", start_api(*SOLVED).cluster(), sample_of(v1=200, v2=100))
    assert result.verdict == "wrong"
    assert "the sample is from before" in result.text
