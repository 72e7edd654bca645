"""Which tests `scripts/test --changed` takes, by the project's own imports."""

from pathlib import Path

import changed_tests
import grimp
import pytest


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return changed_tests.imports()


@pytest.mark.parametrize(
    ("changed", "taken"),
    [
        ("kata_lib/mesh/weights.py", "test_mesh_weights.py"),
        ("kata_lib/mesh/analyze/ports.py", "test_analyze.py"),
        ("kata_lib/course/routing.py", "test_mends.py"),
        ("kata_lib/statistics/shares.py", "test_shares.py"),
        ("tests/unit/api_server.py", "test_cluster.py"),
        ("scripts/environment.py", "test_environment.py"),
        ("README.md", "test_new_exercise.py"),
        ("notebooks/src/02-canary.py", "test_notebooks_source.py"),
    ],
)
def test_the_nearest_tests_are_taken(graph: grimp.ImportGraph, changed: str, taken: str) -> None:
    assert f"tests/unit/{taken}" in changed_tests.tests_of(graph, Path(changed))


def test_a_test_that_changed_is_taken_alone(graph: grimp.ImportGraph) -> None:
    assert [*changed_tests.tests_of(graph, Path("tests/embedded/test_release.py"))] == [
        "tests/embedded/test_release.py"
    ]


def test_farther_tests_are_left_to_the_whole_suite(graph: grimp.ImportGraph) -> None:
    taken = set(changed_tests.tests_of(graph, Path("kata_lib/traffic/summary.py")))
    assert taken == {"tests/unit/test_traffic.py", "tests/unit/test_cli.py"}
