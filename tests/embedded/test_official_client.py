"""The official Kubernetes client of Python finds here what it expects of an API server.

Its locked release is the one that learners have, the oldest that goes with the API's version; the newer ones
that do are installed beside it, each in a folder of its own: a release of 37 is of a new generation, whose
packages do not fit the others'.
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import installing
import pip_settings
import pytest

from embedded.engine_cluster import Cluster
from kata_lib.machine import PROJECT

PROGRAM = Path(__file__).with_name("official_client.py")
LOCKS = PROJECT / "tests" / "clients"
INSTALLED = PROJECT / ".kata" / "clients"
LIMIT = 300.0

RELEASES = ["locked", *sorted(file.stem for file in LOCKS.glob("*.lock"))]
LISTS = ["Namespace", "Node", "Pod", "Service", "CoreV1Event", "Secret", "ServiceAccount", "ReplicaSet"]
LISTS += ["EndpointSlice", "CustomResourceDefinition", "Lease", "ClusterRole", "Ingress", "Job"]
ANSWERS: dict[str, Any] = {
    "discovery": ["1", ["v1"], ["apps", "networking.istio.io"], "v1", True],
    "typed_lists": [
        *(f"{'' if kind.startswith('Core') else 'V1'}{kind}List" for kind in LISTS),
        "V1PodDisruptionBudgetList",
        "V2HorizontalPodAutoscalerList",
    ],
    "a_deployment_is_made": [1, "RollingUpdate"],
    "it_is_patched": [{"a": "b"}, {"a": "c"}],
    "it_is_scaled": 2,
    "it_is_replaced": "here",
    "a_pod_is_waited_for_and_its_log_read": True,
    "istios_objects": {"host": "age", "subsets": [{"name": "all"}]},
    "istios_objects_dynamically": ["age", "all", True],
    "what_is_not_there": [404, "Not Found", 'configmaps "nothing" not found'],
    "a_watch": [["ADDED", "1"], ["MODIFIED", "2"], ["DELETED", "2"]],
    "a_manifest": {"a": "b"},
    "a_review": True,
    "coroutines": ["m"],
}
NOT_THERE = {("locked", "coroutines"): "ModuleNotFoundError: No module named 'kubernetes.aio'"}


@pytest.fixture(scope="module")
def answers(cluster: Cluster) -> Callable[[str], Any]:
    """Return what returns the answers that a release of the client gets, in a namespace of its own."""

    @cache
    def answers(release: str) -> Any:
        namespace = f"client-{release}"
        cluster.kubectl("create", "namespace", namespace)
        path = {"PYTHONPATH": str(_installed(release))} if release != "locked" else {}
        command = [sys.executable, str(PROGRAM), str(cluster.location.kubeconfig), namespace]
        run = subprocess.run(
            command, env={**os.environ, **path}, capture_output=True, text=True, timeout=LIMIT
        )
        cluster.kubectl("delete", "namespace", namespace, "--wait=false")
        assert run.returncode == 0, run.stderr
        return json.loads(run.stdout)

    return answers


def _installed(release: str) -> Path:
    """Return the folder that holds a release and what it needs, as its lock file says; install it once."""
    lock = LOCKS / f"{release}.lock"
    folder = INSTALLED / f"{release}-{hashlib.sha256(lock.read_bytes()).hexdigest()[:12]}"
    if not folder.exists():
        INSTALLED.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=INSTALLED) as unfinished:
            target = Path(unfinished) / "packages"
            _install(lock, target)
            target.rename(folder)
    return folder


def _install(lock: Path, target: Path) -> None:
    """Install what a lock file has into a folder: by uv where it can be told pip's settings."""
    settings = pip_settings.for_uv(installing.listed(sys.executable), os.environ)
    uv = [str(Path(sys.executable).with_name("uv")), "pip", "install", "--python", sys.executable]
    pip = [sys.executable, "-m", "pip", "install"]
    words = ["--quiet", "--no-compile", *installing.HASHED, "--target", str(target), "-r", str(lock)]
    environment = {**os.environ, **(settings or {})}
    subprocess.run([*(pip if settings is None else uv), *words], check=True, timeout=LIMIT, env=environment)


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("step", ANSWERS)
def test_the_client_gets_its_answers(release: str, step: str, answers: Callable[[str], Any]) -> None:
    assert answers(release)[step] == NOT_THERE.get((release, step), ANSWERS[step])


@pytest.mark.parametrize("release", RELEASES)
def test_every_step_has_its_answer(release: str, answers: Callable[[str], Any]) -> None:
    assert answers(release).keys() == ANSWERS.keys()
