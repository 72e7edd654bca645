"""kata doctor beside a running cluster, and progress that outlives it."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from embedded.engine_cluster import Cluster, Start
from kata_lib import versions
from kata_lib.cli import doctor
from kata_lib.cluster import cluster as library
from kata_lib.course import progress
from kata_lib.engines.need import Need
from kata_lib.files import read_json
from kata_lib.lab.lab import Lab


@pytest.fixture(autouse=True)
def _as_a_learner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KATA_ENGINE", raising=False)
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)


def found(report: doctor.Report, check: str) -> Need:
    (finding,) = [f for f in [*report.machine, *report.engines["embedded"]] if f.check == check]
    return finding


def test_a_healthy_cluster_lacks_nothing(cluster: Cluster) -> None:
    report = doctor.examine("shared")
    assert report.ready, report.text()
    assert found(report, "cluster").status == "ok"
    assert "'shared' runs, 5 of 5 pods ready" in found(report, "cluster").found
    assert found(report, "envoy").found == f"{versions.ENVOY} runs"
    assert found(report, "loopback").found == "the running cluster has its addresses"
    sockets = found(report, "sockets").found
    assert str(cluster.engine.state.run) in sockets
    longest = max(cluster.engine.state.run.glob("????????-*.sock"), key=lambda path: len(str(path)))
    assert sockets.startswith(f"{len(str(longest))} of ")


def test_a_daemon_that_hangs_is_found_in_time(start: Start) -> None:
    engine = start("hangs").engine
    daemon = (read_json(engine.state.daemon) or {})["pid"]
    os.kill(daemon, signal.SIGSTOP)
    try:
        began = time.monotonic()
        report = doctor.examine("hangs")
        assert time.monotonic() - began < 3.5
    finally:
        os.kill(daemon, signal.SIGCONT)
    assert not report.ready
    assert "'hangs' runs, and kubectl gets no answer: nothing within 2 s" in found(report, "cluster").found


def test_a_check_is_noted_and_outlives_the_cluster(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KATA_NAME", "learner")
    made = start("learner")
    made.kubectl("label", "namespace", "default", "istio-injection=enabled")
    lab = Lab(made.engine, library.Cluster(made.location.kubeconfig, node_host=made.location.node_host))
    assert lab.check("v1-runs", ...).verdict == "not enough yet"
    lab.apply("deploy/v1")
    result = lab.check("v1-runs", lab.sample(requests=50))
    assert result.verdict == "right", result
    made.engine.stop()
    assert [path.name for path in made.engine.state.home.iterdir()] == ["logs"]
    assert progress.place().parent == made.engine.state.home.parent
    noted = progress.load().checks["v1-runs"]
    assert noted.tries == 2
    assert noted.right is not None
