"""Confidence sequences, and the standards of proof beside each other: coverage computed and simulated."""

from itertools import islice, pairwise
from math import inf, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.marks import upper_limit
from kata_lib.machine import PROJECT
from kata_lib.statistics import standards
from kata_lib.statistics.confidence_sequence import confidence_sequence, evidence_against
from kata_lib.statistics.shares import wilson

SHARES = [0.01, 0.1, 1 / 3, 0.5]
counts = st.integers(1, 10_000_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(counts)
def test_an_interval_holds_its_share_mirrors_and_ends_where_the_evidence_says(
    observation: tuple[int, int],
) -> None:
    count, n = observation
    low, high = confidence_sequence(count, n)
    assert 0 <= low <= count / n <= high <= 1
    assert confidence_sequence(n - count, n) == pytest.approx((1 - high, 1 - low), abs=1e-12)
    for end, inside in ((low, low + (count / n - low) / 100), (high, high - (high - count / n) / 100)):
        if 0 < end < 1:
            assert evidence_against(end, count, n) == pytest.approx(log(20), abs=1e-4)
            assert evidence_against(inside, count, n) < log(20)


@pytest.mark.parametrize("n", [1, 10, 1000, 10_000_000])
def test_at_the_ends_it_is_open_to_one_side(n: int) -> None:
    low, high = confidence_sequence(0, n)
    assert low == 0.0
    assert 0 < high < 1
    assert confidence_sequence(n, n) == pytest.approx((1 - high, 1.0))
    assert evidence_against(0.0, 1, n) == inf


def test_without_answers_nothing_is_known() -> None:
    assert confidence_sequence(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize(("count", "n", "confidence"), [(-1, 10, 0.95), (11, 10, 0.95), (1, 10, 1.0)])
def test_what_cannot_be_is_refused(count: int, n: int, confidence: float) -> None:
    with pytest.raises(ValueError, match=r"found|not"):
        confidence_sequence(count, n, confidence)


@given(counts)
def test_it_is_wider_than_the_interval_for_one_look(observation: tuple[int, int]) -> None:
    low, high = confidence_sequence(*observation)
    once_low, once_high = wilson(*observation)
    assert high - low > once_high - once_low


@pytest.mark.parametrize("share", SHARES)
def test_watched_for_two_thousand_answers_it_misses_in_less_than_one_of_twenty_exactly(share: float) -> None:
    assert standards.errors_under_watch(confidence_sequence, share, 2000) < 0.05


@pytest.mark.parametrize("share", SHARES)
def test_watched_for_ten_thousand_answers_it_misses_in_less_than_one_of_twenty(share: float) -> None:
    """The upper 99 % limit of the share of 8,000 samples in which it ever does. The seed is fixed."""
    samples, fewest, most = 8000, 0, 0
    generator = np.random.default_rng(20)
    found, missed = np.zeros(samples, dtype=np.int32), np.zeros(samples, dtype=bool)
    for n in range(1, 10_001):
        found += generator.random(samples, dtype=np.float32) < share
        fewest, most = bounds(share, n, fewest, most)
        missed |= (found < fewest) | (found > most)
    assert upper_limit(int(missed.sum()), samples) < 0.05


def bounds(share: float, n: int, fewest: int, most: int) -> tuple[int, int]:
    """Return the fewest and the most of `n` whose interval holds a share, from those of one answer less."""
    while evidence_against(share, fewest, n) > log(20) and fewest < n * share:
        fewest += 1
    return fewest, next(c for c in (most + 1, most) if c <= n and evidence_against(share, c, n) <= log(20))


def test_the_interval_for_one_look_misses_in_half_of_the_samples_that_are_watched() -> None:
    assert standards.errors_under_watch(wilson, 0.1) == pytest.approx(0.495, abs=0.001)
    assert standards.errors_under_watch(confidence_sequence, 0.1) == pytest.approx(0.030, abs=0.001)


def test_exclusions_are_those_of_every_sample_counted_one_by_one() -> None:
    answers, share, true = 9, 0.5, 0.2
    expected = 0.0
    for bits in range(2**answers):
        sample = [bits >> i & 1 for i in range(answers)]
        looks = [confidence_sequence(sum(sample[:n]), n, 0.5) for n in range(1, answers + 1)]
        if any(not low <= share <= high for low, high in looks):
            expected += true ** sum(sample) * (1 - true) ** (answers - sum(sample))
    found = list(
        islice(standards.exclusions(lambda c, n: confidence_sequence(c, n, 0.5), share, true), answers)
    )
    assert found[-1] == pytest.approx(expected)
    assert all(before <= after for before, after in pairwise(found))


def test_the_standards_are_compared_by_what_they_cost() -> None:
    table = standards.compare()
    costs = table["requests to tell 20.0 % from 10.0 %"]
    assert costs.to_dict() == {"95 % interval": 147, "95 % confidence sequence": 279, "check": 1164}


def test_the_page_says_what_is_computed() -> None:
    page = (PROJECT / "docs/evidence.md").read_text()
    table = standards.compare()
    assert f"| | {' | '.join(table.index)} |" in page
    for column, values in table.items():
        assert f"| {column} | {' | '.join(str(value) for value in values)} |" in page
