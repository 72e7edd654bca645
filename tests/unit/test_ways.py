"""kata_lib.engines.ways: where a gateway answers on a cluster that promises no node port for it."""

import json
import stat
import sys
from pathlib import Path

import psutil
import pytest
from api_server import Api

from kata_lib.cluster import waiting
from kata_lib.cluster.cluster import Cluster
from kata_lib.cluster.location import Entry, Location
from kata_lib.course import application
from kata_lib.engines import forward, ways
from kata_lib.engines.folder import WAYS
from kata_lib.errors import ClusterError, EngineError

ENTRY = Entry("sentences", "http://127.0.0.1:1/", 30500)

KUBECTL = f"""#!{sys.executable}
import socket, sys, time
from pathlib import Path
here = Path(__file__).parent
if "get" in sys.argv:
    gone = (here / "gone").exists()
    sys.exit('Error from server (NotFound): services "gateway" not found' if gone else 0)
if (here / "broken").exists():
    sys.exit("error: unable to forward port because pod is not running")
with socket.create_server(("127.0.0.1", int(sys.argv[-1].partition(":")[0]))):
    while not (here / "gone").exists():
        time.sleep(0.02)
"""
"""Listens where `kubectl port-forward` would, as long as its Service is there."""


@pytest.fixture
def kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a kubectl that forwards nothing; files in it say how it fails."""
    file = tmp_path / "kubectl"
    file.write_text(KUBECTL)
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(forward, "program", lambda name: str(file))
    return tmp_path


@pytest.fixture
def cluster(api: Api, kubectl: Path) -> "Cluster":
    """Return a cluster with a gateway, and one entry, which is not the gateway's."""
    kubeconfig = kubectl / "home" / "kubeconfig"
    (kubeconfig.parent / "logs").mkdir(parents=True)
    kubeconfig.write_text(api.cluster().kubeconfig.read_text())
    made = Cluster.at(Location(kubeconfig, "127.0.0.1", ENTRY))
    made.apply("deploy/gateway")
    return made


def processes(cluster: Cluster) -> list[int]:
    """Return the pids of the ways that are noted."""
    noted = json.loads((cluster.kubeconfig.parent / WAYS).read_text())
    return [process[0] for _, process in noted.values()]


def test_a_gateway_has_one_way_until_the_cluster_goes(cluster: Cluster) -> None:
    url = application.url(cluster, "gateway")
    assert application.url(cluster, "gateway", "http") == application.url(cluster, "gateway", "80") == url
    by_tls = application.url(cluster, "gateway", "https")
    assert by_tls.startswith("https://127.0.0.1:")
    assert by_tls != url.replace("http", "https")
    first, second = processes(cluster)
    ways.end(cluster.kubeconfig.parent)
    assert not psutil.pid_exists(first)
    assert not psutil.pid_exists(second)
    assert application.url(cluster, "gateway") == url, "a loop in a terminal goes on asking there"
    cluster.kubeconfig.unlink()
    again = processes(cluster)[0]
    assert waiting.holds(lambda: not forward.runs((again, psutil.Process(again).create_time())), 20)


def test_a_way_ends_with_its_service(cluster: Cluster, kubectl: Path) -> None:
    application.url(cluster, "gateway")
    way = psutil.Process(processes(cluster)[0])
    (kubectl / "gone").touch()
    assert way.wait(20) is not None


def test_what_kubectl_says_of_a_way_that_does_not_open(
    cluster: Cluster, kubectl: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ways, "READY_SECONDS", 2.0)
    (kubectl / "broken").touch()
    with pytest.raises(EngineError, match="way to gateway could not be opened: error: unable to forward"):
        application.url(cluster, "gateway")


def test_a_port_or_a_service_that_is_not_there(cluster: Cluster) -> None:
    with pytest.raises(ClusterError, match="no port grpc; there are: 80 http, 443 https"):
        application.url(cluster, "gateway", "grpc")
    with pytest.raises(ClusterError, match="no Service 'door'"):
        application.url(cluster, "door")


def test_the_entry_is_no_way(cluster: Cluster) -> None:
    cluster.apply("deploy/v1")
    assert application.url(cluster) == application.url(cluster, "sentences") == ENTRY.url
    assert not (cluster.kubeconfig.parent / WAYS).exists()


def test_on_a_shared_cluster_a_node_port_is_taken_where_nodes_answer_and_there_is_one(
    cluster: Cluster,
) -> None:
    shared = Cluster.at(Location(cluster.kubeconfig, "127.0.0.9", shared=True))
    assert application.url(shared, "gateway").startswith("http://127.0.0.9:3")
    assert application.url(shared, "gateway", "https").startswith("https://127.0.0.9:3")
    cluster.patch("v1", "Service", "gateway", {"spec": {"type": "ClusterIP"}})
    assert application.url(shared, "gateway").startswith("http://127.0.0.1:")
    ways.end(cluster.kubeconfig.parent)
