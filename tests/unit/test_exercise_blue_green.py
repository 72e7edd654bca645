"""10: the solution is right; a damaged one is wrong by name, and its lines mend it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from api_server import StartApi
from following import sample_of, until_right

from kata_lib.cluster.cluster import Cluster
from kata_lib.course.checks import check
from kata_lib.course.result import Result
from kata_lib.mesh import weights
from kata_lib.mesh.virtual_services import ISTIO

FOLDER = "deploy/blue-green"
SOLVED = ("deploy/v1", "deploy/v2", f"{FOLDER}/destination-rule.yaml", f"{FOLDER}/virtual-service.yaml")
CHECKS: dict[str, Callable[[Cluster], Result]] = {
    "testers": lambda cluster: check("testers", cluster, sample_of(v2=100)),
    "everyone-else": lambda cluster: check("everyone-else", cluster, sample_of(v1=300)),
    "testers-and-canary": lambda cluster: check("testers-and-canary", cluster, sample_of(v1=540, v2=60)),
}
DAMAGES: list[tuple[Callable[[Cluster], object], str]] = [
    (lambda cluster: cluster.apply(f"{FOLDER}/wrong-order.yaml"), "The rule for everyone stands first"),
    (lambda cluster: cluster.set_env("sentences", {"FORWARD_HEADERS": "no"}), "sidecar that chooses"),
    (lambda cluster: cluster.remove(ISTIO, "VirtualService", "name"), "No VirtualService routes name."),
    (lambda cluster: weights.set_weights(cluster, "name", {"name-v2": 30}), "without the header gets: v1 70"),
    (lambda cluster: cluster.delete("deploy/v2"), "no Deployment name-v2"),
]


@pytest.mark.parametrize("name", CHECKS)
@pytest.mark.parametrize(("damage", "said"), DAMAGES)
def test_a_damaged_solution_is_wrong_by_name(
    name: str, damage: Callable[[Cluster], object], said: str, start_api: StartApi, tmp_path: Path
) -> None:
    api = start_api(*SOLVED)
    cluster = api.cluster()
    if name == "testers-and-canary":
        weights.set_weights(cluster, "name", {"name-v2": 10})
    assert CHECKS[name](cluster).verdict == "right"
    damage(cluster)
    assert said in CHECKS[name](cluster).text
    until_right(api, tmp_path, lambda: CHECKS[name](cluster))
