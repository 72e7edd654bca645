"""kata_lib.course.exam: seeds draw the same tasks, none of which tells its answer; each fault is one."""

from pathlib import Path

import pytest
from api_server import Api
from hypothesis import given
from hypothesis import strategies as st

from kata_lib.cluster.replacing import replace
from kata_lib.course.exam import judging, sitting, tasks
from kata_lib.course.exam.faults import FAULTS
from kata_lib.course.exam.scenario import THEMES, Scenario
from kata_lib.course.exam.sitting import Sitting
from kata_lib.course.exam.tasks import Task
from kata_lib.errors import KataError
from kata_lib.statistics import shares

SEEDS = st.integers(0, sitting.LARGEST_SEED)
RULE, FAULT, DECISION = range(3)
SCENARIO = Scenario(THEMES[0], ("v7", "v8"), (2, 1))
WEIGHTS = {"v7": 90, "v8": 10}
WANTED = {"v7": 0.9, "v8": 0.1}


@pytest.fixture(scope="module")
def many() -> list[tuple[Task, ...]]:
    """The tasks of many seeds."""
    return [tasks.draw(seed) for seed in range(200)]


@given(SEEDS)
def test_a_seed_draws_the_same_tasks_each_time(seed: int) -> None:
    before = tasks.draw(seed)
    before[FAULT].start[0]["metadata"]["name"] = "changed"
    assert tasks.draw(seed) == tasks.draw(seed)
    assert tasks.draw(seed) != before


@given(SEEDS)
def test_each_task_can_be_told_from_what_is_there_without_it(seed: int) -> None:
    for task in tasks.draw(seed):
        scenario = task.scenario
        assert sum(task.wanted.values()) == pytest.approx(1)
        assert tuple(task.wanted) == scenario.versions
        assert abs(task.wanted[scenario.newest] - task.otherwise) >= 0.05
        assert 4 <= sum(scenario.replicas) + 2 <= 7
        names = [(obj["kind"], obj["metadata"]["name"]) for obj in task.start]
        assert len(names) == len({*names})


@given(SEEDS)
def test_services_and_versions_are_others_than_the_workshops(seed: int) -> None:
    for task in tasks.draw(seed):
        assert not {"name", "age", "sentences"} & {obj["metadata"]["name"] for obj in task.start}
        assert not {"v1", "v2", "v3"} & {*task.scenario.versions[-2:]}


@given(SEEDS)
def test_no_task_shows_a_command_or_a_word_of_its_solution(seed: int) -> None:
    for task in tasks.draw(seed):
        for word in ("kubectl", "kata ", "VirtualService", "DestinationRule", "subset", "weight", *FAULTS):
            assert word not in task.words


def test_a_decision_does_not_tell_how_the_versions_are(many: list[tuple[Task, ...]]) -> None:
    alike = set()
    for drawn in many:
        task = drawn[DECISION]
        words = task.words.replace(task.scenario.theme.service, "SERVICE")
        alike.add(words.replace(task.scenario.newest, "NEW").replace(task.scenario.versions[0], "OLD"))
    assert len(alike) == 3  # by the canary's share, 20, 30 or 40 %, and by nothing else


def test_every_kind_is_drawn(many: list[tuple[Task, ...]]) -> None:
    promoted = sum(drawn[DECISION].wanted[drawn[DECISION].scenario.newest] == 1 for drawn in many)
    assert 0.3 < promoted / len(many) < 0.7
    assert {len(drawn[RULE].scenario.versions) for drawn in many} == {2, 3}
    assert {drawn[RULE].scenario.theme for drawn in many} == {*THEMES}


def test_the_evidence_tells_an_ill_version_from_the_limits() -> None:
    allowed = int(tasks.EVIDENCE * tasks.ERRORS_ALLOWED)
    assert shares.at_most(allowed, tasks.EVIDENCE, min(tasks.ERRORS)) <= 1e-6
    assert 1000 * tasks.DELAY > 2 * tasks.MEDIAN_ALLOWED_MS


def task_of(fault: str) -> Task:
    """Return the task of finding a fault."""
    start = [*SCENARIO.workloads({}), *SCENARIO.routing(WEIGHTS)]
    FAULTS[fault](SCENARIO, start)
    return Task("Find the fault", "", SCENARIO, start, WANTED, 1 / 3)


@pytest.fixture
def exam(api: Api, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Sitting:
    """An exam of the cluster `kata` that has not begun."""
    monkeypatch.setenv("KATA_HOME", str(tmp_path))
    return Sitting("kata", api.cluster())


@pytest.mark.parametrize("fault", FAULTS)
def test_the_api_takes_each_fault_and_what_is_in_force_shows_it(fault: str, exam: Sitting) -> None:
    exam.make_namespace()
    task = task_of(fault)
    replace(exam.cluster, task.start, lambda _: True)
    assert bool(judging.differs(exam.cluster, task)) == (fault != "wrong target port")  # requests show that
    replace(exam.cluster, [*SCENARIO.workloads({}), *SCENARIO.routing(WEIGHTS)], lambda _: True)
    assert judging.differs(exam.cluster, task) == ""


def test_scaling_is_no_way_to_a_share(exam: Sitting) -> None:
    exam.make_namespace()
    replace(exam.cluster, [*SCENARIO.workloads({}), *SCENARIO.routing(WEIGHTS)], lambda _: True)
    exam.cluster.scale("ship-v7", 9)
    assert judging.differs(exam.cluster, task_of("asleep")) == "Pods: 9 of v7, 1 of v8."


def test_another_ones_namespace_is_left_alone(exam: Sitting, api: Api) -> None:
    api.cluster().api.request("POST", "/api/v1/namespaces", {"metadata": {"name": "exam"}})
    for do in (exam.begin, exam.stop):
        with pytest.raises(KataError, match="exam is not an exam's; it stays as it is"):
            do()


def test_an_exam_begins_is_shown_again_and_ends_without_a_trace(exam: Sitting, tmp_path: Path) -> None:
    with pytest.raises(KataError, match="No exam is under way"):
        exam.hand_in()
    with pytest.raises(KataError, match="from 0 to 999999, not -1"):
        exam.begin(-1)
    first = exam.begin(7)
    assert first.startswith("Exam 7, task 1 of 3: Write the rule\n")
    assert exam.begin() == exam.begin(7) == first
    with pytest.raises(KataError, match="The exam 7 is under way"):
        exam.begin(8)
    assert exam.stop()
    assert not exam.stop()
    assert not list(tmp_path.glob("*.exam.json"))
