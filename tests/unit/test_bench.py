"""The benchmark's figures: when a goal is met, percentiles, and the machine's own words."""

import random
import subprocess
import sys
from itertools import chain, repeat
from pathlib import Path

import pytest

from bench import blocks, machine, soak, weights
from bench.results import Figure, percentile
from kata_lib import versions
from kata_lib.machine import PROJECT


@pytest.mark.parametrize(
    ("value", "goal", "direction", "met"),
    [
        (2.0, 2.0, "at most", True),
        (2.1, 2.0, "at most", False),
        (0.5, 0.5, "at least", True),
        (0.4, 0.5, "at least", False),
        (7.0, None, "at most", None),
    ],
)
def test_a_figure_meets_its_goal(value: float, goal: float | None, direction: str, met: bool | None) -> None:
    assert Figure("what", value, "s", goal, direction).met is met  # type: ignore[arg-type]


def test_percentiles_lie_between_the_values() -> None:
    values = [float(number) for number in range(101)]
    assert [percentile(values, p) for p in (1, 50, 95)] == [1, 50, 95]
    assert percentile([3.0], 95) == 3.0


def test_a_slope_is_that_of_most_samples() -> None:
    assert soak.slope([5.0, 5.0, 90.0, 5.0, 5.0, 5.0]) == 0
    assert soak.slope([0.0, 2.0, 4.0, 60.0, 8.0, 10.0]) == 2


def test_what_each_frame_leaves_is_found_in_the_noise() -> None:
    """Eight frames a second; five standard deviations of the slope lie between what is left and the goal."""
    noise, frames = random.Random(1), 8 * soak.SAMPLE_SECONDS
    samples = range(int(soak.FRAMES / frames))
    for left, met in ((0.0, True), (1.0, False)):
        told = [500_000 + left * frames * sample + noise.gauss(0, 300) for sample in samples]
        assert (soak.growth(told) / (frames * len(samples)) <= soak.BLOCKS_GOAL) is met


def test_a_process_tells_the_blocks_that_it_has_in_use(tmp_path: Path) -> None:
    file = tmp_path / "blocks"
    program = f"""
from pathlib import Path
from bench import blocks
file = Path({str(file)!r})
blocks.tell(str(file), 0.01)
while not file.exists() or file.read_text().count(chr(10)) < 2:
    pass
"""
    subprocess.run([sys.executable, "-c", program], cwd=PROJECT, check=True, timeout=60)
    assert file.read_text().count("\n") > 1
    assert 10_000 < blocks.last_told(file) < 100_000_000


def test_the_machine_is_named_with_its_envoy() -> None:
    about = machine.describe()
    assert about["envoy"] == versions.ENVOY
    assert all(about.values())


def test_a_weight_is_in_effect_at_the_first_answer_of_the_new_version(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = chain(repeat("v1", 3), ["v2"])
    clock = (second / 1000 for second in range(100))
    monkeypatch.setattr(weights, "_answered_by", lambda client, way: next(answers))
    monkeypatch.setattr("time.perf_counter", lambda: next(clock))
    assert weights._until(None, "v2", None) == pytest.approx(5.0)  # type: ignore[arg-type]
