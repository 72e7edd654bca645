"""kata_lib.mesh.proxy_counters, on what an Envoy of a real Istio said (tests/reference/envoy)."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from fake_api import make_cluster

from kata_lib.cluster.cluster import Cluster
from kata_lib.mesh import proxy_counters, telemetry

REFERENCE = Path(__file__).parents[1] / "reference" / "envoy"
ADDRESSES = {"name-v1-0": "10.244.0.7", "name-v1-1": "10.244.0.9", "name-v2-0": "10.244.0.5"}
ADDRESSES |= {"age-0": "10.244.0.8", "sentences-0": "10.244.0.6"}


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """The canary, with the addresses that the pods had."""
    cluster, api = make_cluster(monkeypatch)
    for path in ("deploy/v1", "deploy/v2", "deploy/virtual-service-canary.yaml"):
        cluster.apply(path)
    for path, obj in api.objects.items():
        if "/pods/" in path:
            obj["status"]["podIP"] = ADDRESSES[obj["metadata"]["name"]]
    return cluster


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
    assert telemetry.by_version(table, "name")["requests"].to_dict() == {"v1": 177, "v2": 23}
    assert telemetry.by_version(table, "name")["mean ms"].isna().all()
    sent = telemetry.edges(table).loc["source"]
    assert sent["requests"].sum() == 400
    received = telemetry.edges(table).loc["destination"].reset_index().iloc[0]
    assert received[["source", "destination", "code"]].tolist() == ["unknown", "sentences", "not 5xx"]


def test_failures_are_told_apart() -> None:
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
