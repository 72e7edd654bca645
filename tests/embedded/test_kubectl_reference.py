"""kubectl answers here as it was recorded on a real cluster: every command, every word.

The commands of one file depend on each other, so they run once, one after the other; each is a test.
"""

import json
import os
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
import recording

from embedded.engine_cluster import Cluster

Answer = dict[str, object]

RECORDED: list[tuple[str, int, Answer]] = [
    (file.name.partition(".expected")[0], place, answer)
    for file in sorted(recording.COMMANDS.glob("*.expected.json"))
    for place, answer in enumerate(json.loads(file.read_text()))
]


@pytest.fixture(scope="module")
def answers(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], list[Answer]]:
    """Return what plays the commands of a file in a namespace of their own, and returns all answers."""

    @cache
    def play(name: str) -> list[Answer]:
        namespace = f"reference-{name.replace('.', '-')}"
        kubeconfig = tmp_path_factory.mktemp("reference") / "kubeconfig"
        kubeconfig.write_bytes(cluster.location.kubeconfig.read_bytes())
        kubeconfig.chmod(0o600)
        cluster.kubectl("create", "namespace", namespace)
        cluster.kubectl(
            "config", "set-context", "--current", f"--namespace={namespace}", f"--kubeconfig={kubeconfig}"
        )
        environment = {
            **os.environ,
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "KUBECONFIG": str(kubeconfig),
            "KUBECTL_EXTERNAL_DIFF": "diff -u",
            "NAMESPACE": namespace,
        }
        node = cluster.kubectl("get", "nodes", "--output=jsonpath={.items[0].metadata.name}")
        try:
            return recording.play_all(name, environment, node)
        finally:
            cluster.kubectl("delete", "namespace", namespace, "--wait=false")

    return play


@pytest.mark.parametrize(
    ("name", "place", "expected"),
    RECORDED,
    ids=[f"{name} {place}: {answer['command']}" for name, place, answer in RECORDED],
)
def test_kubectl_answers_as_recorded(
    name: str, place: int, expected: Answer, answers: Callable[[str], list[Answer]]
) -> None:
    assert answers(name)[place] == expected


@pytest.mark.parametrize("name", sorted({name for name, _, _ in RECORDED}))
def test_every_command_of_a_file_was_recorded(name: str) -> None:
    lines = (recording.COMMANDS / f"{name}.commands").read_text().splitlines()
    commands = [line for line in lines if line and not line.startswith("#")]
    assert [answer["command"] for file, _, answer in RECORDED if file == name] == commands
