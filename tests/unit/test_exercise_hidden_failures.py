"""12: the solution is right; a damaged one is wrong by name, and its line mends it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from api_server import StartApi
from following import damaged, sample_of, until_right

from kata_lib.cluster.cluster import Cluster
from kata_lib.course.checks import check
from kata_lib.course.exercises.hidden_failures import HIDDEN, SEEN, TRIED
from kata_lib.mesh import weights
from kata_lib.mesh.virtual_services import ISTIO

FOLDER = "deploy/hidden-failures"
SOLVED = ("deploy/v1", "deploy/v3-faulty", f"{FOLDER}/half.yaml", f"{FOLDER}/retries.yaml")
SAMPLE = sample_of(v1=200, v3=175, failed=25)


def ruled(**fields: Any) -> Callable[[Cluster], object]:
    """Return what writes these fields into the rule for name."""

    def write(cluster: Cluster) -> None:
        rule: Mapping[str, Any] = (cluster.get(ISTIO, "VirtualService", "name") or {})["spec"]["http"][0]
        cluster.patch(ISTIO, "VirtualService", "name", {"spec": {"http": [{**rule, **fields}]}})

    return write


DAMAGES: list[tuple[Callable[[Cluster], object], str]] = [
    (lambda cluster: cluster.apply(f"{FOLDER}/half.yaml"), "Retries in the rule for name: none"),
    (lambda cluster: cluster.apply(f"{FOLDER}/timeout.yaml"), "Retries in the rule for name: none"),
    (ruled(retries={"attempts": 3, "retryOn": "5xx"}), "attempts: 3, retryOn: 5xx; asked for are 2"),
    (ruled(retries={"attempts": 2}), "name: attempts: 2; asked"),
    (ruled(retries={"attempts": 2, "retryOn": "gateway-error"}), "retryOn: gateway-error; asked"),
    (ruled(timeout="150ms"), "has a timeout too"),
    (lambda cluster: weights.set_weights(cluster, "name", {"name-v3": 10}), "this step wants v1 50"),
    (lambda cluster: cluster.delete("deploy/v3-faulty"), "no Deployment name-v3"),
]


@pytest.mark.parametrize(("damage", "said"), DAMAGES)
def test_a_damaged_solution_is_wrong_by_name(
    damage: Callable[[Cluster], object], said: str, start_api: StartApi, tmp_path: Path
) -> None:
    api = start_api(*SOLVED)
    damaged(api, "retries", SAMPLE, damage, said)
    until_right(api, tmp_path, lambda: check("retries", api.cluster(), SAMPLE))


@pytest.mark.parametrize(
    ("sample", "verdict", "said"),
    [
        (sample_of(v1=200, v3=100, failed=100), "wrong", "take a new one"),
        (sample_of(v1=10, v3=9, failed=1), "not enough yet", "requests or more"),
    ],
)
def test_a_sample_that_shows_something_else_is_not_right(
    sample: pd.DataFrame, verdict: str, said: str, start_api: StartApi
) -> None:
    result = check("retries", start_api(*SOLVED).cluster(), sample)
    assert result.verdict == verdict
    assert said in result.text


def test_the_sums_are_those_of_each_attempt() -> None:
    # Half of the requests go to v3; each of its attempts fails as often, and three are made at most.
    assert (HIDDEN, SEEN, TRIED) == (1 / 16, 1 / 4, 1.75)
