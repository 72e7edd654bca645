"""Thousands of simulated releases: by the code that decides, and by simulation.py, which must agree.

A test's own false alarm: where a rate is what is stated, the bound used here is exceeded with a probability
of at most one in a million, by exact binomial tails. The seeds are fixed. `scripts/bench --only
release-errors` runs more of them, at more rates.
"""

from collections import Counter
from math import ceil
from typing import Any

import numpy as np
import pytest
from release_plans import VERSIONS, plan, seen

from kata_lib import delivery
from kata_lib.delivery import events
from kata_lib.delivery.common_troubles import Drift, Outages
from kata_lib.delivery.plan import Plan
from kata_lib.delivery.simulation import Outcomes, Traffic, outcomes
from kata_lib.statistics.sequential import greatest_share
from kata_lib.statistics.shares import at_least, wilson

ALARM = 1e-6
QUICK: dict[str, Any] = {"interval": "250ms", "falseAbort": 0.05, "missed": 0.05}
ANALYSIS: dict[str, Any] = {"analysis": {}}
WEIGHTS = (5, 20, 50)
STAGES = [step for weight in WEIGHTS for step in ({"setWeight": weight}, ANALYSIS)]


def by_events(made: Plan, traffic: Traffic, releases: int, seed: int = 7) -> Counter[str]:
    """Return how releases end that go look by look through events.py, at the seconds of their looks."""
    generator = np.random.default_rng(seed)
    return Counter(_run(made, traffic, generator) for _ in range(releases))


def _run(made: Plan, traffic: Traffic, generator: np.random.Generator) -> str:
    release, now, stage = events.begin(made, VERSIONS, 0.0), 0.0, -1
    while not release.ended and release.hold != "inconclusive":
        now += made.interval
        total = int(generator.poisson(traffic.rate * made.interval))
        mine = int(generator.binomial(total, release.routing.weight / 100))
        bad = int(generator.binomial(mine, traffic.canary))
        bad_of_stable = int(generator.binomial(total - mine, traffic.stable))
        if release.stage != stage:  # as the runner, which only reads the counters then
            stage = release.stage
            continue
        release = events.look(release, seen((bad, mine), (bad_of_stable, total - mine)), now)
    return release.phase


@pytest.mark.parametrize(
    "traffic",
    [Traffic(200, 0.03, 0.0), Traffic(200, 0.06, 0.001), Traffic(100, 0.08, 0.08), Traffic(60, 0.005, 0.0)],
)
def test_what_is_computed_for_many_at_once_agrees_with_the_code_that_decides(traffic: Traffic) -> None:
    """The difference of two rates, by a normal bound at five standard errors: one in a million."""
    made = plan(*STAGES, inconclusiveLimit=40, **QUICK)
    few, many = 300, 6000
    one_by_one, at_once = by_events(made, traffic, few), outcomes(made, traffic, many)
    for phase, count in (
        ("Healthy", at_once.through),
        ("Paused", at_once.held),
        ("Degraded", at_once.aborted),
    ):
        rate = (one_by_one[phase] + count) / (few + many)
        error = (rate * (1 - rate) * (1 / few + 1 / many)) ** 0.5
        assert abs(one_by_one[phase] / few - count / many) <= 5 * error + 0.5 / few, (
            phase,
            one_by_one,
            at_once,
        )


ALIKE = [
    *(Traffic(rate, share, share) for rate in (5, 60, 400) for share in (0.001, 0.02, 0.15)),
    *(Traffic(rate, 0.001, 0.001, common=Outages(0.5)) for rate in (5, 400)),
    Traffic(60, 0.001, 0.001, common=Outages(2.0, share=0.5)),
    *(Traffic(rate, 0.001, 0.001, common=Drift(0.15)) for rate in (5, 60, 400)),
]


def blamed(found: Outcomes) -> float:
    """Return the upper 99 % limit of the rate at which canaries are sent back."""
    return greatest_share(found.aborted, found.releases)


@pytest.mark.parametrize("traffic", ALIKE)
def test_a_trouble_that_both_have_is_not_the_canarys(traffic: Traffic) -> None:
    """At the plan's weights and promise. Were the rate above the promise, it would pass once in 100 times."""
    made = delivery.read("deploy/rollouts/v2.yaml")
    found = outcomes(made, traffic, releases=2000)
    assert blamed(found) <= made.false_abort, found


def test_a_failure_that_is_borne_does_not_raise_the_rate() -> None:
    made = plan(*STAGES, failureLimit=1, **QUICK)
    found = outcomes(made, Traffic(200, 0.05, 0.05))
    assert at_least(found.aborted, found.releases, 0.05) > ALARM, found


def test_judging_each_look_by_its_share_would_abort_most_healthy_ones() -> None:
    """What the tests are for: the simulation sees a rule that is not sound."""
    generator = np.random.default_rng(6)
    looks = generator.binomial(10, 0.01, size=(2000, 3 * 10))
    aborted = int((looks / 10 > 0.05).any(axis=1).sum())
    assert at_least(aborted, 2000, 0.05) < ALARM


def test_a_faulty_canary_rarely_passes_an_analysis() -> None:
    """The mildest faulty one, one analysis, a stated chance of 5 %."""
    once = plan({"setWeight": 20}, {"analysis": {}}, **QUICK)
    found = outcomes(once, Traffic(200, 0.10, 0.0))
    assert at_least(found.through, found.releases, 0.05) > ALARM, found


def test_a_canary_within_its_limit_but_worse_than_stable_is_caught() -> None:
    """3 % failures where 10 % would be too many, and stable has 0.1 %: found by the comparison."""
    limit = {"name": "success-rate", "successCondition": "result >= 0.95", "failureCondition": "result < 0.9"}
    compared = plan(*STAGES, metrics=[{**limit, "oddsAgainstStable": 10}], interval="250ms")
    found = outcomes(compared, Traffic(400, 0.03, 0.001), releases=1000)
    assert wilson(found.aborted, found.releases)[0] > 0.6


def test_the_workshops_faulty_version_is_always_caught_at_one_percent() -> None:
    """Half of v3's answers fail: that costs a handful of requests, where all at once would cost hundreds."""
    whole = delivery.read("deploy/rollouts/v3.yaml")
    v3 = Traffic(200, 0.5, 0.0)
    found = outcomes(whole, v3)
    assert found.aborted == found.releases
    assert found.met < 7
    at_once = outcomes(whole.changed(steps=[{"setWeight": 100}, {"analysis": {}}]), v3)
    assert at_once.aborted == at_once.releases
    assert at_once.met > 10 * found.met


def test_failures_in_clumps_are_not_covered_by_the_promise() -> None:
    """Both fail alike, 1 %, but five of one version in a row: that is said where the promise is."""
    made = delivery.read("deploy/rollouts/v2.yaml")
    alone, clumps = (outcomes(made, Traffic(400, 0.01, 0.01, clump)) for clump in (1, 5))
    assert blamed(alone) < made.false_abort < wilson(clumps.aborted, clumps.releases)[0]


def test_the_upper_limit_of_a_rate() -> None:
    assert greatest_share(0, 300) == pytest.approx(1 - 0.01 ** (1 / 300), rel=1e-6)
    assert greatest_share(300, 300) == pytest.approx(1.0)
    assert at_least(ceil(300 * 0.1), 300, greatest_share(29, 300)) == pytest.approx(0.99, abs=1e-6)


def test_outages_last_as_long_as_they_should_and_come_as_often() -> None:
    """The time in outages, by a normal bound at five standard errors."""
    minutes, looks = 2000, 240
    at = Outages(2.0, every=20.0).begin(np.random.default_rng(6), minutes)
    seen = np.array([at(0.25 * look, 0.25 * (look + 1)) for look in range(looks)])
    assert seen.min() == 0.0
    assert seen.max() == pytest.approx(1.0)
    shares = seen[80:].mean(axis=0)
    assert abs(shares.mean() - 2 / 22) < 5 * shares.std() / minutes**0.5


def test_a_drift_goes_up_and_comes_back() -> None:
    at = Drift(0.15, period=20.0).begin(np.random.default_rng(6), 1)
    assert [round(float(at(t, t)[0]), 3) for t in (0.0, 5.0, 10.0, 20.0)] == [0.0, 0.075, 0.15, 0.0]
