"""Five kills at random moments, and a short sleep: scripts/bench --full --only storm has a hundred."""

from bench import storm


def test_a_storm_of_kills_loses_nothing_and_leaves_nothing() -> None:
    figures = list(storm.measure("storm", storm.QUICK, print))
    assert [figure for figure in figures if figure.met is False] == []
