"""Canaries that are a little ill, simulated: what they have, and what plans make of them."""

import numpy as np
import pytest

from kata_lib import delivery
from kata_lib.delivery import prices
from kata_lib.delivery.illnesses import Crowded, Late
from kata_lib.delivery.plan import Plan

HURRIED, CAREFUL = (delivery.read(f"deploy/rollouts/v3-{how}.yaml") for how in ("hurried", "careful"))
EACH, SLOW = 0.01, 0.25


def test_what_turns_bad_late_is_well_before() -> None:
    asked, none = Late(0.5, 6.0).begin(2), np.zeros(2, dtype=int)
    assert asked(5.0, 6.0, none).tolist() == [0.0, 0.0]
    assert asked(5.5, 6.5, none).tolist() == [0.25, 0.25]
    assert asked(9.0, 10.0, none).tolist() == [0.5, 0.5]


def slow_in_a_queue(rate: float, seconds: float, seed: int = 7) -> float:
    """Return which share of requests waits too long in a real queue, of arrivals at random moments."""
    generator, now, free, waits = np.random.default_rng(seed), 0.0, 0.0, []
    while now < seconds:
        now += generator.exponential(1 / rate)
        waits.append(max(0.0, free - now))
        free = max(free, now) + EACH
    return float((np.array(waits) > SLOW).mean())


@pytest.mark.parametrize("rate", [40.0, 80.0, 120.0, 200.0])
def test_a_queue_without_chance_is_as_slow_as_one_with_it(rate: float) -> None:
    """Over five seconds, to a tenth of the requests: the mean of a hundred queues is sure to hundredths."""
    looks, releases, generator = 20, 100, np.random.default_rng(7)
    asked = Crowded(EACH, SLOW).begin(releases)
    shares = [asked(k / 4, (k + 1) / 4, generator.poisson(rate / 4, releases)) for k in range(looks)]
    by_chance = np.mean([slow_in_a_queue(rate, looks / 4, seed) for seed in range(releases)])
    assert np.mean(shares) == pytest.approx(by_chance, abs=0.1)


@pytest.mark.parametrize(
    ("plan", "kind", "least", "most"),
    [
        (HURRIED, "healthy, fails 0.1 %", 0.99, 1.0),
        (HURRIED, "fails 5 %", 0.47, 0.55),
        (HURRIED, "fails for 1 user in 100", 0.97, 1.0),
        (HURRIED, "turns bad after 6 s", 0.97, 1.0),
        (HURRIED, "slow above 100 requests/s", 0.0, 0.01),
        (CAREFUL, "healthy, fails 0.1 %", 0.99, 1.0),
        (CAREFUL, "fails 5 %", 0.0, 0.01),
        (CAREFUL, "turns bad after 6 s", 0.0, 0.01),
        (CAREFUL, "slow above 100 requests/s", 0.0, 0.01),
    ],
)
def test_what_a_plan_lets_through(plan: Plan, kind: str, least: float, most: float) -> None:
    """At a fixed seed; the bounds are four standard errors of two thousand releases wide or more."""
    found = prices.of(plan, kind)
    assert least <= found.through / found.releases <= most


def test_who_is_slow_under_load_is_stopped_where_the_load_comes() -> None:
    found = prices.of(HURRIED, "slow above 100 requests/s")
    assert found.stopped[50] > 0.9 * found.releases
    assert 10 not in found.stopped


def test_where_releases_were_stopped_adds_up() -> None:
    found = prices.of(HURRIED, "fails 5 %")
    assert sum(found.stopped.values()) == found.aborted
    assert found.stopped.keys() <= {10, 50, 100}


def test_the_table_has_a_row_a_kind_and_says_what_no_plan_looks_at() -> None:
    found = prices.table({"hurried": HURRIED, "strictest": prices.strictest(CAREFUL)}, releases=50)
    assert [*found.index] == [*prices.KINDS]
    assert found.loc["slow above 100 requests/s", "strictest"] == "not looked at"
    assert " failed, " in str(found.loc["fails 5 %", "hurried"])
