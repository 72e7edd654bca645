"""A port's protocol: what istiod makes of each way to declare one, under HTTP rules and under TCP routes."""

import json
from typing import Any

import pytest
from test_mesh_reference import (
    REFERENCE,
    RESOURCES,
    SENTENCES,
    Loopback,
    as_recorded,
    documents,
    pods_of,
    recorded_clusters,
    snapshot_with,
    workloads,
)

from kata_lib.engines.embedded.mesh.admission import refuse
from kata_lib.engines.embedded.mesh.translate import (
    MeshSnapshot,
    http_proxy,
    inbound,
    tcp_ports,
    virtual_hosts,
)
from kata_lib.engines.embedded.registry.status import StatusError

PORTS = REFERENCE / "ports"
CASES = sorted(path.stem for path in (PORTS / "cases").glob("*.yaml"))
TLS_ROUTES = "tls-routes-on-https"
"""Refused here, by name: a VirtualService's routes for TLS."""
NOT_RECORDED = {"name", "type", "load_assignment"}


def snapshot_of(case: str) -> MeshSnapshot:
    return snapshot_with(documents(PORTS / "cases" / f"{case}.yaml"))


def expected(case: str) -> dict[str, Any]:
    recorded: dict[str, Any] = json.loads((PORTS / "expected" / f"{case}.json").read_text())
    return recorded


def chains(listener: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what becomes of the connections to a listener: requests that are seen, and bytes."""
    found = []
    for chain in listener["filter_chains"]:
        last = chain["filters"][-1]
        config = last["typed_config"]
        clusters = {k: config[k] for k in ("cluster", "weighted_clusters", "hash_policy") if k in config}
        found.append(
            {
                "seen": chain.get("filter_chain_match", {}).get("application_protocols", []),
                "to": clusters if last["name"].endswith("tcp_proxy") else "http",
            }
        )
    return found


@pytest.mark.parametrize("case", CASES)
def test_clusters_and_routes_equal_istiods(case: str) -> None:
    snapshot = snapshot_of(case)
    tables = virtual_hosts.tables(snapshot, SENTENCES)
    tables.pop(80, None)  # no Service had it there, so that Envoy asked for no table of it
    hosts = [host for hosts in tables.values() for host in hosts if host["name"].startswith("name.")]
    by_proxy = http_proxy.merged(tables)["virtual_hosts"]
    wanted = expected(case)
    assert recorded_clusters(snapshot) == wanted["clusters"]
    assert {
        host["name"]: {"domains": sorted(host["domains"]), "routes": as_recorded(host["routes"])}
        for host in hosts
    } == wanted["routes"]
    assert {
        host["name"]: sorted(host["domains"]) for host in by_proxy if host["name"].startswith("name.")
    } == wanted["http_proxy"]


@pytest.mark.parametrize("case", [case for case in CASES if case != TLS_ROUTES])
def test_connections_to_what_is_not_http_go_where_istiods_listener_sends_them(case: str) -> None:
    passed = [
        {"seen": [], "to": port.clusters}
        for port in tcp_ports.of(snapshot_of(case), SENTENCES)
        if port.service.name == "name"
    ]
    listener = expected(case)["listener"] or []
    assert passed == ([] if any(chain["to"] == "http" for chain in listener) else listener)


@pytest.mark.parametrize("case", CASES)
def test_inbound_takes_what_istiods_takes(case: str) -> None:
    snapshot = snapshot_of(case)
    pod = pods_of([d for d in workloads() if d["metadata"]["name"] == "name-v1"])[0]
    port = next(port for port in inbound.ports(pod, snapshot) if port.number == 5000)
    wanted = expected(case)
    assert chains(inbound.listener(pod, port, Loopback())) == wanted["inbound"]
    made = inbound.cluster(pod, port, snapshot, Loopback())
    assert {k: v for k, v in made.items() if k not in NOT_RECORDED} == wanted["inbound_cluster"]


@pytest.mark.parametrize("case", CASES)
def test_is_admitted_or_refused_by_name(case: str) -> None:
    for document in documents(PORTS / "cases" / f"{case}.yaml"):
        resource = RESOURCES.get(document["kind"], "services")
        if case == TLS_ROUTES and resource == "virtualservices":
            with pytest.raises(StatusError, match=r"spec\.tls: not supported by the embedded engine"):
                refuse(resource, document, "CREATE")
        else:
            refuse(resource, document, "CREATE")
