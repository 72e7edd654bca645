"""kata_lib.statistics.sequential: the bounds hold exactly, computed, not sampled."""

from itertools import pairwise
from math import comb, exp, log

import pytest

from kata_lib.statistics.sequential import Counted, Evidence, Limit, against, split

LIMITS = [Limit(0.01, 0.1, 0.01), Limit(0.05, 0.3, 0.02), Limit(0.001, 0.01, 0.1)]


def chance_kept(limit: Limit, share: float, requests: int) -> float:
    """Return the probability that the limit is called kept within that many requests, a look at each of them.

    Exactly: each number of bad ones that is still undecided carries its probability on.
    """
    open_ones, kept = {0: 1.0}, 0.0
    for n in range(1, requests + 1):
        after: dict[int, float] = {}
        for bad, weight in open_ones.items():
            after[bad] = after.get(bad, 0.0) + weight * (1 - share)
            after[bad + 1] = after.get(bad + 1, 0.0) + weight * share
        decided = {bad for bad in after if limit.is_kept(Counted(bad, n))}
        kept += sum(after[bad] for bad in decided)
        open_ones = {bad: weight for bad, weight in after.items() if bad not in decided and weight > 1e-15}
    return kept


@pytest.mark.parametrize("limit", LIMITS)
def test_a_faulty_version_rarely_keeps_the_limit_and_a_healthy_one_does(
    limit: Limit,
) -> None:
    assert chance_kept(limit, limit.faulty, 2000) <= limit.missed
    assert chance_kept(limit, min(1.0, 2 * limit.faulty), 2000) <= limit.missed
    assert chance_kept(limit, limit.healthy, 2000) >= 1 - 1e-3
    assert chance_kept(limit, 0.0, limit.fewest) == 1.0


@pytest.mark.parametrize("limit", LIMITS)
def test_the_count_that_would_change_a_verdict(limit: Limit) -> None:
    for n in (1, 5, 30, 100, 1000):
        kept = [limit.is_kept(Counted(bad, n)) for bad in range(n + 1)]
        assert kept == [bad <= limit.kept_to(n) for bad in range(n + 1)]


@pytest.mark.parametrize("limit", LIMITS)
def test_no_limit_is_kept_on_fewer_requests_than_needed(limit: Limit) -> None:
    assert limit.is_kept(Counted(0, limit.fewest))
    assert not limit.is_kept(Counted(0, limit.fewest - 1))
    assert not limit.is_kept(Counted())


@pytest.mark.parametrize(("stable", "canary", "bad"), [(90, 10, 7), (5, 5, 5), (1000, 3, 2), (4, 40, 30)])
def test_the_ratio_against_stable_is_one_on_average_where_both_are_alike(
    stable: int, canary: int, bad: int
) -> None:
    """Whatever the share of bad requests: it is a martingale, which is what its bound rests on."""
    possible = range(max(0, bad - stable), min(bad, canary) + 1)
    total = comb(stable + canary, bad)
    mean = sum(
        comb(canary, x)
        * comb(stable, bad - x)
        / total
        * exp(against(Counted(bad - x, stable), Counted(x, canary), 3.0))
        for x in possible
    )
    assert mean == pytest.approx(1.0, abs=1e-9)


def test_evidence_against_the_canary_rises_with_its_failures_and_falls_with_stables() -> None:
    found = [against(Counted(6 - x, 90), Counted(x, 10), 5.0) for x in range(7)]
    assert all(less < more for less, more in pairwise(found))
    assert found[0] < 0 < found[6] <= 6 * log(5)


@pytest.mark.parametrize(
    ("stable", "canary"),
    [
        (Counted(0, 90), Counted(0, 10)),
        (Counted(90, 90), Counted(10, 10)),
        (Counted(), Counted(5, 10)),
        (Counted(5, 90), Counted()),
    ],
)
def test_where_nothing_can_be_compared_there_is_no_evidence(stable: Counted, canary: Counted) -> None:
    assert against(stable, canary, 5.0) == 0.0


@pytest.mark.parametrize(("odds", "share"), [(10.0, 0.01), (33.0, 0.1), (3.0, 0.5), (8.0, 0.99)])
def test_the_split_of_the_failures_is_a_martingale_where_both_are_alike(odds: float, share: float) -> None:
    """Of a single bad request: it is the canary's with the chance `share`."""
    canary = exp(split(Counted(), Counted(1, 1), odds, share))
    stable = exp(split(Counted(1, 1), Counted(), odds, share))
    assert share * canary + (1 - share) * stable == pytest.approx(1.0, abs=1e-12)
    # And were the odds as high as held against it, the evidence would grow.
    there = share * odds / (1 + share * (odds - 1))
    assert there * log(canary) + (1 - there) * log(stable) > 0


def test_with_everyone_on_the_canary_its_failures_prove_nothing() -> None:
    assert split(Counted(), Counted(90, 100), 10.0, 1.0) == pytest.approx(0.0, abs=1e-12)


def test_a_test_that_came_to_nothing_begins_a_new_round_with_less_to_be_wrong_with() -> None:
    found = Evidence()
    for round_ in (1, 2, 3):
        assert found == Evidence(0.0, round_)
        assert found.needed(0.01) == pytest.approx(log(round_ * (round_ + 1) / 0.01))
        found = found.add(-3.0, floor=-5.0).add(-3.0, floor=-5.0)
    assert sum(1 / (k * (k + 1)) for k in range(1, 100_000)) < 1  # what all rounds may be wrong with
    assert found.add(9.0, floor=-5.0).proves(0.01)
    assert not found.add(7.0, floor=-5.0).proves(0.01)


@pytest.mark.parametrize("limit", LIMITS)
def test_the_odds_of_a_limit(limit: Limit) -> None:
    assert limit.odds == pytest.approx(
        limit.faulty / (1 - limit.faulty) / (limit.healthy / (1 - limit.healthy))
    )
