"""kata_lib.mesh.proxy_counters, on what an Envoy of a real Istio said (tests/reference/envoy)."""

import copy
import json
from pathlib import Path

import pytest
from api_server import Api, StartApi
from counted import OUTBOUND, OneEnvoy, successes

from kata_lib.mesh import proxy_counters, telemetry

REFERENCE = Path(__file__).parents[1] / "reference" / "envoy"
COUNTED = {
    "name-v1": successes(OUTBOUND.format("name-v1", "name")),
    "name-v2": successes(OUTBOUND.format("name-v2", "name")),
    "age": successes(OUTBOUND.format("", "age")),
    "sentences": successes("inbound|5000||"),
}
"""Of each Deployment what its pods answered, by the address that a pod had."""
REQUESTS = sum(COUNTED["sentences"].values())
OF_VERSIONS = {version: sum(COUNTED[f"name-{version}"].values()) for version in ("v1", "v2")}


@pytest.fixture
def api(start_api: StartApi) -> Api:
    """The canary, with the addresses that the pods had."""
    api = start_api("deploy/v1", "deploy/v2", "deploy/virtual-service-canary.yaml")
    cluster = api.cluster()
    for deployment, addresses in COUNTED.items():
        for pod, address in zip(api.pods(deployment), addresses, strict=True):
            status = {"podIP": address, "podIPs": [{"ip": address}]}
            cluster.patch("v1", "Pod", pod, {"status": status}, "status")
    api.sidecars = OneEnvoy()
    return api


def test_of_the_recorded_requests_each_asked_for_a_name_and_an_age() -> None:
    assert {sum(OF_VERSIONS.values()), sum(COUNTED["age"].values()), REQUESTS} == {200}


def test_envoys_own_counters_stand_for_istios(api: Api) -> None:
    table = telemetry.counters(api.cluster())
    assert table.attrs["source"] == telemetry.ENVOYS_OWN
    assert telemetry.by_version(table, "name")["requests"].to_dict() == OF_VERSIONS
    assert telemetry.by_version(table, "name")["mean ms"].isna().all()
    sent = telemetry.edges(table).loc["source"]
    assert sent["requests"].sum() == 2 * REQUESTS
    received = telemetry.edges(table).loc["destination"].reset_index().iloc[0]
    assert received[["source", "destination", "code"]].tolist() == ["unknown", "sentences", "not 5xx"]


def test_what_a_pod_on_its_way_out_answered_is_still_its_own(api: Api) -> None:
    cluster = api.cluster()
    metadata = {"name": "leaving", "labels": {"app": "name", "version": "v2"}, "finalizers": ["kata/test"]}
    containers = [{"name": "name", "image": "kata/sentences:v2"}]
    cluster.create(
        {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": containers}}
    )
    (address,) = COUNTED["name-v2"]
    status = {"podIP": address, "podIPs": [{"ip": address}]}
    cluster.patch("v1", "Pod", "leaving", {"status": status}, "status")
    cluster.scale("name-v2", 0)
    cluster.remove("v1", "Pod", "leaving")
    table = telemetry.counters(cluster)
    assert telemetry.by_version(table, "name")["requests"].to_dict() == OF_VERSIONS
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
    (address,) = COUNTED["name-v2"]
    rows = proxy_counters.rows(failing, pod, {address: called})
    of_v2 = {labels["response_code"]: n for labels, n in rows if labels.get("destination_version") == "v2"}
    assert of_v2 == {"not 5xx": OF_VERSIONS["v2"], "5xx": 5}
    table = telemetry.plain("sentences-x", rows)
    assert sum(row["requests"] for row in table.values()) == sum(n for _, n in rows)
