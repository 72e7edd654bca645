"""What a person gets wrong, at the commands they use: a clear error, nothing lost, nothing left behind."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import kata

from embedded.engine_cluster import Cluster, quiet, until
from kata_lib.course.application import APPLICATION
from kata_lib.engines.embedded import EmbeddedEngine, processes
from kata_lib.engines.embedded.processes import DAEMON_MARK
from kata_lib.errors import EngineError
from kata_lib.machine import PROJECT

V2 = (PROJECT / "deploy/v2/name-v2.yaml").read_text()
CANARY = (PROJECT / "deploy/virtual-service-canary.yaml").read_text()
KATA = [sys.executable, "-c", "from kata_lib.cli import main; main()"]


@pytest.fixture
def route(cluster: Cluster) -> Iterator[Cluster]:
    """Yield the cluster with the canary's route, which a refused change must leave as it is."""
    cluster.deploy("virtual-service-canary.yaml")
    yield cluster
    cluster.kubectl("delete", f"--filename={PROJECT / 'deploy/virtual-service-canary.yaml'}")


def weights(cluster: Cluster) -> str:
    return cluster.kubectl(
        "get", "virtualservice", "name", "--output=jsonpath={.spec.http[0].route[*].weight}"
    )


@pytest.mark.parametrize(
    ("typo", "said"),
    [
        (("  replicas: 1", "  replcas: 1"), 'unknown field "spec.replcas"'),
        (("  replicas: 1", "  replicas: one"), "spec.replicas"),
        (("  replicas: 1", "  replicas: -1"), "must be greater than or equal to 0"),
        (("kind: Deployment", "kind: Deploymnet"), 'no matches for kind "Deploymnet" in version "apps/v1"'),
        (
            ("apiVersion: apps/v1", "apiVersion: apps/v9"),
            'no matches for kind "Deployment" in version "apps/v9"',
        ),
        (("metadata:\n", "metadata\n"), "is not valid YAML"),
        (("name: name-v2", "name: Name_v2"), "RFC 1123"),
    ],
)
def test_a_typo_in_a_manifest_is_named_and_changes_nothing(
    typo: tuple[str, str], said: str, cluster: Cluster, tmp_path: Path
) -> None:
    before = cluster.kubectl("get", "deployments", "--output=name")
    generation = ["get", "deployment", "name-v2", "--output=jsonpath={.metadata.generation}"]
    was = cluster.kubectl(*generation)
    assert typo[0] in V2
    file = tmp_path / "typo.yaml"
    file.write_text(V2.replace(*typo, 1))
    done = kata("apply", str(file), KATA_NAME="shared")
    assert done.code == 1
    assert done.stderr.startswith("kata: ")
    assert said in done.stderr
    by_hand = cluster.kubectl("apply", f"--filename={file}", ok=False)
    assert by_hand
    assert cluster.kubectl("get", "deployments", "--output=name") == before
    assert cluster.kubectl(*generation) == was


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("name-v1=-1", "name-v2=101"), "cannot be negative"),
        (("name-v1=0", "name-v2=0"), "All weights are 0"),
        (("name-v2=ten",), "Expected SUBSET=NUMBER, such as v2=20, not 'name-v2=ten'"),
        (("name-v2=nan",), "not nan"),
        (("name-v3=10",), "no subset 'name-v3'; it has: name-v1, name-v2"),
    ],
)
def test_a_weight_that_is_none_is_refused(words: tuple[str, ...], said: str, route: Cluster) -> None:
    done = kata("weights", *words, KATA_NAME="shared")
    assert done.code == 1
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert weights(route) == "90 10"


@pytest.mark.parametrize(
    ("v1", "v2", "said"),
    [
        ("-1", "101", "weight"),
        ("0", "0", "total destination weight = 0"),
        ("many", "10", "weight"),
        ("90.5", "9.5", "weight"),
    ],
)
def test_a_file_with_weights_that_are_none_is_refused_by_the_server(
    v1: str, v2: str, said: str, route: Cluster
) -> None:
    written = CANARY.replace("weight: 90", f"weight: {v1}").replace("weight: 10", f"weight: {v2}")
    assert said in route.kubectl("apply", "--filename=-", stdin=written, ok=False)
    assert weights(route) == "90 10"


def test_a_node_port_that_is_taken_is_refused(cluster: Cluster) -> None:
    port = int(cluster.kubectl("get", "service", "sentences", "--output=jsonpath={.spec.ports[0].nodePort}"))
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "second"},
        "spec": {"type": "NodePort", "selector": {"app": "age"}, "ports": [{"port": 5000, "nodePort": port}]},
    }
    refusal = cluster.kubectl("apply", "--filename=-", stdin=json.dumps(service), ok=False)
    assert f"{port}: provided port is already allocated" in refusal
    assert "second" not in cluster.kubectl("get", "services")


def test_ctrl_c_in_the_middle_of_up_leaves_nothing(cluster: Cluster) -> None:
    environment = {**os.environ, "KATA_NAME": "interrupted", "PYTHONPATH": str(PROJECT)}
    up = subprocess.Popen([*KATA, "up"], env=environment, stderr=subprocess.PIPE, text=True)
    engine = EmbeddedEngine("interrupted", APPLICATION)
    mark = engine.state.mark
    try:
        assert up.stderr
        assert up.stderr.readline().lower().startswith("starting the")
        until(lambda: processes.find_marked(mark, DAEMON_MARK))
        up.send_signal(signal.SIGINT)
        said = up.communicate(timeout=60)[1]
        assert up.returncode == 130
        assert "Traceback" not in said
        assert [*processes.find_marked(mark), *processes.find_marked(mark, DAEMON_MARK)] == []
        assert [path.name for path in engine.state.home.iterdir()] == ["logs"]
        assert not engine.state.new_run.exists()
    finally:
        engine.stop()


def test_a_full_disk_is_said_before_anything_is_started(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage("/")._replace(free=1_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    engine = EmbeddedEngine("full", APPLICATION)
    with pytest.raises(EngineError, match=r"needs 20 MB.*has 1\.0 MB free.*KATA_HOME"):
        engine.start(quiet)
    assert [path.name for path in engine.state.home.iterdir()] == ["logs"]


def test_a_folder_that_cannot_be_made_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("KATA_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(EngineError, match=r"cannot keep its files in .*/file/home/lost: Not a directory"):
        EmbeddedEngine("lost", APPLICATION).start(quiet)
