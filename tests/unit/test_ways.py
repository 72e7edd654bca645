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
from kata_lib.engines import forward, ports, ways
from kata_lib.engines.folder import WAYS
from kata_lib.errors import ClusterError, EngineError

ENTRY = Entry("sentences", "http://127.0.0.1:1/", 30500)

KUBECTL = f"""#!{sys.executable}
import socket, sys, time
from pathlib import Path
if (Path(__file__).parent / "broken").exists():
    sys.exit("error: unable to forward port because pod is not running")
with socket.create_server(("127.0.0.1", int(sys.argv[-1].partition(":")[0]))):
    time.sleep(600)
"""
"""Listens where `kubectl port-forward` would."""


@pytest.fixture
def kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a kubectl that forwards nothing; a file `broken` in it has it fail."""
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


def led_to(cluster: Cluster, url: str) -> str:
    """Return the pod to which a way leads."""
    (process, *_) = processes(cluster)
    return forward.leads_to((process, psutil.Process(process).create_time()), int(url.split(":")[2][:-1]))


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
    way = psutil.Process(processes(cluster)[0])
    kubectl = way.children()
    cluster.kubeconfig.unlink()
    assert way.wait(20) is not None
    assert not any(child.is_running() for child in kubectl)


def test_a_way_leads_to_the_pod_that_is_ready_now(cluster: Cluster) -> None:
    url = application.url(cluster, "gateway")
    (before,) = cluster.pods("istio=gateway")
    assert led_to(cluster, url) == before["metadata"]["name"]
    cluster.remove("v1", "Pod", before["metadata"]["name"])
    assert application.url(cluster, "gateway") == url
    (after,) = cluster.pods("istio=gateway")
    assert led_to(cluster, url) == after["metadata"]["name"] != before["metadata"]["name"]
    ways.end(cluster.kubeconfig.parent)


def test_a_way_ends_with_its_service_unless_it_lasts(cluster: Cluster) -> None:
    application.url(cluster, "gateway")
    way = psutil.Process(processes(cluster)[0])
    entry = forward.Way(cluster.namespace, "sentences", port=5000, local=ports.choose(None))
    lasting = forward.begin(cluster.kubeconfig, entry, cluster.kubeconfig.parent / "logs" / "log")
    cluster.remove("v1", "Service", "gateway")
    assert way.wait(20) is not None
    cluster.apply("deploy/v1")
    assert waiting.holds(lambda: forward.leads_to(lasting, entry.local).startswith("sentences-"), 20)
    forward.end(lasting)
    assert not forward.runs(lasting)


def test_what_kubectl_says_of_a_way_that_does_not_open(
    cluster: Cluster, kubectl: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (kubectl / "broken").touch()
    log = cluster.kubeconfig.parent / "logs" / "port-forward.log"
    tried = forward.begin(
        cluster.kubeconfig, forward.Way(cluster.namespace, "gateway", 80, ports.choose(None)), log
    )
    assert waiting.holds(lambda: log.read_text() != "", 20)
    forward.end(tried)
    monkeypatch.setattr(ways, "READY_SECONDS", 0.0)
    with pytest.raises(EngineError, match="way to gateway could not be opened: error: unable to forward"):
        application.url(cluster, "gateway")
    cluster.scale("gateway", 0)
    with pytest.raises(EngineError, match="way to gateway could not be opened: none of its pods is ready"):
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
