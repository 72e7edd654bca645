"""Quantiles of durations from buckets, as Prometheus' histogram_quantile estimates them."""

import pandas as pd
import pytest

from kata_lib.mesh.durations import BUCKETS, quantile


def counted(durations: list[float]) -> pd.DataFrame:
    """Return the rows of a sidecar that counted these, in ms."""
    table = pd.DataFrame({end: [float(sum(d <= end for d in durations))] for end in BUCKETS})
    return table.assign(timed=float(len(durations)))


@pytest.mark.parametrize(
    ("durations", "q", "expected"),
    [
        ([3.0] * 100, 0.5, 3.0),  # half of the way from 1 to 5
        ([3.0] * 50 + [40.0] * 50, 0.95, 47.5),  # nine tenths of the way from 25 to 50
        ([0.2] * 10, 0.5, 0.5),
        ([20_000.0], 0.5, 10_000.0),
        ([], 0.5, None),
    ],
)
def test_a_quantile_lies_within_its_bucket(durations: list[float], q: float, expected: float | None) -> None:
    assert quantile(counted(durations), q) == (None if expected is None else pytest.approx(expected))


def test_what_several_sidecars_counted_is_added() -> None:
    assert quantile(pd.concat([counted([3.0] * 50), counted([40.0] * 50)]), 0.95) == pytest.approx(47.5)


def test_without_buckets_there_is_none() -> None:
    assert quantile(pd.DataFrame([{"timed": 5.0}]), 0.5) is None
