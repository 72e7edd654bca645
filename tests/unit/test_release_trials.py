"""Releases again and again: how their ends are counted, saved, pooled and shown."""

from pathlib import Path

import pandas as pd
import pytest

from kata_lib import delivery
from kata_lib.delivery import prices, trials
from kata_lib.errors import ReleaseError
from kata_lib.pictures import endings

PLAN = delivery.read("deploy/rollouts/v3-hurried.yaml")
ENDS = ["stopped at 10 %", "stopped at 50 %", "stopped at 100 %", "held", "through"]


def releases(*ended: str) -> pd.DataFrame:
    return pd.DataFrame([(end, 3, 1.5) for end in ended], columns=trials.COLUMNS)


def test_a_plan_says_how_its_releases_may_end() -> None:
    assert trials.endings(PLAN) == ENDS
    assert trials.endings(PLAN.changed(steps=[{"analysis": {}}]))[0] == "stopped at 100 %"


def test_the_shares_of_simulated_ends_add_up() -> None:
    shares = trials.simulated(PLAN, prices.of(PLAN, "fails 5 %", releases=200))
    assert [*shares] == ENDS
    assert sum(shares.values()) == pytest.approx(1.0)


def test_what_several_have_saved_is_pooled(tmp_path: Path) -> None:
    trials.save(releases("through"), tmp_path / "my-releases.csv")
    trials.save(releases("held", "through"), tmp_path / "releases-of-ann.csv")
    pooled = trials.pool(tmp_path)
    assert sorted(pooled["ended"]) == ["held", "through", "through"]
    assert (trials.through(pooled).count, trials.through(pooled).n) == (2, 3)


def test_what_is_no_file_of_releases_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match=r"no file such as my-releases\.csv"):
        trials.pool(tmp_path)
    (tmp_path / "releases.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ReleaseError, match=r"columns ended, failed, seconds in .*, found a, b"):
        trials.pool(tmp_path)


def test_the_picture_says_what_is_real_and_what_is_simulated() -> None:
    shown = endings.draw(
        releases("through", "stopped at 10 %"), PLAN, prices.of(PLAN, "fails 5 %", releases=200)
    )
    assert "through: v3 50.0 % of 2" in shown.alt
    assert "simulated, 200 releases" in shown.alt
    assert {trace.name for trace in shown.figure.data} == {
        "v3, observed, with 95 % interval",
        "simulated, 200 releases",
    }
