"""kata_lib.delivery.other_rules: how releases end under other rules, against exact sums."""

import pytest

from kata_lib import delivery
from kata_lib.delivery import other_rules
from kata_lib.delivery.other_rules import KINDS, RULES, Rule, by_plan, by_rule, scheduled
from kata_lib.delivery.simulation import Traffic
from kata_lib.machine import PROJECT
from kata_lib.statistics.shares import at_least

PLAN = delivery.read("deploy/rollouts/v2.yaml")

ALARM_ERRORS = 5
"""Standard errors: a false alarm of a test in a million."""


@pytest.mark.parametrize("fewest", [1, 10_000])
def test_one_measurement_fails_as_often_as_the_binomial_says(fewest: int) -> None:
    """More than 5 % are bad of 750 requests in 15 s; nothing is judged where more are asked for."""
    once = Rule("", "", 0.95, 60, 15, whole=True, steps=(1,), fewest=fewest)
    found = by_rule(once, Traffic(50, 0.04, 0.04), releases=4000)
    exact = at_least(38, 750, 0.04) if fewest == 1 else 0.0
    error = (exact * (1 - exact) / 4000) ** 0.5
    # The number of requests varies, which moves the chance by less than a hundredth.
    assert abs(found.aborted - exact) <= ALARM_ERRORS * error + (0.01 if exact else 0.0)
    assert found.through == pytest.approx(1 - found.aborted)


def test_a_rule_that_halts_keeps_the_weight_until_it_aborts() -> None:
    """Half of the requests fail in every measurement of a minute: the fifth is one too many."""
    flagger = next(rule for rule in RULES if rule.halts)
    found = by_rule(flagger, KINDS["50 %"], releases=200)
    assert (found.aborted, found.through) == (1.0, 0.0)
    assert found.hurt == pytest.approx(5 * 60 * 50 * 0.1 * 0.5, rel=0.02)


def test_ours_goes_by_the_same_schedule_and_keeps_its_promise_where_others_have_none() -> None:
    found = by_plan(scheduled(PLAN), KINDS["both 4 %"], releases=1000)
    plain = next(rule for rule in RULES if not rule.source and rule.every == 10)
    assert at_least(round(found.aborted * 1000), 1000, scheduled(PLAN).false_abort) > 1e-6
    assert by_rule(plain, KINDS["both 4 %"], releases=1000).aborted > 0.9


def test_each_project_is_quoted_with_its_source() -> None:
    for rule in RULES:
        assert rule.source.startswith("https://") == rule.name.startswith(("Argo", "Flagger"))


def test_the_table_has_a_row_a_rule_and_ours() -> None:
    table = other_rules.table(PLAN, releases=50)
    assert len(table) == len(RULES) + 1
    assert list(table.columns) == [
        "aborted: both 0.1 %",
        "aborted: both 4 %",
        "aborted: both out 10 s",
        "held: both out 10 s",
        "through: 5 %",
        "through: 10 %",
        "through: 50 %",
        "users hurt",
    ]


def test_the_documents_table_is_what_the_command_makes() -> None:
    shown = (PROJECT / "docs" / "argo-rollouts.md").read_text()
    assert other_rules.markdown(PLAN) in shown, "python -m kata_lib.delivery.other_rules"
