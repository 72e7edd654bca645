"""kata exam on a running cluster: solved from the seed to the report, and failed; nothing is left."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from embedded.engine_cluster import Cluster
from kata_lib import cli
from kata_lib.cluster import cluster as library
from kata_lib.cluster.replacing import replace
from kata_lib.course.exam import tasks
from kata_lib.course.exam.tasks import Task
from kata_lib.course.journal import Journal

SEED = 7


@pytest.fixture
def own(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[library.Cluster]:
    """The namespace of the exam on the shared cluster, which is gone afterwards, and so is the journal."""
    monkeypatch.setenv("KATA_NAME", "shared")
    yield library.Cluster.at(cluster.location).within("exam")
    kata("exam", "--stop")
    Journal("shared").forget()
    assert "exam" not in cluster.kubectl("get", "namespaces", "--output=name")


def kata(*words: str) -> str:
    """Return what the command prints."""
    result = CliRunner().invoke(cli.app, [*words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return str(result.stdout)


def solve(task: Task, own: library.Cluster) -> None:
    """Do what a learner who knows it does: routing by the wanted shares, and the rest as it should be.

    What is ill stays so: a decision is about routing.
    """
    kept = task.start if task.figures else task.scenario.workloads({})
    workloads = [obj for obj in kept if obj["kind"] in ("Service", "Deployment")]
    weights = {version: round(100 * share) for version, share in task.wanted.items()}
    replace(own, [*workloads, *task.scenario.routing(weights)], lambda _: True)
    own.wait_ready()


def test_an_exam_is_solved_from_its_seed_to_the_report(own: library.Cluster, tmp_path: Path) -> None:
    said = kata("exam", "--seed", str(SEED))
    for task in tasks.draw(SEED):
        assert task.words in " ".join(said.split())
        assert all((f"\n{version} " in said) == bool(task.figures) for version in task.scenario.versions)
        solve(task, own)
        said = kata("exam", "--hand-in")
        assert said.startswith(f"✓ {task.title}: right."), said
    assert "3 of 3 tasks are right, passed." in said
    kata("report", str(tmp_path / "report.html"))
    assert "3 of 3 tasks are right: passed." in (tmp_path / "report.html").read_text()


def test_an_exam_that_is_handed_in_untouched_is_not_passed(own: library.Cluster, tmp_path: Path) -> None:
    kata("exam", "--seed", str(SEED))
    said = kata("exam", "--hand-in")
    assert said.startswith("✗ Write the rule: wrong. In force:"), said
    assert "Mend" not in said
    assert "task 2 of 3: Find the fault" in said
    kata("exam", "--stop")
    kata("report", str(tmp_path / "report.html"))
    assert "0 of 3 tasks are right: not passed." in (tmp_path / "report.html").read_text()
