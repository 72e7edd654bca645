"""istioctl reads the embedded cluster, and what its Envoys have in force."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from embedded.engine_cluster import DEPLOY, Cluster
from kata_lib.cluster.cluster import Cluster as Library
from kata_lib.mesh import proxy_config

pytestmark = pytest.mark.needs("istioctl")

CANARY = str(DEPLOY / "virtual-service-canary.yaml")


@pytest.fixture(scope="module")
def canary(cluster: Cluster) -> Iterator[Cluster]:
    """The shared cluster, with a tenth of the traffic sent to v2."""
    cluster.kubectl("apply", "--filename", CANARY)
    yield cluster
    cluster.kubectl("delete", "--filename", CANARY)


def istioctl(cluster: Cluster, *words: str) -> str:
    command = ["istioctl", f"--kubeconfig={cluster.location.kubeconfig}", "--namespace=default", *words]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


@pytest.fixture
def dump(canary: Cluster, tmp_path: Path) -> Path:
    """What the calling sidecar has in force, as `kata proxy-config all POD` prints it."""
    pod = canary.kubectl("get", "pods", "-l=app=sentences", "--output=jsonpath={.items[0].metadata.name}")
    file = tmp_path / "dump.json"
    file.write_text(json.dumps(proxy_config.dump(Library(canary.location.kubeconfig), pod)))
    return file


def test_nothing_is_wrong_with_the_canary(canary: Cluster) -> None:
    assert json.loads(istioctl(canary, "analyze", "--output=json")) == []
    istioctl(canary, "validate", "--filename", CANARY)
    istioctl(canary, "experimental", "precheck")


def test_a_missing_subset_is_found(canary: Cluster, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(Path(CANARY).read_text().replace("subset: name-v2", "subset: name-v9"))
    found = json.loads(istioctl(canary, "analyze", "--output=json", str(wrong)))
    assert "IST0101" in {message["code"] for message in found}


def test_the_routes_in_force(canary: Cluster, dump: Path) -> None:
    tables = json.loads(istioctl(canary, "proxy-config", "routes", f"--file={dump}", "--output=json"))
    routes = [
        route["route"]
        for table in tables
        for host in table["virtualHosts"]
        if host["name"].startswith("name.default.svc.cluster.local")
        for route in host["routes"]
    ]
    weights = [[one["weight"] for one in route["weightedClusters"]["clusters"]] for route in routes]
    assert all(sorted(found) == [10, 90] for found in weights)
    assert weights


@pytest.mark.parametrize("section", ["listeners", "clusters"])
def test_the_other_sections_of_a_dump_are_read(canary: Cluster, dump: Path, section: str) -> None:
    lines = istioctl(canary, "proxy-config", section, f"--file={dump}").splitlines()
    assert len(lines) > 1
