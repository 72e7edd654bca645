"""The kata command as a learner uses it, on a cluster of its own."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import patch

import commands
import pytest
from commands import Said
from homes import home

from kata_lib.course.application import APPLICATION
from kata_lib.engines.embedded import EmbeddedEngine
from kata_lib.machine import PROJECT

COMMAND_SECONDS = 180
Kata = Callable[..., Said]
OF_ITS_OWN = ("up", "down")
"""The commands that begin and end a cluster: a process of their own here, which the cluster outlives."""


@pytest.fixture(scope="module")
def kata() -> Iterator[Kata]:
    """Yield the command with a home of its own; what it started is removed afterwards."""
    with home() as folder:
        variables = {"KATA_HOME": str(folder), "COLUMNS": "120"}

        def run(*arguments: str, code: int = 0) -> Said:
            of_its_own = arguments[0] in OF_ITS_OWN
            done = (_started if of_its_own else commands.kata)(*arguments, **variables)
            assert done.code == code, done.stdout + done.stderr
            return done

        with patch.dict(os.environ, KATA_HOME=str(folder)):
            yield run
            for name in ("kata", "other"):
                EmbeddedEngine(name, APPLICATION).stop()


def _started(*arguments: str, **variables: str) -> Said:
    environment = {**os.environ, **variables, "PYTHONPATH": str(PROJECT)}
    environment.pop("KATA_NAME", None)
    command = [sys.executable, "-m", "kata_lib.cli", *arguments]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False
    )
    assert "Traceback" not in done.stderr
    return Said(done.stdout, done.stderr, done.returncode)


@pytest.fixture(scope="module")
def canary(kata: Kata) -> Kata:
    kata("up")
    kata("apply", "deploy/v1", "deploy/v2", "deploy/virtual-service-canary.yaml")
    return kata


def sentences_pod(kata: Kata) -> str:
    lines = kata("status").stdout.splitlines()
    return next(line.split()[0] for line in lines if "sentences-" in line)


def test_status_shows_pods_and_shares(canary: Kata) -> None:
    said = canary("status").stdout
    assert said.count("2/2") == 5
    assert re.search(r"name: v1 90\.0 %, v2 10\.0 %, as the sidecar of sentences-\S+ has it\.", said)


def test_a_sample_as_json(canary: Kata) -> None:
    found = json.loads(canary("sample", "-n", "300", "--json").stdout)
    assert (found["requests"], found["failures"]) == (300, 0)
    assert found["versions"]["v2"]["low"] < 0.2


def test_weights_take_effect(canary: Kata) -> None:
    assert canary("weights", "name-v2=100").stdout == "name-v1  0\nname-v2  100\n"
    assert "v1" not in json.loads(canary("sample", "-n", "50", "--json").stdout)["versions"]
    canary("apply", "deploy/virtual-service-canary.yaml")
    assert canary("weights").stdout == "name-v1  90\nname-v2  10\n"
    assert "cannot be negative" in canary("weights", "name-v2=-5", code=1).stderr


def test_url_and_kubeconfig_and_logs(canary: Kata) -> None:
    assert canary("url").stdout.startswith("http://127.")
    assert Path(canary("kubeconfig").stdout.strip()).stat().st_mode & 0o077 == 0
    assert "listens on" in canary("logs", sentences_pod(canary)).stdout


def test_proxy_config_is_what_envoy_has(canary: Kata) -> None:
    pod = sentences_pod(canary)
    routes = canary("proxy-config", "routes", pod).stdout
    assert {10, 90} <= {c["weight"] for c in weighted_clusters(json.loads(routes))}
    clusters = json.loads(canary("proxy-config", "clusters", pod).stdout)
    assert "outbound|5000|name-v2|name.default.svc.cluster.local" in [c["name"] for c in clusters]
    endpoints = json.loads(canary("proxy-config", "endpoints", pod).stdout)
    assert any(e["cluster_name"].startswith("outbound|5000|name-v2|") for e in endpoints)


def weighted_clusters(found: object) -> list[dict[str, int]]:
    """Return all weighted clusters at any depth of a JSON value."""
    if isinstance(found, dict):
        here = found.get("weighted_clusters", {}).get("clusters", [])
        return [*here, *(c for value in found.values() for c in weighted_clusters(value))]
    return [c for value in found for c in weighted_clusters(value)] if isinstance(found, list) else []


@pytest.mark.needs("kubectl")
def test_kata_and_kubectl_take_turns(canary: Kata) -> None:
    path = "deploy/virtual-service-canary.yaml"
    config = canary("kubeconfig").stdout.strip()
    by_hand = ["kubectl", f"--kubeconfig={config}", "apply", f"--filename={PROJECT / path}"]

    def apply_by_hand() -> list[str]:
        done = subprocess.run(by_hand, capture_output=True, text=True, timeout=60, check=True)
        assert done.stderr == ""
        return [line.split()[-1] for line in done.stdout.splitlines()]

    assert apply_by_hand() == ["unchanged", "unchanged"]
    canary("weights", "name-v2=30")
    assert apply_by_hand() == ["unchanged", "configured"]
    assert canary("apply", path).stdout.count("unchanged") == 2


def test_a_killed_daemon_is_found_again(canary: Kata) -> None:
    before = canary("status").stdout
    os.kill(json.loads(EmbeddedEngine("kata", APPLICATION).state.daemon.read_text())["pid"], signal.SIGKILL)
    canary("up")
    assert canary("status").stdout == before
    assert json.loads(canary("sample", "-n", "50", "--json").stdout)["failures"] == 0


def test_clusters_side_by_side(canary: Kata) -> None:
    canary("up", "--name", "other")
    assert "no pods" in canary("--name", "other", "status").stdout
    canary("down", "--name=other")
    assert "does not run. `kata up`" in canary("status", "--name", "other", code=1).stderr
    assert canary("status").stdout.count("2/2") == 5


def test_delete_in_the_katas_order_and_down(canary: Kata) -> None:
    said = canary("delete", "deploy/v1", "deploy/v2", "deploy/virtual-service-canary-promote.yaml").stdout
    assert said.count(" deleted") == 9
    canary("down")
    assert sorted(p.name for p in EmbeddedEngine("kata", APPLICATION).state.home.iterdir()) == ["logs"]
