"""scripts/record says what a lab lacks and of which versions a set was last; it leaves a lab as it was."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from api_server import Api
from click.testing import CliRunner

from kata_lib import versions
from recorders import recorded, yaml_texts
from recorders.__main__ import app
from recorders.lab import Lab, LabError
from recorders.leaving import leaving_nothing
from recorders.sets import SETS

ROOT = Path(__file__).parents[2]
ENDING_SECONDS = 60


def test_of_every_set_it_is_known_of_which_versions_it_was() -> None:
    assert recorded.all_sets().keys() == SETS.keys()


def test_what_the_engine_answers_was_recorded_of_its_own_versions() -> None:
    of_the_engine = ("api", "kubectl", "kubernetes-schemas", "protobuf-fields")
    assert {recorded.all_sets()[name]["kubernetes"] for name in of_the_engine} == {versions.KUBERNETES}
    assert recorded.all_sets()["kubectl"]["kubectl"] == versions.KUBECTL
    assert recorded.all_sets()["gateway-api-definitions"]["gateway_api"] == versions.GATEWAY_API
    assert recorded.all_sets()["istio-schemas"]["istio"] == versions.ISTIO


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (lambda folder: Lab().cluster, "--kubeconfig FILE says which"),
        (lambda folder: Lab(option="mesh").cluster, "--mesh FILE says which"),
        (lambda folder: Lab(folder / "config").cluster, "config, which is no file"),
        (lambda folder: Lab(programs=folder).program("no-such-program"), "--programs FOLDER"),
        (lambda folder: Lab().module("k8s.io/api"), "--modules"),
        (lambda folder: Lab(modules=folder).module("k8s.io/api"), "go mod download k8s.io/api@v0."),
    ],
)
def test_what_a_lab_lacks_is_said_with_what_gives_it(
    asked: Callable[[Path], object], said: str, tmp_path: Path
) -> None:
    with pytest.raises(LabError, match=said):
        asked(tmp_path)


def test_the_command_lists_the_sets_and_knows_no_other() -> None:
    listed = CliRunner().invoke(app, [])
    assert listed.exit_code == 0
    assert "kubernetes-schemas" in listed.output
    wrong = CliRunner().invoke(app, ["nothing"])
    assert wrong.exit_code == 1
    assert "There is no set nothing" in wrong.output


@pytest.mark.parametrize("option", ["--kubeconfig", "--server"])
def test_a_lab_that_is_not_there_ends_the_command_with_a_line(option: str, tmp_path: Path) -> None:
    ended = CliRunner().invoke(app, ["api", option, str(tmp_path / "none")])
    assert ended.exit_code == 1
    assert ended.output == f"api: --server names {tmp_path / 'none'}, which is no file.\n"


def test_a_lab_that_does_not_answer_ends_the_command_with_a_line(api: Api, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    there = re.sub(r"127\.0\.0\.1:\d+", f"127.0.0.1:{port}", api.kubeconfig.read_text())
    file = tmp_path / "kubeconfig"
    file.write_text(there)
    ended = CliRunner().invoke(app, ["istio-invalid", "--server", str(file)])
    assert ended.exit_code == 1
    assert ended.output.startswith(f"istio-invalid: The lab of {file} does not answer: ")
    assert ended.output.endswith("Start it, or --server names another.\n")


def test_every_set_is_tried_whatever_the_others_lack() -> None:
    ended = CliRunner().invoke(app, ["--all"])
    assert ended.exit_code == 1
    assert [line.partition(":")[0] for line in ended.output.splitlines()] == list(SETS)
    assert {needs for needs in ("modules", "server", "mesh", "cluster") if f": --{needs} " in ended.output}


def test_a_set_that_needs_a_node_says_so(api: Api) -> None:
    ended = CliRunner().invoke(app, ["envoy", "--cluster", str(api.kubeconfig)])
    assert ended.exit_code == 1
    assert ended.output.startswith("envoy: ")
    assert "has no node: --cluster names one of kind" in ended.output


def test_a_lab_is_left_as_it_was(api: Api) -> None:
    cluster = api.cluster()
    before = everything(api)
    with leaving_nothing(cluster.api):
        cluster.enable_injection()
        cluster.apply("deploy/v1")
        cluster.api.request("POST", yaml_texts.DEFINITIONS, yaml_texts.KIND)
        assert everything(api) != before
    assert everything(api) == before


ENDED = """
import time
from recorders import __main__, sets, yaml_texts
from recorders.leaving import leaving_nothing

def record(lab):
    with leaving_nothing(lab.client):
        lab.client.request("POST", yaml_texts.DEFINITIONS, yaml_texts.KIND)
        time.sleep(600)

sets.SETS["yaml"] = sets.Recorder(record, "server")
__main__.main()
"""
"""A recorder that has something stand in the lab, and takes its time."""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_recorder_that_is_ended_leaves_nothing(number: signal.Signals, code: int, api: Api) -> None:
    before, noted = everything(api), recorded.FILE.read_bytes()
    paths = [ROOT, ROOT / "tests" / "reference", ROOT / "tests" / "unit"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))}
    command = [sys.executable, "-c", ENDED, "yaml", "--server", str(api.kubeconfig)]
    with subprocess.Popen(command, env=environment, preexec_fn=listening, stderr=subprocess.PIPE) as recorder:
        until(lambda: everything(api) != before)
        recorder.send_signal(number)
        assert recorder.wait(ENDING_SECONDS) == code
    assert everything(api) == before
    assert recorded.FILE.read_bytes() == noted


def listening() -> None:
    """Have Ctrl-C reach a process, whatever the shell of the tests has set."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def everything(api: Api) -> set[tuple[str, str]]:
    """Return all objects by kind and name, and the labels of the namespace."""
    resources = ("deployments", "replicasets", "pods", "services", "customresourcedefinitions")
    found = api.registry(
        lambda registry: {
            (name, obj["metadata"]["name"]) for name in resources for obj in registry.list(name)
        }
    )
    labels = api.registry(lambda registry: registry.get("namespaces", None, "default"))["metadata"]["labels"]
    return found | set(labels.items())


def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + ENDING_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)
