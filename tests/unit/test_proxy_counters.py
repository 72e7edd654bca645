"""kata_lib.mesh.proxy_counters, on what an Envoy of a real Istio said (tests/reference/envoy)."""

import copy
import json
from pathlib import Path

import pytest
from api_server import Api, StartApi
from counted import OneEnvoy

from kata_lib.mesh import proxy_counters, telemetry

REFERENCE = Path(__file__).parents[1] / "reference" / "envoy"
ADDRESSES = {
    "name-v1": ["10.244.0.7", "10.244.0.9"],
    "name-v2": ["10.244.0.5"],
    "age": ["10.244.0.8"],
    "sentences": ["10.244.0.6"],
}


@pytest.fixture
def api(start_api: StartApi) -> Api:
    """The canary, with the addresses that the pods had."""
    api = start_api("deploy/v1", "deploy/v2", "deploy/virtual-service-canary.yaml")
    cluster = api.cluster()
    for deployment, addresses in ADDRESSES.items():
        for pod, address in zip(api.pods(deployment), addresses, strict=True):
            status = {"podIP": address, "podIPs": [{"ip": address}]}
            cluster.patch("v1", "Pod", pod, {"status": status}, "status")
    api.sidecars = OneEnvoy()
    return api


def test_envoys_own_counters_stand_for_istios(api: Api) -> None:
    table = telemetry.counters(api.cluster())
    assert table.attrs["source"] == telemetry.ENVOYS_OWN
    assert telemetry.by_version(table, "name")["requests"].to_dict() == {"v1": 177, "v2": 23}
    assert telemetry.by_version(table, "name")["mean ms"].isna().all()
    sent = telemetry.edges(table).loc["source"]
    assert sent["requests"].sum() == 400
    received = telemetry.edges(table).loc["destination"].reset_index().iloc[0]
    assert received[["source", "destination", "code"]].tolist() == ["unknown", "sentences", "not 5xx"]


def test_what_a_pod_on_its_way_out_answered_is_still_its_own(api: Api) -> None:
    cluster = api.cluster()
    metadata = {"name": "leaving", "labels": {"app": "name", "version": "v2"}, "finalizers": ["kata/test"]}
    containers = [{"name": "name", "image": "kata/sentences:v2"}]
    cluster.create(
        {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": containers}}
    )
    (address,) = ADDRESSES["name-v2"]
    status = {"podIP": address, "podIPs": [{"ip": address}]}
    cluster.patch("v1", "Pod", "leaving", {"status": status}, "status")
    cluster.scale("name-v2", 0)
    cluster.remove("v1", "Pod", "leaving")
    table = telemetry.counters(cluster)
    assert telemetry.by_version(table, "name")["requests"].to_dict() == {"v1": 177, "v2": 23}
    assert set(table.attrs["asked"]) == {pod["metadata"]["name"] for pod in cluster.pods()}


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
