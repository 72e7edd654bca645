"""13: the solution is right; a damaged one is wrong by name, and its lines mend it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from api_server import Api, StartApi
from following import sample_of, until_right
from release_plans import seen

from kata_lib import delivery
from kata_lib.cluster.cluster import Cluster
from kata_lib.course.checks import check
from kata_lib.course.exercises import QUESTIONS, TURNS
from kata_lib.course.exercises.a_little_ill import CAREFUL, HURRIED, read
from kata_lib.delivery import events, prices, record
from kata_lib.delivery.observed import Observed
from kata_lib.delivery.plan import Plan
from kata_lib.delivery.state import Versions
from kata_lib.mesh import weights
from kata_lib.statistics.shares import wilson

SOLVED = ("deploy/v1", "deploy/v2", "deploy/virtual-service-canary-promote.yaml", "deploy/v3-faulty")
SAMPLE = sample_of(v2=150)
GAPS = "steps: [{setWeight: 10}, {pause: {duration: ...}}, {analysis: {}}]"
NO_PAUSE = "steps: [{setWeight: 10}, {analysis: {}}]"
DAMAGES: list[tuple[Callable[[Cluster], object], str]] = [
    (lambda cluster: cluster.set_env("name-v3", {"ERROR_RATE": "0.5"}), "has ERROR_RATE=0.5"),
    (lambda cluster: weights.set_weights(cluster, "name", {"name-v1": 90, "name-v2": 10}), "somebody moved"),
    (lambda cluster: cluster.apply("deploy/v3-faulty"), "has ERROR_RATE=0.5; the version to catch has 0.05"),
]


def keep(cluster: Cluster, plan: Plan, failed: int = 30) -> None:
    """Have the cluster keep a release by this plan, of which so many of 60 requests failed in each look."""
    release = events.begin(plan, Versions(canary="v3", stable="v2"), 1.0)
    for moment in range(8):
        observed = seen((failed, 60), (0, 60))
        both = {metric.name: observed.looks["success-rate"] for metric in plan.metrics}
        release = events.look(release, Observed(both, observed.canary, observed.stable), 60.0 * moment)
    delivery.forget(cluster)
    record.save(cluster, record.Record(release))


def without_pause() -> Plan:
    """Return the limits of the careful plan with the steps of the hurried one."""
    return delivery.read(HURRIED).changed(analysis=delivery.read(CAREFUL).source["analysis"])


def impatient() -> Plan:
    """Return a plan that wants to see 1 % of failures and does not wait for the requests that this takes."""
    strict = prices.strictest(delivery.read(CAREFUL))
    return strict.changed(analysis={**strict.source["analysis"], "inconclusiveLimit": 20})


@pytest.fixture
def api(start_api: StartApi) -> Api:
    api = start_api(*SOLVED)
    api.cluster().set_env("name-v3", {"ERROR_RATE": "0.05", "DELAY": None})
    keep(api.cluster(), delivery.read(CAREFUL))
    return api


@pytest.mark.parametrize(("damage", "said"), DAMAGES)
def test_a_damaged_solution_is_wrong_by_name(
    damage: Callable[[Cluster], object], said: str, api: Api, tmp_path: Path
) -> None:
    cluster = api.cluster()
    assert check("a-little-ill", cluster, SAMPLE).verdict == "right"
    damage(cluster)
    assert said in check("a-little-ill", cluster, SAMPLE).text
    until_right(api, tmp_path, lambda: check("a-little-ill", cluster, SAMPLE))


@pytest.mark.parametrize(
    ("plan", "failed", "said"),
    [
        (HURRIED, 30, "that was luck. Of 2,000 simulated releases"),
        (HURRIED, 0, "aborted by its analysis; yours ended otherwise"),
        ("deploy/rollouts/v2.yaml", 30, "was that of name-v2"),
    ],
)
def test_a_release_that_does_not_show_it_is_to_be_begun_anew(
    plan: str, failed: int, said: str, api: Api
) -> None:
    keep(api.cluster(), delivery.read(plan), failed)
    result = check("a-little-ill", api.cluster(), SAMPLE)
    assert (result.verdict, result.mend) == ("wrong", f"kata release start {CAREFUL}")
    assert said in result.text
    keep(api.cluster(), delivery.read(CAREFUL))
    assert check("a-little-ill", api.cluster(), SAMPLE).verdict == "right"


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (..., "still dots"),
        (GAPS, "still dots"),
        ("steps: [{setWeight: 10}]", "No step is an analysis"),
        ("name: x", "name"),
        ("{", "while parsing"),
        (NO_PAUSE, "fails 5 %, the plan lets"),
        (delivery.read(HURRIED), "fails 5 %, the plan lets"),
        (without_pause(), "turns bad after 6 s, the plan lets"),
        (impatient(), "healthy, fails 0.1 %, the plan lets 0.0 %"),
        (delivery.read(CAREFUL), ""),
    ],
)
def test_a_turn_says_what_a_plan_does_not_see_or_costs_too_much(made: Any, said: str) -> None:
    found = TURNS["own-plan"].open(None, made)  # type: ignore[arg-type]
    assert said in found
    assert bool(found) == bool(said)


def test_what_is_left_out_of_a_plan_is_as_in_the_hurried_one() -> None:
    assert read(NO_PAUSE).metrics == delivery.read(HURRIED).metrics


def test_the_answer_is_what_is_simulated() -> None:
    """To the 95 % interval of two thousand releases, at a seed that is fixed."""
    found = prices.of(delivery.read(HURRIED), "fails 5 %")
    low, high = wilson(found.through, found.releases)
    said = QUESTIONS["releases that let a version through that fails 5 %"].expected
    assert said == round(100 * found.through / found.releases)
    assert (high - low) / 2 == pytest.approx(0.022, abs=0.0005), "as the notebook says"
