"""14: the solution is right; a damaged one is wrong by name, and its line mends it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from api_server import StartApi
from following import damaged, sample_of, until_right

from kata_lib.cluster.cluster import Cluster
from kata_lib.course.checks import check
from kata_lib.mesh.virtual_services import ISTIO

FOLDER = "deploy/outliers"
SOLVED = ("deploy/v1", "deploy/v3-faulty", f"{FOLDER}/half-of-the-pods.yaml")
SAMPLE = sample_of(v1=299, v3=0, failed=1)


def detecting(**fields: Any) -> Callable[[Cluster], object]:
    """Return what sets these fields of the outlier detection; None removes one."""
    body = {"spec": {"trafficPolicy": {"outlierDetection": fields}}}
    return lambda cluster: cluster.patch(ISTIO, "DestinationRule", "name", body)


DAMAGES: list[tuple[Callable[[Cluster], object], str]] = [
    (lambda cluster: cluster.apply(f"{FOLDER}/default.yaml"), "maxEjectionPercent is 10; one pod of 3"),
    (detecting(maxEjectionPercent=33), "maxEjectionPercent is 33; one pod of 3"),
    (detecting(consecutive5xxErrors=None), "consecutive5xxErrors is 5; asked for is 2"),
    (lambda cluster: cluster.apply(f"{FOLDER}/breaker.yaml"), "has no trafficPolicy.outlierDetection"),
    (lambda cluster: cluster.delete(f"{FOLDER}/half-of-the-pods.yaml"), "No DestinationRule name"),
    (lambda cluster: cluster.apply(f"{FOLDER}/canary.yaml"), "sets the shares"),
    (lambda cluster: cluster.delete("deploy/v3-faulty/name-v3.yaml"), "no Deployment name-v3"),
]


@pytest.mark.parametrize(("damage", "said"), DAMAGES)
def test_a_damaged_solution_is_wrong_by_name(
    damage: Callable[[Cluster], object], said: str, start_api: StartApi, tmp_path: Path
) -> None:
    api = start_api(*SOLVED)
    damaged(api, "ejected", SAMPLE, damage, said)
    until_right(api, tmp_path, lambda: check("ejected", api.cluster(), SAMPLE))


@pytest.mark.parametrize(
    ("sample", "verdict", "said"),
    [
        (sample_of(v1=200, v3=50, failed=50), "wrong", "from before the ejection"),
        (sample_of(v1=20), "not enough yet", "requests or more"),
    ],
)
def test_a_sample_that_shows_something_else_is_not_right(
    sample: pd.DataFrame, verdict: str, said: str, start_api: StartApi
) -> None:
    result = check("ejected", start_api(*SOLVED).cluster(), sample)
    assert result.verdict == verdict
    assert said in result.text
