"""Whether a change is seen: what evidence is worth, and how often it misleads, by simulated labs.

A test's own false alarm: a rate that is at most what is stated gives a count above the bound used here with a
probability of at most one in a million, by the exact binomial tail. The seeds are fixed.
"""

from collections.abc import Iterable
from itertools import islice, product
from math import exp, inf, log

import numpy as np
import pytest

from bench.marks import HALF, Case, drawn, upper_limit, watch, weigh
from kata_lib.statistics.change import (
    ENOUGH,
    PROMISED,
    ChangeTest,
    Outcome,
    Steady,
    greatest_likelihood,
    likeliest,
)
from kata_lib.statistics.shares import at_least

LABS = 2000
REQUESTS = 300
ALARM = 1e-6


def steady(v2: float, outcomes: Iterable[Outcome] = ()) -> Steady:
    found = Steady({"v1": 1 - v2, "v2": v2})
    for outcome in outcomes:
        found.add(outcome)
    return found


def change_to(before: Steady, v2: float, *others: float) -> ChangeTest:
    """Return the test of a change to v2's share `v2`; others: shares from before that may be in force."""
    old = [*({"v1": 1 - other, "v2": other} for other in others), before.asked]
    return ChangeTest(old, {"v1": 1 - v2, "v2": v2}, before)


def until_seen(test: ChangeTest, outcomes: Iterable[Outcome]) -> int:
    """Return how many outcomes it took; 0 where they were not enough."""
    for number, outcome in enumerate(outcomes, 1):
        test.add(outcome)
        if test.evidence >= ENOUGH:
            return number
    return 0


@pytest.mark.parametrize(("old", "new"), [(0.1, 0.2), (0.1, 0.5), (0.5, 1.0), (0.0, 0.1)])
def test_the_evidence_is_at_most_one_on_average_where_nothing_changed(old: float, new: float) -> None:
    """Exactly, over every way in which six requests can go, failures of either version among them."""
    for fails in ((0.0, 0.0), (0.0, 0.5), (0.3, 0.1)):
        chance: dict[Outcome, float] = {"v1": (1 - old) * (1 - fails[0]), "v2": old * (1 - fails[1])}
        chances = {**chance, None: 1 - sum(chance.values())}
        mean = 0.0
        for outcomes in product([o for o, p in chances.items() if p > 1e-12], repeat=6):
            test = change_to(steady(old, outcomes[:2]), new)
            for outcome in outcomes[2:]:
                test.add(outcome)
            mean += float(np.prod([chances[o] for o in outcomes])) * exp(test.evidence)
        assert mean <= 1 + 1e-9


@pytest.mark.parametrize(
    "case",
    [
        *(Case(old, new) for old, new in ((0.1, 0.2), (0.1, 0.33), (0.1, 0.5), (0.5, 1.0))),
        Case(0.1, 0.2, HALF, before=100),
        Case(0.1, 0.2, (0.5, 0.0)),
        Case(0.1, 0.2, before=300, ignored=1 / 3),
        Case(0.1, 0.5, before=500, outages=True),
        Case(0.1, 0.5, outages=True),
        Case(0.1, 0.33, before=100, outages=True),
    ],
    ids=str,
)
def test_where_nothing_changed_at_most_one_change_in_a_thousand_is_seen(case: Case) -> None:
    marks = watch(case, LABS, case.unchanged, REQUESTS, np.random.default_rng(1)).at > 0
    assert at_least(int(marks.sum()), LABS, PROMISED) > ALARM


def test_the_simulation_sees_a_rule_that_is_not_sound() -> None:
    """A sum of log likelihood ratios that is not let below zero, at a thousand to one."""
    dice = np.random.default_rng(1).random((10 * REQUESTS, LABS))
    total, seen = np.zeros(LABS), np.zeros(LABS, dtype=bool)
    for throw in dice:
        total = np.maximum(0.0, total + np.where(throw < 0.1, log(2), log(8 / 9)))
        seen |= total >= log(1000)
    assert at_least(int(seen.sum()), LABS, PROMISED) < ALARM


@pytest.mark.parametrize(
    ("case", "v2"),
    [
        (Case(0.1, 0.2), 0.2),
        (Case(0.1, 0.2, HALF, 300), 0.1),
        (Case(0.1, 0.5, before=200, ignored=1 / 3), 1 / 3),
        (Case(0.0, 0.1, HALF, 50), 0.1),
        (Case(1.0, 0.5, before=5), 0.5),
        (Case(0.5, 1.0, HALF, 100), 1.0),
    ],
    ids=str,
)
def test_the_simulation_weighs_as_the_lab_does(case: Case, v2: float) -> None:
    generator = np.random.default_rng(3)
    simulated = [weighed.evidence[0] for weighed in islice(weigh(case, 1, v2, generator), 150)]
    dice = np.random.default_rng(3)

    def throw(share: float) -> Outcome:
        outcomes: list[Outcome] = ["v1", "v2", None]
        return outcomes[int(drawn(share, case.fails, dice.random(1)).argmax())]

    test = change_to(steady(case.old, [throw(case.unchanged) for _ in range(case.before)]), case.new)
    for found in simulated:
        test.add(throw(v2))
        assert test.evidence == pytest.approx(found, abs=1e-7)


@pytest.mark.parametrize(
    ("case", "usual", "at_most"),
    [
        (Case(0.1, 0.2, before=500), (140, 200), 600),
        (Case(0.1, 0.5, before=500), (12, 20), 60),
        (Case(0.5, 1.0, before=500), (12, 14), 16),
        (Case(0.1, 0.33, HALF, before=1000), (60, 110), 400),
        (Case(0.5, 1.0, HALF, before=1000), (22, 32), 45),
    ],
    ids=str,
)
def test_a_real_change_is_seen_even_where_the_new_version_fails_half(
    case: Case, usual: tuple[int, int], at_most: int
) -> None:
    marked = watch(case, 200, case.new, at_most, np.random.default_rng(2)).at
    assert usual[0] <= float(np.median(marked)) <= usual[1]
    assert (marked > 0).mean() > 0.97


def test_answers_on_the_old_route_do_not_destroy_the_evidence() -> None:
    """Each is impossible on the new route, where v2 has all."""
    took = until_seen(change_to(steady(0.5), 1.0), ["v1"] * 40 + ["v2"] * 40)
    assert 40 < took <= 40 + 22


def test_failures_alone_are_no_evidence() -> None:
    assert until_seen(change_to(steady(0.1), 0.5), [None] * 500) == 0
    assert until_seen(change_to(steady(0.1, (["v1"] * 9 + ["v2"]) * 20), 0.5), [None] * 500) == 0


def test_an_answer_that_was_impossible_is_enough() -> None:
    assert until_seen(change_to(steady(0.0), 0.1), ["v1", "v1", "v2"]) == 3
    assert until_seen(change_to(steady(1.0), 0.0), ["v1"]) == 1
    assert change_to(steady(0.5), 1.0).evidence == 0.0
    assert until_seen(change_to(steady(0.5), 1.0), ["v2"] * 8) == 0


def test_it_is_not_where_shares_of_before_may_still_be_in_force() -> None:
    """10 % after 0 % after 20 %, of which nothing was seen yet."""
    assert until_seen(change_to(steady(0.0), 0.1, 0.2), ["v1", "v1", "v2"]) == 0


def test_where_the_asked_shares_were_never_in_force_what_was_seen_counts() -> None:
    """A third, as plain Kubernetes gives it, before and after: nothing changed, whatever was asked for."""
    third = ["v1", "v2", "v1"]
    before = steady(0.1, third * 100)
    assert before.contradicts
    assert until_seen(change_to(before, 0.33), third * 300) == 0
    assert until_seen(change_to(before, 1.0), ["v2"] * 30) > 2
    assert not steady(0.1, (["v1"] * 9 + ["v2"]) * 100).contradicts


def test_a_version_outside_the_route_is_no_evidence_for_it() -> None:
    test = change_to(steady(0.1), 0.2)
    for _ in range(50):
        test.add("v9")
    assert test.evidence < 0


def test_the_likeliest_fractions_keep_to_the_limits() -> None:
    limits = {"v1": 0.9, "v2": 0.1}
    assert likeliest({"v1": 80, "v2": 20}, limits) == pytest.approx({"v1": 0.9, "v2": 0.1})
    assert likeliest({"v1": 80, "v2": 5, None: 15}, limits) == pytest.approx(
        {"v1": 0.8, "v2": 0.05, None: 0.15}
    )
    assert likeliest({"v1": 50, "v2": 50, None: 50}, limits) == pytest.approx(
        {"v1": 0.45, "v2": 0.1, None: 0.45}
    )
    assert greatest_likelihood({"v2": 1}, {"v1": 1.0, "v2": 0.0}) == -inf
    assert greatest_likelihood({}, limits) == 0.0


def test_the_upper_limit_of_a_rate_is_exact() -> None:
    """None of 299 proves a rate below 1.5 % with 99 % confidence: 0.985 to the 299th is 1.1 %."""
    assert upper_limit(0, 299) == pytest.approx(1 - 0.01 ** (1 / 299))
    assert 4 / 20_000 < upper_limit(4, 20_000) < PROMISED
