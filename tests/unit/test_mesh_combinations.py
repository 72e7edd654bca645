"""What translate/ makes of random combinations equals what istiod made of them; see reference/istiod.py."""

import gzip
import json
from functools import cache
from typing import Any

import pytest
from test_mesh_reference import REFERENCE, SENTENCES, Loopback, snapshot_with

from kata_lib.engines.embedded.mesh.translate import MeshSnapshot, clusters, tcp_ports, virtual_hosts

NOT_RECORDED = {"metadata", "type", "eds_cluster_config", "include_request_attempt_count", "@type"}


@cache
def recorded() -> dict[str, dict[str, Any]]:
    text = gzip.decompress((REFERENCE / "combinations.json.gz").read_bytes()).decode()
    return {case["name"]: case for case in map(json.loads, text.splitlines())}


def snapshot_of(case: dict[str, Any]) -> MeshSnapshot:
    times = {"namespace": "default", "creationTimestamp": "2026-01-01T00:00:00Z"}
    documents = [{**d, "metadata": {**d["metadata"], **times}} for d in case["documents"]]
    return snapshot_with(documents)


def made(snapshot: MeshSnapshot) -> dict[str, Any]:
    """Return what the recordings hold."""
    tables = virtual_hosts.tables(snapshot, SENTENCES)
    found = clusters.outbound(snapshot, "default")
    endpoints = clusters.endpoints(snapshot, "default", Loopback())
    made = {
        "routes": {
            host["name"]: {"domains": sorted(host["domains"]), "routes": host["routes"]}
            for hosts in tables.values()
            for host in hosts
        },
        "clusters": {
            name: cluster | {"endpoints": _workloads(endpoints[name])} for name, cluster in found.items()
        },
        "tcp": {
            f"{port.service.name}:{port.port.number}": port.clusters
            for port in tcp_ports.of(snapshot, SENTENCES)
        },
    }
    compared: dict[str, Any] = kept(made)
    return compared


def _workloads(assignment: dict[str, Any]) -> list[str]:
    lb_endpoints = [e for locality in assignment["endpoints"] for e in locality["lb_endpoints"]]
    return sorted(e["metadata"]["filter_metadata"]["kata"]["workload"] for e in lb_endpoints)


def kept(value: Any) -> Any:
    """Leave out what the recordings leave out."""
    if isinstance(value, dict):
        return {key: kept(item) for key, item in value.items() if key not in NOT_RECORDED}
    return [kept(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", recorded())
def test_equals_what_istiod_made(name: str) -> None:
    case = recorded()[name]
    assert made(snapshot_of(case)) == case["made"]
