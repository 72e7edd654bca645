"""Shares: intervals, verdicts and sample sizes, by their properties and by what the workshop tells."""

import random
from collections.abc import Sequence
from math import comb, isnan

import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kata_lib.statistics.shares import (
    Share,
    at_least,
    at_most,
    false_alarm,
    false_pass,
    judge,
    number,
    observed,
    requests_for,
    requests_needed,
    share_of,
    wilson,
)

THIRD = 1 / 3
counts = st.integers(0, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
share = st.floats(0, 1)


@given(counts, st.floats(0.5, 0.999))
def test_an_interval_holds_its_share_and_mirrors(observation: tuple[int, int], confidence: float) -> None:
    count, n = observation
    low, high = wilson(count, n, confidence)
    assert 0 <= low <= high <= 1
    if n:
        assert low <= count / n <= high
    assert wilson(n - count, n, confidence) == pytest.approx((1 - high, 1 - low), abs=1e-12)


@given(counts)
def test_more_confidence_and_fewer_answers_make_an_interval_wider(observation: tuple[int, int]) -> None:
    def width(interval: tuple[float, float]) -> float:
        return interval[1] - interval[0]

    count, n = observation
    assert width(wilson(count, n, 0.99)) >= width(wilson(count, n, 0.9))
    assert width(wilson(count, n)) >= width(wilson(10 * count, 10 * n)) - 1e-12


def test_the_interval_that_the_workshop_tells() -> None:
    assert wilson(100, 1000) == pytest.approx((0.0829, 0.1202), abs=5e-5)


def test_without_answers_nothing_is_known() -> None:
    nothing = share_of("v2", 0, 0)
    assert isnan(nothing.share)
    assert (nothing.low, nothing.high) == (0, 1)
    assert str(nothing) == "no answers yet"
    assert str(share_of("v2", 100, 1000)) == "10.0 % of 1,000 (8.3 % to 12.0 %)"


@pytest.mark.parametrize(("count", "n"), [(-1, 10), (11, 10)])
def test_impossible_counts_are_refused(count: int, n: int) -> None:
    with pytest.raises(ValueError, match=f"found {count} of {n}"):
        wilson(count, n)


@given(st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), share)
def test_tails_are_those_of_the_binomial_distribution(observation: tuple[int, int], true: float) -> None:
    count, n = observation
    exact = sum(comb(n, k) * true**k * (1 - true) ** (n - k) for k in range(count, n + 1))
    assert at_least(count, n, true) == pytest.approx(exact, rel=1e-9, abs=1e-12)
    assert at_least(count, n, true) + at_most(count - 1, n, true) == pytest.approx(1, abs=1e-9)


def test_a_tail_far_out_keeps_its_precision() -> None:
    assert at_least(50, 50, 0.01) == pytest.approx(1e-100, rel=1e-9)


def probability(verdicts: Sequence[str], verdict: str, true: float) -> float:
    """Return how probable a verdict is: verdicts has one for each count of n answers, each v2 with `true`."""
    n = len(verdicts) - 1
    return sum(comb(n, k) * true**k * (1 - true) ** (n - k) for k in range(n + 1) if verdicts[k] == verdict)


@given(st.integers(1, 400), st.floats(0, 1), st.floats(0, 1), st.sampled_from([1e-6, 1e-3, 0.05]))
def test_false_alarms_are_no_more_frequent_than_alpha(
    n: int, expected: float, otherwise: float, alpha: float
) -> None:
    assume(expected != otherwise)
    verdicts = [judge(count, n, expected, otherwise, alpha) for count in range(n + 1)]
    assert probability(verdicts, "wrong", expected) <= alpha + 1e-9
    assert probability(verdicts, "right", otherwise) <= alpha + 1e-9


def test_false_alarms_in_a_simulation() -> None:
    """2,000 canaries of 300 answers at a level of 1 %: in 99.9 % of such runs at most 36 false alarms."""
    dice = random.Random(10)

    def draws(true: float) -> list[int]:
        return [sum(dice.random() < true for _ in range(300)) for _ in range(2000)]

    assert sum(judge(count, 300, 0.1, THIRD, alpha=0.01) == "wrong" for count in draws(0.1)) <= 36
    assert sum(judge(count, 300, 0.1, THIRD, alpha=0.01) == "right" for count in draws(THIRD)) <= 36


@given(st.integers(1, 300), st.floats(0, 1), st.floats(0, 1), st.sampled_from([1e-6, 1e-3, 0.05]))
def test_the_rates_of_false_verdicts_are_those_of_every_count(
    n: int, expected: float, otherwise: float, alpha: float
) -> None:
    assume(expected != otherwise)
    verdicts = [judge(count, n, expected, otherwise, alpha) for count in range(n + 1)]
    alarms = false_alarm(n, expected, alpha)
    assert alarms == pytest.approx(probability(verdicts, "wrong", expected), rel=1e-6, abs=1e-12)
    passes = false_pass(n, expected, otherwise, alpha)
    assert passes == pytest.approx(probability(verdicts, "right", otherwise), rel=1e-6, abs=1e-12)


QUESTIONS = [
    *[(0.0, THIRD), (THIRD, 0.1), (0.1, THIRD), (0.1, 2 / 3), (0.2, 0.1), (1.0, 0.9)],
    *[(0.05, 0.125), (0.5, 0.01)],
]
"""The shares that the checks expect, and those that they tell them from."""


@pytest.mark.parametrize(("expected", "otherwise"), QUESTIONS)
@pytest.mark.parametrize("times", [0.5, 1, 1.5, 10])
def test_a_check_errs_at_most_once_in_a_million_exactly(
    expected: float, otherwise: float, times: float
) -> None:
    n = round(times * requests_needed(expected, otherwise))
    assert false_alarm(n, expected) <= 1e-6
    assert false_pass(n, expected, otherwise) <= 1e-6


def test_a_check_of_the_canary_errs_about_as_often_as_it_may() -> None:
    assert false_alarm(270, 0.1) == pytest.approx(3.863e-7, rel=1e-3)
    assert false_pass(270, 0.1, THIRD) == pytest.approx(8.898e-7, rel=1e-3)


def test_requests_for_a_version_to_have_its_count_all_but_surely() -> None:
    n = requests_for(44, 0.1)
    assert at_most(43, n, 0.1) <= 1e-6 < at_most(43, n - 1, 0.1)
    assert requests_for(5, 1.0) == 5
    with pytest.raises(ValueError, match="a share above 0"):
        requests_for(1, 0.0)


def test_the_power_that_the_workshop_tells() -> None:
    assert requests_needed(0.1, THIRD) == requests_needed(THIRD, 0.1) == 270
    assert requests_needed(1.0, THIRD) == 13
    assert 1000 < requests_needed(0.1, 0.2) < 1300


@given(st.sampled_from([(0.1, THIRD), (0.5, 0.25), (1.0, THIRD), (0.1, 0.0), (0.9, 0.7)]), st.integers(0, 50))
def test_from_the_needed_number_on_every_count_is_decided(shares: tuple[float, float], more: int) -> None:
    n = requests_needed(*shares)
    assert all(judge(count, n + more, *shares) != "not enough yet" for count in range(n + more + 1))
    assert any(judge(count, n - 1, *shares) == "not enough yet" for count in range(n))


@pytest.mark.parametrize(
    ("count", "n", "verdict"),
    [
        (0, 0, "not enough yet"),
        (1, 10, "not enough yet"),
        (3, 10, "not enough yet"),
        (30, 300, "right"),
        (100, 300, "wrong"),
        (0, 300, "wrong"),
    ],
)
def test_verdicts_on_a_canary(count: int, n: int, verdict: str) -> None:
    assert judge(count, n, 0.1, THIRD) == verdict


def test_one_old_answer_disproves_a_promotion() -> None:
    assert judge(300, 300, 1.0, THIRD) == "right"
    assert judge(299, 300, 1.0, THIRD) == "wrong"


def test_the_same_share_twice_is_refused() -> None:
    with pytest.raises(ValueError, match=r"two different shares"):
        judge(1, 10, 0.5, 0.5)


def test_failures_do_not_count_as_answers() -> None:
    frame = pd.DataFrame({"version": ["v1", "v2", None, "v1", None]})
    assert observed(frame) == Share("v2", 1, 3, 1 / 3, *wilson(1, 3))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (33, "33"),
        (100 / 3, "33.3"),
        (12.4625, "12.5"),
        (0.05, "0.05"),
        (1164, "1,164"),
        (0, "0"),
        (-2.5, "-2.5"),
    ],
)
def test_a_number_for_people_has_the_digits_that_count(value: float, text: str) -> None:
    assert number(value) == text
