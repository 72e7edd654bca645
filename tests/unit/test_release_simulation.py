"""Thousands of simulated releases through the code that decides, without a cluster.

A test's own false alarm: a rate that is at most what is stated gives a count above the bound used here with a
probability of at most one in a million, by the exact binomial tail. The seed is fixed.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from release_plans import plan, seen

from kata_lib import delivery
from kata_lib.delivery import events
from kata_lib.delivery.plan import Plan
from kata_lib.delivery.state import ReleaseState
from kata_lib.delivery.steps import SetWeight
from kata_lib.statistics.shares import at_least

RELEASES = 2000
LOOK = 200  # requests between two looks, of all users
WEIGHTS = (5, 20, 50)
ANALYSIS: dict[str, Any] = {"analysis": {}}
STAGES = [step for weight in WEIGHTS for step in ({"setWeight": weight}, ANALYSIS)]
ALARM = 1e-6

Rates = Callable[[np.random.Generator], tuple[float, float]]
"""The shares of bad requests of the canary and of stable in one look."""


def run(plan: Plan, rates: Rates, generator: np.random.Generator) -> tuple[ReleaseState, int]:
    """Run a release to its end, or for 400 looks; return it, and how many requests the canary failed."""
    release, hurt = events.begin(plan, 0.0), 0
    for moment in range(400):
        if release.ended:
            break
        to_canary = int(generator.binomial(LOOK, release.routing.weight / 100))
        bad, bad_stable = rates(generator)
        failed = int(generator.binomial(to_canary, bad))
        hurt += failed
        stable = (int(generator.binomial(LOOK - to_canary, bad_stable)), LOOK - to_canary)
        release = events.look(release, seen((failed, to_canary), stable), float(moment))
    return release, hurt


def ends(plan: Plan, rates: Rates, releases: int = RELEASES) -> Counter[str]:
    """Return how many releases ended in each phase."""
    generator = np.random.default_rng(6)
    return Counter(run(plan, rates, generator)[0].phase for _ in range(releases))


def always(canary: float, stable: float) -> Rates:
    return lambda generator: (canary, stable)


def allowed(count: int, rate: float, n: int = RELEASES) -> bool:
    """Tell whether this many of n are no proof that they come more often than at that rate."""
    return at_least(count, n, rate) > ALARM


@pytest.mark.parametrize("compared", [None, 3.0])
def test_a_canary_at_the_very_limit_is_rarely_aborted(compared: float | None) -> None:
    """The worst healthy one, over a release of three stages, at a stated 5 %."""
    found = ends(plan(*STAGES, compared=compared, falseAbort=0.05), always(0.01, 0.01))
    assert allowed(found["Degraded"], 0.05), found
    assert found["Healthy"] + found["Degraded"] == RELEASES


def test_a_failure_that_is_borne_does_not_raise_the_rate() -> None:
    found = ends(plan(*STAGES, falseAbort=0.05, failureLimit=1), always(0.01, 0.01))
    assert allowed(found["Degraded"], 0.05), found


def test_what_troubles_both_versions_is_not_held_against_the_canary() -> None:
    """Outages of a service that both call, in a tenth of the looks, far above the limit of the comparison."""

    def outages(generator: np.random.Generator) -> tuple[float, float]:
        share = 0.3 if generator.random() < 0.1 else 0.002
        return share, share

    wide = {"name": "success-rate", "successCondition": "result >= 0.6", "failureCondition": "result < 0.2"}
    made = plan(*STAGES, falseAbort=0.05, metrics=[{**wide, "oddsAgainstStable": 3}])
    found = ends(made, outages)
    assert allowed(found["Degraded"], 0.05), found


def test_judging_each_look_by_its_share_would_abort_most_healthy_ones() -> None:
    """What the tests are for: the simulation sees a rule that is not sound."""
    generator = np.random.default_rng(6)
    looks = generator.binomial(10, 0.01, size=(RELEASES, 3 * 10))
    aborted = int((looks / 10 > 0.05).any(axis=1).sum())
    assert not allowed(aborted, 0.05)


def test_a_faulty_canary_rarely_passes_an_analysis() -> None:
    """The mildest faulty one, one analysis, a stated chance of 5 %."""
    found = ends(plan({"setWeight": 20}, {"analysis": {}}, missed=0.05), always(0.10, 0.0))
    assert allowed(found["Healthy"], 0.05), found
    assert found["Healthy"] + found["Degraded"] == RELEASES


def test_a_canary_within_its_limit_but_worse_than_stable_is_caught() -> None:
    """3 % failures where 10 % would be too many, and stable has 0.1 %: found by the comparison alone."""
    limit = {"name": "success-rate", "successCondition": "result >= 0.95", "failureCondition": "result < 0.9"}
    alone = plan(*STAGES, metrics=[limit])
    compared = plan(*STAGES, metrics=[{**limit, "oddsAgainstStable": 10}])
    passed = ends(alone, always(0.03, 0.001), 500)["Healthy"] / 500
    caught = ends(compared, always(0.03, 0.001), 500)["Degraded"] / 500
    assert passed > 0.9
    assert caught > 0.6


def test_the_workshops_faulty_version_is_always_caught_at_one_percent() -> None:
    """Half of v3's answers fail: that costs four users, where all at once would cost half of all."""
    whole = delivery.read("deploy/rollouts/v3.yaml")
    metrics = [dict(metric) for metric in whole.source["analysis"]["metrics"][:1]]
    made = whole.changed(analysis={**whole.source["analysis"], "metrics": metrics})
    generator = np.random.default_rng(6)
    runs = [run(made, always(0.5, 0.0), generator) for _ in range(500)]
    assert {release.phase for release, _ in runs} == {"Degraded"}
    first = next(step for step in made.steps if isinstance(step, SetWeight))
    assert all(release.decisions[-2].text.startswith(f"{first.weight} %") for release, _ in runs)
    assert 3 <= np.mean([hurt for _, hurt in runs]) <= 5
