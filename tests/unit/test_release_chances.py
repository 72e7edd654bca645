"""kata_lib.delivery.chances: what a plan comes to for a traffic, as a table."""

import pytest
from click.testing import CliRunner

from kata_lib import cli, delivery
from kata_lib.delivery import chances

PLAN = "deploy/rollouts/v2.yaml"


def test_a_plan_is_shown_with_what_its_promise_covers_and_what_not() -> None:
    """The bounds lie five standard errors and more from the rates; the seed is fixed."""
    found = chances.table(delivery.read(PLAN), rate=400, canaries=(0.0, 0.05, 0.5), releases=1000)
    assert found.index.to_list() == [
        "fails 0.0 %, stable 0.1 %",
        "fails 5.0 %, stable 0.1 %",
        "fails 50.0 %, stable 0.1 %",
        "fails 1.0 %, as stable does",
        "fails 5.0 %, as stable does",
        "as stable, both out for 2 s now and then",
        "the same 1.0 % in clumps of 3",
        "the same 1.0 % in clumps of 5",
    ]
    through, aborted = (found[name].str.rstrip(" %").astype(float) for name in ("goes through", "is aborted"))
    assert (through.iloc[0], aborted.iloc[2]) == (100.0, 100.0)
    assert 15 < through.iloc[1] < 40  # the grey zone
    assert aborted.iloc[3:6].max() < 1 < aborted.iloc[7]


def test_the_command_takes_a_traffic_of_ones_own() -> None:
    done = CliRunner().invoke(
        cli.app, ["release", "plan", PLAN, "--rate", "20", "--stable", "0.02", "--canary", "0.3"]
    )
    assert done.exit_code == 0, done.output
    assert "A canary that is no worse than name-v1 is aborted with a chance of at most 1 %" in done.output
    assert "2,000 simulated releases of each kind, 20 requests/s:" in done.output
    assert "fails 30.0 %, stable 2.0 %" in done.output
    assert "fails 50.0 %" not in done.output


@pytest.mark.parametrize(("option", "value"), [("--rate", "0"), ("--stable", "1.5"), ("--canary", "-1")])
def test_a_traffic_that_cannot_be_is_refused(option: str, value: str) -> None:
    done = CliRunner().invoke(cli.app, ["release", "plan", PLAN, option, value])
    assert done.exit_code == 2
    assert f"Invalid value for '{option}'" in done.output
