"""The kind engine with a real Docker, kind and istioctl: what fails, what is left, what is never touched.

Runs where KATA_TEST_ENGINE=kind asks for it. A cluster costs about a minute, so one is shared.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from requirements import lacking

from kata_lib.cluster import waiting
from kata_lib.cluster.location import Location
from kata_lib.course.application import APPLICATION
from kata_lib.engines import ports
from kata_lib.engines.folder import Folder
from kata_lib.engines.kind import KindEngine, istio
from kata_lib.engines.kind.nodes import CONTAINER_SECONDS
from kata_lib.errors import EngineError, EngineUnavailable

pytestmark = pytest.mark.needs("kind")

NAME = "kata-test"
KATA = [sys.executable, "-m", "kata_lib.cli"]
CREATION, INSTALLATION = "Preparing nodes", "Processing resources for Istio"
"""What kind and istioctl say for seconds: of what lasts less, `kata up` does not show everything."""


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A home folder whose kubeconfig is a person's own, and the workshop's state beside it."""
    folder = Path(tempfile.mkdtemp(prefix="kata-"))
    (folder / ".kube").mkdir()
    (folder / ".kube" / "config").write_text("current-context: my-own\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(folder))
        patch.setenv("KATA_HOME", str(folder / "state"))
        patch.setenv("KUBECONFIG", str(folder / ".kube" / "config"))
        patch.delenv("KATA_PORT", raising=False)
        if reason := KindEngine(NAME, APPLICATION).unavailable():
            lacking("kind", reason)
        yield folder
    shutil.rmtree(folder)


def docker(*words: str) -> str:
    return subprocess.run(["docker", *words], capture_output=True, text=True, check=True, timeout=60).stdout


def containers() -> set[str]:
    """Return what there is of our name: others may come and go meanwhile."""
    return set(docker("ps", "--all", "--quiet", "--no-trunc", f"--filter=name={NAME}").split())


def state_of(name: str) -> set[str]:
    folder = Folder(name).path
    return {path.name for path in folder.iterdir()} - {"logs"} if folder.exists() else set()


@pytest.fixture
def nothing_left(home: Path) -> Iterator[None]:
    """Afterwards there is no container of ours, and the person's kubeconfig is as it was."""
    before = containers()
    yield
    assert containers() == before
    assert state_of(NAME) == set()
    assert (home / ".kube" / "config").read_text() == "current-context: my-own\n"


def quiet(line: str) -> None:
    """Take an engine's progress."""


@pytest.mark.usefixtures("nothing_left")
def test_without_docker_the_reason_and_its_mending(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    with pytest.raises(EngineUnavailable, match=r"docker does not answer \(.*/nowhere/docker.sock.*\): "):
        KindEngine(NAME, APPLICATION).start(quiet)


@pytest.mark.usefixtures("nothing_left")
def test_a_node_image_that_is_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KATA_NODE_IMAGE", "kata.invalid/node:v0")
    with pytest.raises(
        EngineError, match=r"(?s)get the node's image.*kata\.invalid/node:v0 is not there and"
    ):
        KindEngine(NAME, APPLICATION).start(quiet)


@pytest.mark.usefixtures("nothing_left")
def test_a_port_that_is_taken_behind_our_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "is_free", lambda address: True)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        monkeypatch.setenv("KATA_PORT", str(taken.getsockname()[1]))
        with pytest.raises(EngineError, match=r"(?s)create the cluster.*already (allocated|in use)"):
            KindEngine(NAME, APPLICATION).start(quiet)


@pytest.mark.usefixtures("nothing_left")
def test_an_istio_that_does_not_fit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given = os.environ.get("KATA_ISTIO_SETTINGS")
    settings = json.loads(json.dumps(istio.SETTINGS))
    settings["spec"]["values"]["pilot"]["resources"]["requests"]["cpu"] = "512"
    if given:  # over the site's own, whose images are needed
        monkeypatch.setattr(istio, "SETTINGS", _yaml(Path(given)))
    file = tmp_path / "too-large.json"
    file.write_text(json.dumps(settings))
    monkeypatch.setenv("KATA_ISTIO_SETTINGS", str(file))
    monkeypatch.setattr(istio, "READY_SECONDS", 8)
    monkeypatch.setattr(istio, "LIMIT_SECONDS", 25.0)
    seen: list[str] = []
    with pytest.raises(EngineError, match=r"(?s)install Istio.*kind export logs") as failed:
        KindEngine(NAME, APPLICATION).start(seen.append)
    assert any("Insufficient cpu" in line for line in seen), str(failed.value)
    exported = Folder(NAME).logs / "kind" / f"{NAME}-control-plane"
    assert (exported / "kubelet.log").exists()


@pytest.mark.needs("mount")
@pytest.mark.usefixtures("nothing_left")
def test_a_full_disk(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    small = home / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(small)], check=True, timeout=10)
    try:
        monkeypatch.setenv("KATA_HOME", str(small))
        with pytest.raises(EngineError, match=r"(?s)load images into the node.*no space left on device"):
            KindEngine(NAME, APPLICATION).start(quiet)
    finally:
        subprocess.run(["umount", str(small)], check=True, timeout=10)


def begun(until: str) -> "subprocess.Popen[str]":
    """Return `kata up` the moment that it shows these words."""
    process = subprocess.Popen(
        [*KATA, "up", "--engine", "kind", "--name", NAME],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stderr
    for line in process.stderr:
        if until in line:
            return process
    raise AssertionError(f"kata up ended before it showed {until!r}")


@pytest.mark.parametrize(("shown", "number"), [(CREATION, signal.SIGINT), (INSTALLATION, signal.SIGTERM)])
@pytest.mark.usefixtures("nothing_left")
def test_a_start_that_is_interrupted(shown: str, number: signal.Signals) -> None:
    process = begun(shown)
    time.sleep(2.0)  # in the middle of what takes several seconds
    os.killpg(process.pid, number)
    process.communicate(timeout=60)
    assert process.returncode != 0


def test_a_killed_start_is_cleared_up_by_down(nothing_left: None) -> None:
    before = containers()
    process = begun(CREATION)
    assert waiting.holds(lambda: containers() != before, CONTAINER_SECONDS)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)
    assert containers() != before
    down = subprocess.run([*KATA, "down", "--name", NAME], capture_output=True, text=True, timeout=120)
    assert down.returncode == 0, down.stderr


@pytest.fixture(scope="module")
def cluster(home: Path) -> Iterator[Location]:
    engine = KindEngine(NAME, APPLICATION)
    try:
        yield engine.start(quiet)
    finally:
        engine.stop()


def node() -> Any:
    return json.loads(docker("container", "inspect", f"{NAME}-control-plane"))[0]


def test_only_two_ports_are_published_and_on_loopback_alone(cluster: Location) -> None:
    bindings = node()["HostConfig"]["PortBindings"]
    assert set(bindings) == {"6443/tcp", f"{APPLICATION.node_port}/tcp"}
    assert {entry["HostIp"] for bound in bindings.values() for entry in bound} == {"127.0.0.1"}


def test_a_second_start_finds_it(cluster: Location) -> None:
    before = node()
    assert KindEngine(NAME, APPLICATION).start(quiet) == cluster == KindEngine(NAME, APPLICATION).where()
    assert node()["Id"] == before["Id"]
    assert node()["State"]["StartedAt"] == before["State"]["StartedAt"]


def test_a_node_that_was_stopped_comes_back_with_its_objects(cluster: Location) -> None:
    kubectl = ["kubectl", f"--kubeconfig={cluster.kubeconfig}"]
    subprocess.run([*kubectl, "create", "configmap", "kept"], check=True, timeout=30)
    docker("container", "stop", f"{NAME}-control-plane")
    assert KindEngine(NAME, APPLICATION).where() is None
    assert KindEngine(NAME, APPLICATION).start(quiet) == cluster
    subprocess.run([*kubectl, "get", "configmap", "kept"], check=True, timeout=30)
    subprocess.run([*kubectl, "delete", "configmap", "kept"], check=True, timeout=30)


def test_down_removes_it_and_nothing_else(cluster: Location, home: Path) -> None:
    sleep = ["--entrypoint", "python3", "kata/sentences:v1", "-c", "import time; time.sleep(600)"]
    stranger = docker("run", "--detach", "--rm", f"--name={NAME}-not", *sleep).strip()
    try:
        KindEngine(NAME, APPLICATION).stop()
        assert containers() == {stranger}
        assert state_of(NAME) == set()
        assert (home / ".kube" / "config").read_text() == "current-context: my-own\n"
        assert (
            NAME
            not in subprocess.run(
                ["kind", "get", "clusters"], capture_output=True, text=True, timeout=30
            ).stdout.split()
        )
    finally:
        docker("rm", "--force", stranger)


def _yaml(file: Path) -> Any:
    import yaml

    return yaml.safe_load(file.read_text())
