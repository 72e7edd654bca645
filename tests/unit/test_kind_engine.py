"""The kind engine without Docker: its steps fail one by one, and nothing half-made is left."""

import contextlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from kata_lib import engines, versions
from kata_lib.cluster.location import Entry
from kata_lib.cluster.waiting import Progress
from kata_lib.course.application import APPLICATION
from kata_lib.engines import gateway_api, ports
from kata_lib.engines.folder import Folder, engine_of
from kata_lib.engines.kind import KindEngine, istio, needs, nodes, readings
from kata_lib.engines.kind.images import ImageStore
from kata_lib.engines.kind.nodes import Nodes, configuration
from kata_lib.engines.kind.settings import KindSettings
from kata_lib.engines.programs import ProgramFailed
from kata_lib.errors import EngineError, EngineUnavailable


class Lab:
    """What stands for Docker, kind and istioctl: the clusters there are, what was done, where it fails."""

    def __init__(self) -> None:
        self.clusters: dict[str, str] = {}
        self.running = True
        self.done: list[str] = []
        self.fails: dict[str, BaseException] = {}

    def do(self, what: str) -> None:
        self.done.append(what)
        if error := self.fails.get(what):
            raise error


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Lab:
    lab = Lab()

    def create(self: Nodes, image: str, node_port: int, port: int, progress: Progress) -> None:
        lab.clusters[self.name] = f"id-{len(lab.done)}"  # kind makes the container first, then may fail
        self.kubeconfig.touch()
        lab.do("create")

    def delete(self: Nodes) -> None:
        lab.do("delete")
        lab.clusters.pop(self.name, None)

    def state(self: Nodes) -> dict[str, Any] | None:
        if self.name not in lab.clusters:
            return None
        return {"Id": lab.clusters[self.name], "Running": lab.running, "Image": "kindest/node:v1"}

    monkeypatch.setenv("KATA_HOME", str(tmp_path))
    for name in (
        "KATA_PORT",
        "KATA_ISTIO_SETTINGS",
        "KIND_EXPERIMENTAL_PROVIDER",
        "KATA_ENGINE",
        "KATA_NODE_IMAGE",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(needs, "lacking", lambda settings: None)
    monkeypatch.setattr(ports, "is_free", lambda address: True)
    monkeypatch.setattr(Nodes, "names", lambda self: list(lab.clusters))
    monkeypatch.setattr(Nodes, "state", state)
    monkeypatch.setattr(Nodes, "create", create)
    monkeypatch.setattr(Nodes, "delete", delete)
    monkeypatch.setattr(Nodes, "export", lambda self, place: lab.do("export"))
    monkeypatch.setattr(Nodes, "start", lambda self, progress: lab.do("start"))
    monkeypatch.setattr(Nodes, "await_ready", lambda self, progress: lab.do("await"))
    monkeypatch.setattr(ImageStore, "require", lambda self, image, setting, progress: lab.do("require"))
    monkeypatch.setattr(ImageStore, "build", lambda self, application, progress: lab.do("build"))
    monkeypatch.setattr(ImageStore, "load", lambda self, cluster, images, folder, progress: lab.do("load"))
    monkeypatch.setattr(ImageStore, "has", lambda self, image: False)
    monkeypatch.setattr(istio, "images", lambda settings: ["istio/pilot:1"])
    monkeypatch.setattr(gateway_api, "install", lambda kubeconfig: lab.do("kinds"))
    monkeypatch.setattr(istio, "install", lambda kubeconfig, settings, log, progress: lab.do("install"))
    return lab


STEPS = ["require", "build", "create", "await", "load", "kinds", "install"]


def quiet(line: str) -> None:
    """Take an engine's progress."""


def left(name: str = "one") -> set[str]:
    """Return what a cluster's folder holds but its logs."""
    folder = Folder(name).path
    return {path.name for path in folder.iterdir()} - {"logs"} if folder.exists() else set()


def test_a_start_does_each_step_and_publishes_one_port(lab: Lab) -> None:
    engine = KindEngine("one", APPLICATION)
    place = engine.start(quiet)
    assert lab.done == STEPS
    assert place.entry == Entry("sentences", "http://127.0.0.1:30500/", 30500)
    assert engine.where() == place
    assert engine_of("one") == "kind"
    (node,) = configuration(30500, 30500)["nodes"]
    assert node["extraPortMappings"] == [
        {"containerPort": 30500, "hostPort": 30500, "listenAddress": "127.0.0.1", "protocol": "TCP"}
    ]


def test_a_second_start_does_nothing(lab: Lab) -> None:
    first = KindEngine("one", APPLICATION).start(quiet)
    lab.done.clear()
    assert KindEngine("one", APPLICATION).start(quiet) == first
    assert lab.done == []


@pytest.mark.parametrize("step", STEPS)
def test_a_step_that_fails_is_named_and_leaves_nothing(lab: Lab, step: str) -> None:
    lab.fails[step] = ProgramFailed("kind ended with 1", "no space left on device")
    with pytest.raises(EngineError) as failed:
        KindEngine("one", APPLICATION).start(quiet)
    said = str(failed.value)
    assert 'the step "' in said
    assert "no space left on device" in said
    assert "engine.log" in said
    assert ("kind export logs" in said) == (STEPS.index(step) >= STEPS.index("create"))
    assert "Nothing of the cluster was left" in said
    assert lab.clusters == {}
    assert left() == set()


@pytest.mark.parametrize("step", STEPS)
def test_ctrl_c_in_a_step_leaves_nothing(lab: Lab, step: str) -> None:
    lab.fails[step] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        KindEngine("one", APPLICATION).start(quiet)
    assert lab.clusters == {}
    assert left() == set()
    assert "export" not in lab.done


def test_what_cannot_be_removed_is_said(lab: Lab) -> None:
    lab.fails |= {
        "install": ProgramFailed("istioctl", "x"),
        "delete": ProgramFailed("kind", "Docker is gone"),
    }
    with pytest.raises(
        EngineError, match=r"(?s)could not be removed: .*Docker is gone.*`kata down` tries again"
    ):
        KindEngine("one", APPLICATION).start(quiet)
    assert engine_of("one") == "kind"
    lab.fails.clear()
    KindEngine("one", APPLICATION).stop()
    assert lab.clusters == {}


def test_what_a_killed_start_left_is_removed_by_the_next(lab: Lab) -> None:
    lab.clusters["one"] = "half"
    Folder("one").path.mkdir()
    Folder("one").write({"engine": "kind"})
    KindEngine("one", APPLICATION).start(quiet)
    assert lab.done == ["delete", *STEPS]


def test_somebody_elses_cluster_of_that_name_is_refused(lab: Lab) -> None:
    lab.clusters["one"] = "theirs"
    with pytest.raises(EngineError, match="'one' that the workshop did not make"):
        KindEngine("one", APPLICATION).start(quiet)
    KindEngine("one", APPLICATION).stop()
    assert lab.clusters == {"one": "theirs"}
    assert "delete" not in lab.done


def test_a_cluster_that_appears_meanwhile_is_left_alone(lab: Lab) -> None:
    lab.fails["create"] = nodes.AlreadyThere("node(s) already exist for a cluster with the name 'one'")
    with pytest.raises(EngineError, match="already exist"):
        KindEngine("one", APPLICATION).start(quiet)
    assert "delete" not in lab.done
    assert left() == set()


def test_our_cluster_made_anew_by_somebody_is_refused(lab: Lab) -> None:
    KindEngine("one", APPLICATION).start(quiet)
    lab.clusters["one"] = "another"
    assert KindEngine("one", APPLICATION).where() is None
    for act in (lambda: KindEngine("one", APPLICATION).start(quiet), KindEngine("one", APPLICATION).stop):
        with pytest.raises(EngineError, match="did not make"):
            act()


def test_a_node_that_docker_stopped_is_started_again(lab: Lab) -> None:
    KindEngine("one", APPLICATION).start(quiet)
    lab.running = False
    assert KindEngine("one", APPLICATION).where() is None
    lab.done.clear()
    KindEngine("one", APPLICATION).start(quiet)
    assert lab.done == ["start"]


def test_a_changed_application_is_loaded_and_its_pods_made_anew(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, ...]] = []
    monkeypatch.setattr("kata_lib.engines.kind.kubectl", lambda file, *words: asked.append(words))
    KindEngine("one", APPLICATION).start(quiet)
    note = Folder("one").note()
    assert note
    assert note["app"] == APPLICATION.digest()
    Folder("one").write({**note, "app": "older"})
    lab.done.clear()
    KindEngine("one", APPLICATION).start(quiet)
    assert lab.done == ["build", "load"]
    assert asked == [("rollout", "restart", "deployment", "--namespace=default")]


def test_down_removes_the_cluster_and_keeps_the_logs(lab: Lab) -> None:
    KindEngine("one", APPLICATION).start(quiet)
    KindEngine("two", APPLICATION).start(quiet)
    KindEngine("one", APPLICATION).stop()
    assert set(lab.clusters) == {"two"}
    assert left() == set()
    assert Folder("one").logs.is_dir()
    lab.done.clear()
    KindEngine("one", APPLICATION).stop()
    assert lab.done == []


def test_a_cluster_belongs_to_one_engine(lab: Lab) -> None:
    KindEngine("one", APPLICATION).start(quiet)
    assert engines.select(APPLICATION, cluster="one").name == "kind"
    with pytest.raises(EngineError, match="is the kind engine's, not the embedded engine's"):
        engines.select(APPLICATION, "embedded", cluster="one")


def test_a_name_that_kind_does_not_take(lab: Lab) -> None:
    with pytest.raises(EngineUnavailable, match="small letters, digits and dashes, not 'One'"):
        KindEngine("One", APPLICATION).start(quiet)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("KATA_PORT", "http", "a port from 1 to 65535, not 'http'"),
        ("KATA_PORT", "70000", "a port from 1 to 65535"),
        ("KATA_ISTIO_SETTINGS", "/nowhere.yaml", "which is no file"),
        ("KIND_EXPERIMENTAL_PROVIDER", "lxc", "docker, podman or nerdctl, not 'lxc'"),
    ],
)
@pytest.mark.usefixtures("lab")
def test_a_setting_that_makes_no_sense(
    name: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert KindSettings.read().node_image == versions.NODE_IMAGE
    monkeypatch.setenv(name, value)
    with pytest.raises(EngineError, match=said):
        KindSettings.read()


def test_a_taken_port_is_found_before_anything_is_made(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "is_free", lambda address: address[1] == 30502)
    assert KindEngine("one", APPLICATION).start(quiet).entry == Entry(
        "sentences", "http://127.0.0.1:30502/", 30500
    )
    monkeypatch.setenv("KATA_PORT", "8080")
    lab.done.clear()
    with pytest.raises(EngineError, match="KATA_PORT is 8080, and another program listens there"):
        KindEngine("two", APPLICATION).start(quiet)
    assert lab.done == []


SEVERAL = {"DriverStatus": [["driver-type", "io.containerd.snapshotter.v1"]], "Architecture": "x86_64"}
ONE = {"DriverStatus": [["Backing Filesystem", "extfs"]], "Architecture": "x86_64"}


@pytest.mark.parametrize(
    ("about", "spoken", "only"),
    [(SEVERAL, "1.48", ["--platform=linux/amd64"]), (SEVERAL, "1.45", []), (ONE, "1.48", [])],
    ids=["a store of several", "a Docker that cannot save one of them", "a store of one"],
)
def test_an_archive_is_of_one_platform_where_the_store_keeps_several(
    about: dict[str, Any], spoken: str, only: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ran: list[list[str]] = []
    monkeypatch.setattr("kata_lib.engines.kind.images.program", lambda name: name)
    monkeypatch.setattr("kata_lib.engines.kind.images.run", lambda command, *_: ran.append(command))
    monkeypatch.setattr(
        "kata_lib.engines.kind.images.ask",
        lambda command: f"{spoken}\n" if command[1] == "version" else json.dumps(about),
    )
    for name in ("KATA_ISTIO_SETTINGS", "KATA_PORT", "KIND_EXPERIMENTAL_PROVIDER"):
        monkeypatch.delenv(name, raising=False)
    images = ImageStore(KindSettings.read(), tmp_path / "log")
    with contextlib.suppress(FileNotFoundError):
        images.load("one", ["a", "b"], tmp_path, quiet)
    archive = tmp_path / "images.tar"
    assert ran[0] == ["docker", "save", *only, f"--output={archive}", "a", "b"]
    assert ran[1] == ["kind", "load", "image-archive", str(archive), "--name=one"]


def test_podman_is_asked_in_its_own_words(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What podman 4.3.1 said of an image that is not there, and needs for an archive of several."""
    ran: list[list[str]] = []

    def refuse(command: list[str]) -> str:
        raise ProgramFailed(" ".join(command), "Error: inspecting object: foo/bar:v1: image not known")

    monkeypatch.setenv("KIND_EXPERIMENTAL_PROVIDER", "podman")
    for name in ("KATA_ISTIO_SETTINGS", "KATA_PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("kata_lib.engines.kind.images.program", lambda name: name)
    monkeypatch.setattr("kata_lib.engines.kind.images.run", lambda command, *_: ran.append(command))
    monkeypatch.setattr("kata_lib.engines.kind.images.ask", refuse)
    images = ImageStore(KindSettings.read(), tmp_path / "log")
    assert not images.has("foo/bar:v1")
    images.save(["a", "b"], tmp_path / "images.tar", quiet)
    assert ran == [
        ["podman", "save", "--multi-image-archive", f"--output={tmp_path / 'images.tar'}", "a", "b"]
    ]


def test_what_podman_says_of_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    host = {"memTotal": 4 * 2**30, "cgroupVersion": "v2", "security": {"rootless": True}}
    said = {"host": host, "store": {"graphRoot": "/home/ada/.local"}, "version": {"Version": "4.3.1"}}
    monkeypatch.setattr(readings, "program", lambda name: name)
    monkeypatch.setattr(readings, "ask", lambda command, *_: json.dumps(said))
    about = readings.about("podman")
    assert about is not None
    assert (about["MemTotal"], about["CgroupVersion"]) == (4 * 2**30, "2")
    assert needs.answers("podman", about).found == "podman 4.3.1 runs, rootless"
    assert needs.cgroup(about).status == "ok"


@pytest.mark.parametrize(("rootless", "status"), [([], "note"), (["rootless"], "missing")])
def test_without_root_kind_needs_version_2_of_cgroups(rootless: list[str], status: str) -> None:
    assert needs.cgroup({"CgroupVersion": "1", "SecurityOptions": rootless}).status == status


def test_images_are_named_in_full_because_podman_takes_nothing_for_granted() -> None:
    assert versions.NODE_IMAGE.startswith("docker.io/")
    base = re.search("^ARG BASE=(.*)", (APPLICATION.source / "Dockerfile").read_text(), re.MULTILINE)
    assert base
    assert base[1].startswith("docker.io/")
