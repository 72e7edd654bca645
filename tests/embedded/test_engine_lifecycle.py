"""The engine as a whole: up, found again, down, and every way in which that can go wrong."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from embedded.engine_cluster import Cluster, Start, daemon_of, kill_daemon, quiet, until
from kata_lib.course import application
from kata_lib.course.application import APPLICATION
from kata_lib.engines.embedded import EmbeddedEngine, processes
from kata_lib.engines.embedded.processes import DAEMON_MARK, Identity
from kata_lib.errors import EngineError
from kata_lib.files import read_json, write_json


def marked(engine: EmbeddedEngine) -> list[tuple[Identity, str]]:
    mark = engine.state.mark
    return [*processes.find_marked(mark), *processes.find_marked(mark, DAEMON_MARK)]


def containers(cluster: Cluster) -> dict[str, str]:
    """Return each container's id, with pod and container as its name."""
    template = (
        "{range .items[*]}{.metadata.name}{range .status.containerStatuses[*]}"
        " {.name}={.containerID}{end}{'\\n'}{end}"
    )
    lines = cluster.kubectl("get", "pods", f"--output=jsonpath={template}").splitlines()
    found: dict[str, str] = {}
    for line in lines:
        pod, *entries = line.split()
        found |= {f"{pod}/{name}": id_ for name, _, id_ in (entry.partition("=") for entry in entries)}
    return found


def pid_of(container_id: str) -> int:
    return Identity.parse(container_id.removeprefix("process://")).pid


def test_a_cluster_that_runs_is_found_again(cluster: Cluster) -> None:
    daemon = daemon_of(cluster.engine)
    again = EmbeddedEngine("shared", APPLICATION)
    assert again.start(quiet) == again.where() == cluster.location
    assert daemon_of(again) == daemon


def test_the_daemon_is_detached_and_the_kubeconfig_private(cluster: Cluster) -> None:
    daemon = daemon_of(cluster.engine)
    assert processes.session(daemon) == daemon.pid
    assert Path(f"/proc/{daemon.pid}/cwd").readlink() == Path("/")
    assert cluster.location.kubeconfig.stat().st_mode & 0o777 == 0o600
    assert cluster.kubectl("config", "current-context").strip() == "kata-shared"


def test_two_starts_at_once_make_one_cluster(start: Start) -> None:
    script = (
        "from kata_lib.engines.embedded import EmbeddedEngine as E\n"
        "print(E('twice').start(lambda line: None).node_host)"
    )
    command = [sys.executable, "-c", script]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    hosts = {process.communicate(timeout=60)[0] for process in both}
    engine = start("twice").engine
    assert len(hosts) == 1
    assert len(list(processes.find_marked(engine.state.mark, DAEMON_MARK))) == 1


def test_down_leaves_nothing_but_logs(start: Start) -> None:
    cluster = start("down")
    cluster.deploy("v1")
    engine, run = cluster.engine, cluster.engine.state.run
    address = urlsplit(read_json(engine.state.daemon)["server"])  # type: ignore[index]
    engine.stop()
    assert marked(engine) == []
    assert [path.name for path in engine.state.home.iterdir()] == ["logs"]
    assert not run.exists()
    assert engine.where() is None
    with socket.socket() as client:
        assert client.connect_ex((address.hostname, address.port)) != 0
    engine.stop()


def test_down_cleans_up_after_a_daemon_that_was_killed(start: Start) -> None:
    cluster = start("killed")
    cluster.deploy("v1")
    engine = cluster.engine
    kill_daemon(engine)
    assert engine.where() is None
    assert len(marked(engine)) >= 5
    engine.stop()
    assert marked(engine) == []
    assert [path.name for path in engine.state.home.iterdir()] == ["logs"]


def test_a_stale_daemon_json_says_nothing(start: Start) -> None:
    cluster = start("stale")
    engine = cluster.engine
    known = read_json(engine.state.daemon)
    kill_daemon(engine)
    write_json(engine.state.daemon, {**(known or {}), "pid": os.getpid()})  # the pid is another's by now
    assert engine.where() is None
    assert engine.start(quiet).kubeconfig.exists()


def test_a_start_that_fails_leaves_nothing(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KATA_ADDRESSES", "clouds")
    with pytest.raises(EngineError, match="'clouds'"):
        start("failed")
    engine = EmbeddedEngine("failed", APPLICATION)
    assert [path.name for path in engine.state.home.iterdir()] == ["logs"]


def test_a_daemon_that_ends_shows_the_end_of_its_log(start: Start) -> None:
    engine = start("damaged").engine
    kill_daemon(engine)
    for suffix in ("-wal", "-shm"):
        Path(f"{engine.state.store}{suffix}").unlink(missing_ok=True)
    engine.state.store.write_bytes(b"no database" * 1000)
    with pytest.raises(EngineError, match="file is not a database"):
        engine.start(quiet)
    assert engine.where() is None
    assert engine.state.store.exists()


def test_clusters_stand_side_by_side(cluster: Cluster, start: Start) -> None:
    other = start("other")
    other.kubectl("create", "configmap", "mine")
    assert "mine" not in cluster.kubectl("get", "configmaps")
    assert other.location.node_host != cluster.location.node_host
    other.engine.stop()
    assert "name-v1" in cluster.kubectl("get", "pods")


def test_the_kubeconfig_stays_valid_over_a_restart(start: Start) -> None:
    cluster = start("kept")
    before = cluster.location.kubeconfig.read_text()
    kill_daemon(cluster.engine)
    cluster.engine.start(quiet)
    assert cluster.location.kubeconfig.read_text() == before


def test_killing_the_daemon_fails_no_request_and_loses_no_pod(cluster: Cluster) -> None:
    before = containers(cluster)
    with application.Sampler(cluster.url(), 100) as sampler:
        until(lambda: len(sampler.frame()) > 20)
        kill_daemon(cluster.engine)
        seen = len(sampler.frame())
        until(lambda: len(sampler.frame()) > seen + 50)
        cluster.engine.start(quiet)
        seen = len(sampler.frame())
        until(lambda: len(sampler.frame()) > seen + 50)
    frame = sampler.frame()
    assert frame["status"].eq(200).all()
    assert containers(cluster) == before


def test_a_pod_that_was_leaving_when_the_daemon_was_killed_goes(cluster: Cluster) -> None:
    before = containers(cluster)
    pod = next(name.split("/")[0] for name in before if name.endswith("/age"))
    cluster.kubectl("delete", "pod", pod, "--wait=false")
    kill_daemon(cluster.engine)
    cluster.engine.start(quiet)
    cluster.kubectl("wait", "--for=delete", f"pod/{pod}", "--timeout=20s")
    cluster.kubectl("rollout", "status", "deployment/age", "--timeout=20s")
    uids = {owner.split("/")[0] for _, owner in processes.find_marked(cluster.engine.state.mark)}
    assert len(uids) == 1 + len(before) // 2


def test_what_died_with_the_daemon_is_started_again_and_strays_are_ended(cluster: Cluster) -> None:
    before = containers(cluster)
    victim = next(name for name in before if name.endswith("/age"))
    kill_daemon(cluster.engine)
    os.kill(pid_of(before[victim]), signal.SIGKILL)
    env = {processes.POD_MARK: f"{cluster.engine.state.mark}:unknown/main"}
    stray = processes.spawn(("/bin/sleep", "60"), env, cluster.engine.state.logs / "stray.log")
    cluster.engine.start(quiet)
    until(lambda: not processes.alive(stray))
    processes.reap(stray.pid)
    cluster.kubectl("wait", "--for=condition=Ready", "pod", "--all", "--timeout=30s")
    after = containers(cluster)
    assert {name for name in after if after[name] != before[name]} == {victim}
    pod = victim.split("/")[0]
    reason = "{.status.containerStatuses[?(@.name=='age')].lastState.terminated.reason}"
    shown = cluster.kubectl("get", "pod", pod, f"--output=jsonpath={reason}")
    assert shown == "ContainerStatusUnknown"


def test_the_plan_of_ports_runs_a_cluster(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KATA_ADDRESSES", "ports")
    cluster = start("ports")
    assert cluster.location.node_host == "127.0.0.1"
    cluster.kubectl("label", "namespace", "default", "istio-injection=enabled")
    cluster.deploy("v1", "v2", "virtual-service-canary.yaml")
    before = containers(cluster)
    kill_daemon(cluster.engine)
    cluster.engine.start(quiet)
    assert containers(cluster) == before
    frame = application.sample(cluster.url(), requests=100)
    assert frame["status"].eq(200).all()
