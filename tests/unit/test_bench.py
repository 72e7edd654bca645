"""The benchmark's figures: when a goal is met, percentiles, and the machine's own words."""

import json
import random
import subprocess
import sys
from collections.abc import Iterator
from itertools import chain, repeat
from pathlib import Path

import pytest

from bench import blocks, board, by_hand, classroom, comparison, costs, machine, soak, weights
from bench.board.simulated import Noted
from bench.comparison import Compared
from bench.costs import Cost, Room
from bench.results import Figure, percentile
from bench.rows import Rows
from kata_lib import versions
from kata_lib.errors import EngineError, KataError
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
    assert soak.slope([*range(20), *range(100, 120)]) == 1


def test_what_each_frame_leaves_is_found_in_the_noise() -> None:
    """Eight frames a second; five standard deviations of the slope lie between what is left and the goal."""
    noise, frames = random.Random(1), 8 * soak.SAMPLE_SECONDS
    samples = range(int(soak.FRAMES / frames))
    for left, met in ((0.0, True), (1.0, False)):
        told = [500_000 + left * frames * sample + noise.gauss(0, 300) for sample in samples]
        assert (soak.growth(told) / (frames * len(samples)) <= soak.BLOCKS_GOAL) is met


def test_the_interval_of_a_slope_misses_it_as_seldom_as_it_says() -> None:
    """Of 400 series one in a hundred may: 13 or more have a probability of a thousandth (binomial)."""
    noise = random.Random(2)
    missed = 0
    for _ in range(400):
        low, high = board.slopes([0.5 * sample + noise.gauss(0, 3) for sample in range(30)], 0.99)
        missed += not low <= 0.5 <= high
    assert missed < 13


@pytest.mark.parametrize(("left", "met"), [(0.0, True), (0.1, False)])
def test_memory_that_grows_is_told_from_noise(left: float, met: bool) -> None:
    """Ten minutes, a sample each five seconds; 0.1 MB a sample are 12 MB."""
    noise = random.Random(3)
    samples = [100 + left * sample + noise.gauss(0, 0.5) for sample in range(112)]
    noted = Noted(seen={"board": [0.1], "own": [0.1]}, told=1, memory=samples)
    (limit,) = [f for f in board.figures(noted, 300, 10) if f.what == "board: growth, upper limit"]
    assert limit.met is met


def test_a_check_that_never_showed_and_a_stream_that_broke_are_no_success() -> None:
    noted = Noted(seen={"board": [0.1], "own": []}, told=2, failed=1, broke=1)
    missed = {figure.what for figure in board.figures(noted, 300, 10) if figure.met is False}
    assert missed == {"board: checks that never showed", "board: streams that broke"}


@pytest.mark.parametrize(
    ("room", "learners"), [(Room(8, 60_000), 32), (Room(1000, 10_000), 10), (Room(0.1, 500), 0)]
)
def test_a_machine_holds_what_its_scarcest_resource_does(room: Room, learners: int) -> None:
    assert room.holds(Cost(0.2, 800)) == learners


def test_a_machine_too_small_for_a_class_has_a_table_that_says_so() -> None:
    fits, cores, memory = classroom.fit(30, 2, Room(2, 4_000), Cost(0.1, 500))
    assert (fits.value, fits.met) == (6, False)
    assert fits.how == "2 cores and 4.0 GB free, to 80%; computed from 2 that ran"
    assert (cores.value, memory.value) == pytest.approx((30 * 0.1 / 0.8, 30 * 0.5 / 0.8))
    assert all(figure.how.endswith("computed from 2 that ran") for figure in (cores, memory))


def test_what_a_process_costs_is_its_time_and_its_memory() -> None:
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as busy:
        found = costs.cost(lambda: [busy.pid], 0.5)
        busy.kill()
    assert 0 < found.processor < 1.5
    assert found.memory > 1
    assert costs.cost(lambda: [busy.pid], 0) == Cost(0, 0)


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


def failing() -> Iterator[Figure]:
    yield Figure("first", 1.0, "s", 2.0)
    raise EngineError("no Envoy")


def test_a_group_that_fails_loses_its_own_rows_only(tmp_path: Path) -> None:
    rows = Rows({"cores": "2"}, tmp_path / "figures.json")
    rows.take("breaks", failing)
    assert comparison.read(tmp_path / "figures.json") == {"first": [1.0]}  # while the rest still runs
    rows.take("whole", lambda: [Figure("second", 3.0, "s")])
    assert comparison.read(tmp_path / "figures.json") == {"first": [1.0], "second": [3.0]}
    assert json.loads((tmp_path / "figures.json").read_text())["lost"] == {"breaks": "EngineError: no Envoy"}
    assert not rows.good


@pytest.mark.parametrize(
    ("before", "now", "verdict"),
    [
        ([1.0, 1.1, 1.2], [1.15, 1.3, 1.4], "within the spread"),
        ([1.0, 1.1, 1.2], [1.3, 1.4, 1.5], "changed, by chance 0.1"),
        ([1.0] * 5, [0.5] * 5, "changed, by chance 0.008"),
        ([1.0], [9.0], "one run each"),
    ],
)
def test_a_change_is_more_than_what_runs_differ(before: list[float], now: list[float], verdict: str) -> None:
    assert Compared("what", before, now).verdict == verdict


def test_spreads_of_one_program_part_as_seldom_as_it_says() -> None:
    """Of 4,000 pairs of three runs a tenth: 334 to 466 is within 3.5 standard deviations (binomial)."""
    noise = random.Random(4)

    def runs() -> list[float]:
        return [noise.gauss(1, 0.1) for _ in range(3)]

    apart = sum(Compared("what", runs(), runs()).verdict.startswith("changed") for _ in range(4000))
    assert 334 <= apart <= 466


def test_figures_are_compared_by_what_they_measure(tmp_path: Path) -> None:
    before, now = comparison.values([("a", 2.0), ("b", 1.0)]), comparison.values([("a", 3.0), ("c", 1.0)])
    (one,) = comparison.compare(before, now)
    assert (one.what, one.change) == ("a", 0.5)
    (tmp_path / "other.json").write_text("[]")
    with pytest.raises(KataError, match="expected figures as --json writes them"):
        comparison.read(tmp_path / "other.json")


def test_a_finished_configuration_asks_nobody() -> None:
    dump = json.loads((PROJECT / "tests/reference/envoy/config_dump.json").read_text())
    made = by_hand.finished({"node": {"id": "mine"}, "dynamic_resources": {"lds_config": {}}}, dump)
    text = json.dumps(made)
    assert made["node"] == {"id": "mine"}
    assert '"rds"' not in text
    assert '"EDS"' not in text
    assert "dynamic_resources" not in text
    assert text.count('"route_config"') >= 1
    by_name = {cluster["name"]: cluster for cluster in made["static_resources"]["clusters"]}
    v2 = by_name["outbound|5000|name-v2|name.default.svc.cluster.local"]
    assert v2["load_assignment"]["endpoints"][0]["lb_endpoints"]
