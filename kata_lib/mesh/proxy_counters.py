"""What an Envoy counts by itself, where Istio's own counters are not: one sidecar's numbers by destination.

Envoy keeps for each endpoint of each of its clusters the requests that were sent there and those that failed
(/clusters of its administrator). They tell less than istio_requests_total: attempts, not requests; no
durations; nothing of a request that reached no pod; no caller; and what was counted of an endpoint goes
with it, so that a reading holds each endpoint for itself.
"""

import json
from collections.abc import Iterator, Mapping

from kata_lib.cluster.client import Obj
from kata_lib.cluster.cluster import Cluster
from kata_lib.cluster.pods import workload

UNKNOWN = "unknown"
NOT_FAILED, FAILED = "not 5xx", "5xx"
"""Envoy tells these two apart, in place of a response code."""

ENDPOINT = "endpoint"
"""Beside Istio's labels: CLUSTER@ADDRESS, where Envoy counted."""

LabelledCount = tuple[dict[str, str], float]
"""Istio's labels and ENDPOINT, and a number of requests."""


def read(cluster: Cluster, pod: Obj, pods: list[Obj]) -> list[LabelledCount]:
    """Return what a pod's Envoy has counted; `pods` are those that it may send to."""
    status = json.loads(cluster.ask_envoy(pod["metadata"]["name"], "clusters?format=json"))
    return rows(status, pod, {p["status"]["podIP"]: p for p in pods if "podIP" in p.get("status", {})})


def rows(status: Obj, pod: Obj, by_address: Mapping[str, Obj]) -> list[LabelledCount]:
    """Return one row for each endpoint and outcome of Envoy's /clusters as JSON."""
    found = []
    for entry in status.get("cluster_statuses", []):
        match entry["name"].split("|"):
            case ["outbound", _, _, host]:
                direction = {"reporter": "source", **_workload("source", pod)}
                service = host.partition(".")[0]
            case ["inbound", *_]:
                direction = {"reporter": "destination"}
                service = str(pod["metadata"].get("labels", {}).get("app", UNKNOWN))
            case _:
                continue
        for endpoint in entry.get("host_statuses", []):
            place = endpoint["address"].get("socket_address", {})
            address = place.get("address", "")
            called = pod if direction["reporter"] == "destination" else by_address.get(address)
            labels = {**direction, "destination_service_name": service, **_workload("destination", called)}
            labels[ENDPOINT] = f"{entry['name']}@{address}:{place.get('port_value', '')}"
            found += [({**labels, "response_code": code}, number) for code, number in _outcomes(endpoint)]
    return found


def _outcomes(endpoint: Obj) -> Iterator[tuple[str, float]]:
    counted = {stat["name"]: float(stat.get("value", 0)) for stat in endpoint.get("stats", [])}
    for code, name in ((NOT_FAILED, "rq_success"), (FAILED, "rq_error")):
        if counted.get(name):
            yield code, counted[name]


def _workload(side: str, pod: Obj | None) -> dict[str, str]:
    """Return the workload and version of a pod, as Istio labels them."""
    if pod is None:
        return {}
    version = pod["metadata"].get("labels", {}).get("version", UNKNOWN)
    return {f"{side}_workload": workload(pod), f"{side}_version": version}
