"""kata_lib.mesh.in_force and proxy_counters, on what Envoys of a real Istio said (reference/envoy)."""

import copy
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_api import FakeApi, make_cluster

from kata_lib.cluster import manifests
from kata_lib.cluster.cluster import Cluster
from kata_lib.cluster.location import Entry
from kata_lib.errors import ClusterError, WaitTimeout
from kata_lib.mesh import in_force, proxy_config, proxy_counters, telemetry
from kata_lib.mesh import weights as mesh
from kata_lib.mesh.in_force import endpoints_in_force, routes_in_force, written_routes

REFERENCE = Path(__file__).parents[1] / "reference" / "envoy"
ADDRESSES = {"name-v1-0": "10.244.0.7", "name-v1-1": "10.244.0.9", "name-v2-0": "10.244.0.5"}
ADDRESSES |= {"age-0": "10.244.0.8", "sentences-0": "10.244.0.6"}
REAL_MISSING = in_force.missing


@pytest.fixture
def dump() -> Any:
    return json.loads((REFERENCE / "config_dump.json").read_text())


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch, dump: Any) -> Cluster:
    """The canary, as the sidecar of sentences has it."""
    cluster, api = make_cluster(monkeypatch)
    monkeypatch.setattr(in_force, "missing", REAL_MISSING)
    monkeypatch.setattr(proxy_config, "dump", lambda cluster, pod: dump)
    for path in ("deploy/v1", "deploy/v2", "deploy/virtual-service-canary.yaml"):
        cluster.apply(path)
    give_addresses(api)
    return cluster


def give_addresses(api: FakeApi) -> None:
    for path, obj in api.objects.items():
        if "/pods/" in path:
            obj["status"]["podIP"] = ADDRESSES[obj["metadata"]["name"]]


def test_what_is_in_force_is_what_was_applied(cluster: Cluster) -> None:
    assert in_force.missing(cluster) == []
    in_force.until(cluster)


def test_new_weights_are_waited_for(cluster: Cluster) -> None:
    mesh.set_weights(cluster, {"name-v2": 20})
    (line,) = in_force.missing(cluster)
    assert line.startswith("sentences-0: its routes to name are [{'name-v1': 0.9, 'name-v2': 0.1}], not [{")
    with pytest.raises(WaitTimeout, match=r"lag behind after 0\.1 s\. Last seen: sentences-0: its routes"):
        in_force.until(cluster, timeout=0.1)


def test_a_deleted_route_is_waited_for(cluster: Cluster) -> None:
    cluster.delete("deploy/virtual-service-canary.yaml")
    lines = " ".join(in_force.missing(cluster))
    assert "not [{'name': 1.0}]" in lines
    assert "does not know yet of name's name-v1, name-v2" in lines


def test_pods_that_come_and_go_are_waited_for(cluster: Cluster, dump: Any) -> None:
    assert endpoints_in_force(dump, "name", "default")["name-v2"] == {"10.244.0.5"}
    del cluster.api.objects[cluster.api.path("v1", "Pod", "name-v2-0")]  # type: ignore[attr-defined]
    assert in_force.missing(cluster) == [
        "sentences-0: it knows 1 pods of name-v2, and 0 are ready",
        "sentences-0: it knows 3 pods of name, and 2 are ready",
    ]


def test_without_a_caller_there_is_nothing_to_wait_for(cluster: Cluster) -> None:
    cluster.delete("deploy/v1")
    assert in_force.missing(cluster) == []


def test_a_promotion_makes_one_destination_of_two(dump: Any) -> None:
    rule = manifests.load("deploy/virtual-service-canary-promote.yaml")[1]
    assert written_routes(rule, "name") == [{"name-v2": 1.0}]
    (table,) = [c for c in dump["configs"] if c["@type"].endswith("RoutesConfigDump")]
    for host in table["dynamic_route_configs"][0]["route_config"]["virtual_hosts"]:
        if host["name"].startswith("name."):
            host["routes"][0]["route"] = {"cluster": "outbound|5000|name-v2|name.default.svc.cluster.local"}
    assert routes_in_force(dump, "name", "default") == [{"name-v2": 1.0}]
    assert routes_in_force(dump, "king", "default") is None


def test_a_rule_makes_a_route_for_each_match_and_the_last_one_ends() -> None:
    to = [{"destination": {"host": "name", "subset": "name-v2"}}]
    rule = {"match": [{"uri": {"prefix": "/a"}}, {"uri": {"prefix": "/b"}}], "route": to}
    http = [rule, {"redirect": {"uri": "/"}}, {"route": to}]
    assert written_routes({"spec": {"http": http}}, "name") == [{"name-v2": 1.0}, {"name-v2": 1.0}, {}]


def test_a_delegate_is_not_compared(cluster: Cluster) -> None:
    body = {"spec": {"http": [{"delegate": {"name": "other"}}]}}
    cluster.patch(mesh.ISTIO, "VirtualService", "name", body)
    assert not [line for line in in_force.missing(cluster) if "routes" in line]


@pytest.fixture
def service() -> Iterator[str]:
    """The URL of a service that answers its probes."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/healthz" else 500)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_one_entry_is_waited_for(cluster: Cluster, service: str) -> None:
    cluster.entry = Entry("sentences", service, 30500)
    in_force.until(cluster)
    cluster.entry = Entry("sentences", "http://127.0.0.1:9/", 30500)
    with pytest.raises(WaitTimeout, match=r"way to the sentences service is not open.*:9/ does not"):
        in_force.until(cluster, timeout=0.1)


def test_the_sentences_service_gets_the_port_that_is_published(cluster: Cluster) -> None:
    cluster.entry = Entry("sentences", "http://127.0.0.1:30501/", 30500)
    assert cluster.url("sentences") == "http://127.0.0.1:30501/"
    found = cluster.get("v1", "Service", "sentences")
    assert found
    assert [(p["port"], p["nodePort"]) for p in found["spec"]["ports"]] == [(5000, 30500)]
    cluster.patch("v1", "Service", "age", {"spec": {"ports": [{"port": 5000, "nodePort": 31000}]}})
    with pytest.raises(ClusterError, match="only sentences answers from outside, not 'age'"):
        cluster.url("age")


@pytest.mark.parametrize(
    ("image", "used"),
    [
        ("registry.example:5000/sentences", "registry.example:5000/sentences:v1"),
        ("registry.example:5000/sentences:of-2026", "registry.example:5000/sentences:of-2026"),
        ("", "kata/sentences:v1"),
    ],
)
def test_the_instructors_image_stands_for_the_workshops(image: str, used: str, cluster: Cluster) -> None:
    cluster.images = {"kata/sentences": image} if image else {}
    cluster.delete("deploy/v1")
    cluster.apply("deploy/v1")
    found = cluster.get("apps/v1", "Deployment", "age")
    assert found
    assert found["spec"]["template"]["spec"]["containers"][0]["image"] == used
    assert cluster.apply("deploy/v1")[1] == "deployment.apps/age unchanged"


def counted(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return what is counted where one Envoy tells, and Istio's own counters are not."""
    status = json.loads((REFERENCE / "clusters.json").read_text())
    nothing: Any = {"cluster_statuses": []}
    monkeypatch.setattr(Cluster, "ask_agent", lambda self, pod, path: "envoy_server_uptime 7\n")
    monkeypatch.setattr(
        Cluster,
        "ask_envoy",
        lambda self, pod, path: json.dumps(status if pod == "sentences-0" else nothing),
    )
    return telemetry.counters(cluster)


def test_envoys_own_counters_stand_for_istios(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    table = counted(cluster, monkeypatch)
    assert table.attrs["source"] == telemetry.ENVOYS_OWN
    assert telemetry.by_version(table)["requests"].to_dict() == {"v1": 177, "v2": 23}
    assert telemetry.by_version(table)["mean ms"].isna().all()
    sent = telemetry.edges(table).loc["source"]
    assert sent["requests"].sum() == 400
    received = telemetry.edges(table).loc["destination"].reset_index().iloc[0]
    assert received[["source", "destination", "code"]].tolist() == ["unknown", "sentences-0", "not 5xx"]


def test_failures_are_told_apart(dump: Any) -> None:
    status = json.loads((REFERENCE / "clusters.json").read_text())
    called = {"metadata": {"name": "name-v2-x", "labels": {"version": "v2"}}}
    failing = copy.deepcopy(status)
    for entry in failing["cluster_statuses"]:
        if "name-v2" in entry["name"]:
            for stat in entry["host_statuses"][0]["stats"]:
                if stat["name"] == "rq_error":
                    stat["value"] = "5"
    pod = {"metadata": {"name": "sentences-x"}}
    rows = proxy_counters.rows(failing, pod, {"10.244.0.5": called})
    of_v2 = {labels["response_code"]: n for labels, n in rows if labels.get("destination_version") == "v2"}
    assert of_v2 == {"not 5xx": 23, "5xx": 5}
    table = telemetry.plain("sentences-x", rows)
    assert sum(row["requests"] for row in table.values()) == sum(n for _, n in rows)
