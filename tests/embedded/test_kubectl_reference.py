"""kubectl answers here as it was recorded on a real cluster: every command, every word.

The commands of one file depend on each other, so they run once, one after the other; each is a test. Two
files run side by side: most of their time they wait. In a namespace whose pods get sidecars the answers are
the same, but for those that show the sidecar itself.

Of the 241 commands of files 13 to 16, which were chosen from the documentation before any of them was tried,
207 were equal at first sight; now all are.
"""

import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from pathlib import Path

import pytest
import recording
import yaml

from embedded.engine_cluster import BRIEF, Cluster

Answer = dict[str, object]
Played = Callable[[str, bool], "Future[list[Answer]]"]

RECORDED: list[tuple[str, int, Answer]] = [
    (file.name.partition(".expected")[0], place, answer)
    for file in sorted(recording.COMMANDS.glob("*.expected.json"))
    for place, answer in enumerate(json.loads(file.read_text()))
]
FILES = sorted({name for name, _, _ in RECORDED})

NOTICE = re.compile(r"^Warning: this \w+ is kept and .*\n?", re.MULTILINE)
"""What this engine says of a kind of which nothing comes here, or less than on a real cluster."""

OF_PODS = ["1-workloads", "13-documented-changes"]
"""The files that are played with sidecars, too; the others in a long run, but for the one below."""

WITHOUT_SIDECARS = "12-logs-and-events"
"""Its pods end, and a sidecar does not: a pod with one goes on, on a real cluster as here."""

WITH_SIDECARS = [
    *OF_PODS,
    *(
        pytest.param(name, marks=pytest.mark.long)
        for name in FILES
        if name not in (*OF_PODS, WITHOUT_SIDECARS)
    ),
]

SHOW_THE_SIDECAR = {
    "kubectl get pods --show-labels": "2/2",
    "kubectl get pods -l version=v2 -o jsonpath='{.items[*].spec.containers[*].image}'": "envoyproxy/envoy",
    "kubectl get all": "2/2",
    "kubectl get ns $NAMESPACE -o yaml": "istio-injection: enabled",
    "kubectl describe namespace $NAMESPACE": "istio-injection=enabled",
    "kubectl describe pod -l version=v1 |": "istio-proxy:",
    "kubectl describe pod -l app=sleeper |": "istio-proxy:",
    "kubectl get pods -l app=sleeper -o jsonpath='{.items[0].status.containerStatuses[0].": "^$",
    "kubectl get pod single -o jsonpath='{.metadata.labels}": "canonical-name",
    "kubectl label pods foo --list": "canonical-name",
    "kubectl get pod foo -o jsonpath='{.metadata.labels}": "canonical-name",
    "kubectl get service nginx-https -o jsonpath='{.spec.ports} {.spec.selector}'": "canonical-name",
    "kubectl get pod hazelcast -o jsonpath='{.metadata.labels}": "canonical-name",
}
"""How the commands begin whose answers show the sidecar, or the label that asks for it; and what shows it."""


@pytest.fixture(scope="module")
def played(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """Return what plays the commands of a file in a namespace of their own, with sidecars or without."""
    folder = tmp_path_factory.mktemp("reference")
    node = cluster.kubectl("get", "nodes", "--output=jsonpath={.items[0].metadata.name}")

    def play(name: str, injected: bool) -> list[Answer]:
        played = f"{name}{'-injected' if injected else ''}"
        namespace = f"reference-{played}"
        cluster.kubectl("create", "namespace", namespace)
        if injected:
            cluster.kubectl("label", "namespace", namespace, "istio-injection=enabled")
        try:
            return recording.play_all(name, _environment(cluster, namespace, folder / played), node)
        finally:
            cluster.kubectl("delete", "namespace", namespace, "--wait=false")

    with ThreadPoolExecutor(2) as players:
        yield cache(lambda name, injected: players.submit(play, name, injected))


def _environment(cluster: Cluster, namespace: str, folder: Path) -> dict[str, str]:
    """Return the environment in which kubectl speaks to a namespace of the cluster."""
    folder.mkdir()
    kubeconfig = folder / "kubeconfig"
    written = yaml.safe_load(cluster.location.kubeconfig.read_text())
    written["contexts"][0]["context"]["namespace"] = namespace
    kubeconfig.write_text(json.dumps(written))
    kubeconfig.chmod(0o600)
    return {
        **os.environ,
        **BRIEF,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "KUBECONFIG": str(kubeconfig),
        "KUBECTL_EXTERNAL_DIFF": "diff -u",
        "NAMESPACE": namespace,
        "TMPDIR": str(folder),
    }


@pytest.fixture
def answers(played: Played, request: pytest.FixtureRequest) -> Callable[[str], list[Answer]]:
    """Return what returns the answers to a file; the file after it is played meanwhile."""
    asked = list(dict.fromkeys(file for item in request.session.items if (file := _file(item))))

    def answers(name: str, injected: bool = False) -> list[Answer]:
        place = asked.index((name, injected))
        for following in asked[place : place + 2]:
            played(*following)
        return [
            {**answer, "stderr": NOTICE.sub("", str(answer["stderr"])).strip()}
            for answer in played(name, injected).result()
        ]

    return answers


def _file(item: pytest.Item) -> tuple[str, bool] | None:
    """Return which file a test of this module plays, and whether with sidecars."""
    found = getattr(item, "originalname", "")
    if found not in (test_kubectl_answers_as_recorded.__name__, test_a_sidecar_changes_no_answer.__name__):
        return None
    parameters = getattr(item, "callspec").params  # noqa: B009
    return parameters["name"], found == test_a_sidecar_changes_no_answer.__name__


@pytest.mark.parametrize(
    ("name", "place", "expected"),
    RECORDED,
    ids=[f"{name} {place}: {answer['command']}" for name, place, answer in RECORDED],
)
def test_kubectl_answers_as_recorded(
    name: str, place: int, expected: Answer, answers: Callable[[str], list[Answer]]
) -> None:
    assert answers(name)[place] == expected


@pytest.mark.parametrize("name", WITH_SIDECARS)
def test_a_sidecar_changes_no_answer(name: str, answers: Callable[[str, bool], list[Answer]]) -> None:
    expected = [answer for file, _, answer in RECORDED if file == name]
    found = answers(name, True)
    differing = [answer for answer, wanted in zip(found, expected, strict=True) if answer != wanted]
    assert [answer for answer in differing if not _is_expected(answer)] == []


def _is_expected(answer: Answer) -> bool:
    """Return whether an answer is one of those that show a sidecar, and shows it."""
    command = str(answer["command"])
    texts = [text for begins, text in SHOW_THE_SIDECAR.items() if command.startswith(begins)]
    return any(re.search(text, f"{answer['stdout']}{answer['stderr']}") for text in texts)


@pytest.mark.parametrize("name", FILES)
def test_every_command_of_a_file_was_recorded(name: str) -> None:
    lines = (recording.COMMANDS / f"{name}.commands").read_text().splitlines()
    commands = [line for line in lines if line and not line.startswith("#")]
    assert [answer["command"] for file, _, answer in RECORDED if file == name] == commands
