"""11: the solution is right; a damaged one is wrong by name, and its lines mend it."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from api_server import StartApi
from following import damaged, until_right

from kata_lib.cluster.cluster import Cluster
from kata_lib.course.checks import check
from kata_lib.mesh import weights

CANARY, FOLDER = "deploy/virtual-service-canary.yaml", "deploy/users"
SOLVED = ("deploy/v1", "deploy/v2", CANARY, f"{FOLDER}/sticky.yaml")
DAMAGES: list[tuple[Callable[[Cluster], object], str]] = [
    (lambda cluster: cluster.apply(CANARY), "cookie canary=v2 gets: v1 90.0 %"),
    (lambda cluster: cluster.apply(f"{FOLDER}/no-weights.yaml"), "cookie canary=v2 gets: v1 66.7 %"),
    (lambda cluster: cluster.set_env("sentences", {"FORWARD_HEADERS": "no"}), "cookie that a caller sends"),
    (lambda cluster: weights.set_weights(cluster, "name", {"name-v2": 30}), "without a cookie gets: v1 70"),
    (lambda cluster: cluster.delete("deploy/v2"), "no Deployment name-v2"),
]


def played(users: int, on_v2: int, flips: int = 0) -> pd.DataFrame:
    """Return the columns of a sample in which so many users have two answers of v2; some change to v1."""
    first = ["v2" if user < on_v2 else "v1" for user in range(users)]
    second = ["v1" if user < flips else version for user, version in enumerate(first)]
    columns = {"user": [*range(users)] * 2, "version": pd.Series([*first, *second], dtype=object)}
    return pd.DataFrame({**columns, "error": None})


@pytest.mark.parametrize(("damage", "said"), DAMAGES)
def test_a_damaged_solution_is_wrong_by_name(
    damage: Callable[[Cluster], object], said: str, start_api: StartApi, tmp_path: Path
) -> None:
    api, sample = start_api(*SOLVED), played(200, on_v2=20)
    damaged(api, "sticky", sample, damage, said)
    until_right(api, tmp_path, lambda: check("sticky", api.cluster(), sample))


@pytest.mark.parametrize(
    ("sample", "verdict", "said"),
    [
        (played(200, on_v2=20, flips=3), "wrong", "changed version 3 times"),
        (played(200, on_v2=176), "wrong", "88.0 % of 200"),
        (played(4, on_v2=1), "not enough yet", "Too few"),
        (played(200, on_v2=20).drop(columns="user"), "not enough yet", "lab.sample(users="),
    ],
)
def test_a_sample_that_shows_something_else_is_not_right(
    sample: pd.DataFrame, verdict: str, said: str, start_api: StartApi
) -> None:
    result = check("sticky", start_api(*SOLVED).cluster(), sample)
    assert result.verdict == verdict
    assert said in result.text
