"""What translate/ makes of a configuration equals what istiod made of it, case by case."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from kata_lib.cluster.documents import documents as read
from kata_lib.engines.embedded.mesh.admission import refuse
from kata_lib.engines.embedded.mesh.translate import MeshSnapshot, Proxy, clusters, sidecar, virtual_hosts

REFERENCE = Path(__file__).parent.parent / "reference" / "istio"
CASES = sorted(path.stem for path in (REFERENCE / "cases").glob("*.yaml"))

RESOURCES = {"VirtualService": "virtualservices", "DestinationRule": "destinationrules"}

NOT_RECORDED = {"metadata", "name", "type", "eds_cluster_config", "include_request_attempt_count"}
SENTENCES = Proxy("sidecar", "default", {"app": "sentences", "version": "v1"})
HOST_PREDICATES = {"retry_host_predicate", "host_selection_retry_max_attempts"}


class Loopback:
    """Every pod listens on the port that is asked for."""

    def listen_at(self, owner: str, port: int) -> tuple[str, int]:
        return owner, port

    def application_at(self, pod_uid: str, port: int) -> tuple[str, int]:
        return f"app-{pod_uid}", port

    def service_at(self, cluster_ip: str, port: int) -> tuple[str, int]:
        return cluster_ip, port


def documents(path: Path) -> list[dict[str, Any]]:
    found = [*read(path.read_bytes())]
    for number, document in enumerate(found):
        document["metadata"].setdefault("namespace", "default")
        document["metadata"].setdefault("creationTimestamp", f"2026-01-01T00:00:{number:02}Z")
    return found


def pods_of(deployments: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "metadata": {
                "name": f"{deployment['metadata']['name']}-abc-1",
                "namespace": "default",
                "uid": f"uid-{deployment['metadata']['name']}",
                "labels": {
                    **deployment["spec"]["template"]["metadata"]["labels"],
                    "pod-template-hash": "abc",
                },
                "ownerReferences": [{"controller": True, "name": f"{deployment['metadata']['name']}-abc"}],
            },
            "spec": deployment["spec"]["template"]["spec"],
        }
        for deployment in deployments
    ]


def slices_of(services: list[dict[str, Any]], pods: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for service in services:
        selected = [
            pod for pod in pods if service["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
        ]
        yield {
            "metadata": {
                "namespace": "default",
                "labels": {"kubernetes.io/service-name": service["metadata"]["name"]},
            },
            "ports": [
                {"name": port.get("name", ""), "port": port["targetPort"]}
                for port in service["spec"]["ports"]
            ],
            "endpoints": [
                {
                    "addresses": ["x"],
                    "conditions": {"ready": True},
                    "targetRef": {"uid": pod["metadata"]["uid"]},
                }
                for pod in selected
            ],
        }


def snapshot_of(case: str) -> MeshSnapshot:
    return snapshot_with(documents(REFERENCE / "cases" / f"{case}.yaml"))


@cache
def workloads() -> list[dict[str, Any]]:
    return documents(REFERENCE / "base.yaml")


def snapshot_with(applied: list[dict[str, Any]]) -> MeshSnapshot:
    """Return the workloads of the reference with what is applied over them: Services and Istio's objects."""
    base = workloads()
    found = {d["metadata"]["name"]: d for d in [*base, *applied] if d["kind"] == "Service"}
    services = list(found.values())
    pods = pods_of([document for document in base if document["kind"] == "Deployment"])
    return MeshSnapshot(
        services=services,
        endpoint_slices=slices_of(services, pods),
        pods=pods,
        virtual_services=[document for document in applied if document["kind"] == "VirtualService"],
        destination_rules=[document for document in applied if document["kind"] == "DestinationRule"],
    )


def as_recorded(value: Any) -> Any:
    """Leave out what the recordings leave out."""
    if isinstance(value, dict):
        return {key: as_recorded(item) for key, item in value.items() if key not in HOST_PREDICATES}
    return [as_recorded(item) for item in value] if isinstance(value, list) else value


def recorded_clusters(snapshot: MeshSnapshot) -> dict[str, Any]:
    """Return what the recordings hold of the clusters of `name`."""
    found = clusters.outbound(snapshot, "default")
    endpoints = clusters.endpoints(snapshot, "default", Loopback())
    recorded = {
        name: cluster for name, cluster in found.items() if name.endswith("|name.default.svc.cluster.local")
    }
    for name, cluster in recorded.items():
        lb_endpoints = [e for locality in endpoints[name]["endpoints"] for e in locality["lb_endpoints"]]
        workloads = [e["metadata"]["filter_metadata"]["kata"]["workload"] for e in lb_endpoints]
        recorded[name] = {k: v for k, v in cluster.items() if k not in NOT_RECORDED} | {
            "endpoints": sorted(workloads)
        }
    return recorded


def made(case: str) -> dict[str, Any]:
    snapshot = snapshot_of(case)
    hosts = virtual_hosts.tables(snapshot, SENTENCES)[5000]
    compared: dict[str, Any] = as_recorded(
        {
            "clusters": recorded_clusters(snapshot),
            "routes": {
                host["name"]: {"domains": sorted(host["domains"]), "routes": host["routes"]}
                for host in hosts
                if host["name"].startswith(("name.", "age."))
            },
        }
    )
    return compared


@pytest.mark.parametrize("case", CASES)
def test_equals_what_istiod_made(case: str) -> None:
    assert made(case) == json.loads((REFERENCE / "expected" / f"{case}.json").read_text())


@pytest.mark.parametrize("case", CASES)
def test_is_admitted(case: str) -> None:
    for document in documents(REFERENCE / "cases" / f"{case}.yaml"):
        refuse(RESOURCES[document["kind"]], document, "CREATE")


def test_every_route_retries_on_another_endpoint() -> None:
    hosts = virtual_hosts.tables(snapshot_of("retries"), Proxy("sidecar", "default"))[5000]
    for host in hosts:
        policy = host["routes"][0]["route"]["retry_policy"]
        assert policy["retry_host_predicate"][0]["name"] == "envoy.retry_host_predicates.previous_hosts"
        assert policy["host_selection_retry_max_attempts"] == "5"


def test_sidecars_that_no_rule_tells_apart_share_a_table() -> None:
    snapshot = snapshot_of("source-labels-hit")
    pods = pods_of([d for d in workloads() if d["kind"] == "Deployment"])

    def table(**labels: str) -> Any:
        proxy = Proxy("sidecar", "default", labels, pods[0])
        return sidecar.config(snapshot, proxy, Loopback()).routes["http_proxy"]

    meant = table(app="sentences", version="v1")
    assert table(app="sentences", version="v2") is meant
    assert table(app="age", version="v1") is table(app="age", version="v2") != meant
