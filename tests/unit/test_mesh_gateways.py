"""A gateway's listeners and route tables equal what istiod made of them, case by case."""

import json
from pathlib import Path
from typing import Any

import pytest
from test_http_routes import REFERENCE as WORKLOADS
from test_http_routes import documents
from test_mesh_combinations import kept
from test_mesh_reference import Loopback, as_recorded, pods_of

from kata_lib.engines.embedded.mesh.translate import MeshSnapshot, Proxy, ProxyConfig, translate

Obj = dict[str, Any]

REFERENCE = Path(__file__).parent.parent / "reference" / "gateway"
CASES = sorted(path.stem for path in (REFERENCE / "cases").glob("*.yaml"))
TAKEN = 8080
"""A port at which another program listened on the machine that recorded the cases."""
LABELS = {"app": "edge", "istio": "ingressgateway"}
POD: Obj = {
    "metadata": {"name": "edge-0", "namespace": "istio-system", "uid": "edge", "labels": LABELS},
    "spec": {"containers": [{"name": "istio-proxy", "args": ["proxy", "router"]}]},
}
ROUTER = Proxy("router", "istio-system", LABELS, POD)


def snapshot_with(applied: list[Obj], **more: Any) -> MeshSnapshot:
    found = [*documents(WORKLOADS / "base.yaml"), *applied]
    for number, document in enumerate(found):
        document["metadata"].setdefault("namespace", "default")
        document["metadata"].setdefault("creationTimestamp", f"2026-01-01T00:00:{number:02}Z")
    by_kind = {kind: [obj for obj in found if obj["kind"] == kind] for kind in {o["kind"] for o in found}}
    return MeshSnapshot(
        services=by_kind["Service"],
        pods=pods_of(by_kind["Deployment"]),
        virtual_services=by_kind.get("VirtualService", ()),
        destination_rules=by_kind.get("DestinationRule", ()),
        gateways=by_kind.get("Gateway", ()),
        secrets=by_kind.get("Secret", ()),
        **more,
    )


def recorded(config: ProxyConfig) -> Obj:
    """Return what the recordings hold."""
    listeners = {
        name: listener["address"]["socket_address"]["port_value"]
        for name, listener in config.listeners.items()
    }
    routes = {name: [_host(host) for host in table["virtual_hosts"]] for name, table in config.routes.items()}
    found: Obj = as_recorded(kept({"listeners": listeners, "routes": routes}))
    return found


def _host(host: Obj) -> Obj:
    return {k: v for k, v in host.items() if k in ("name", "domains", "routes", "require_tls")}


@pytest.mark.parametrize("case", CASES)
def test_equals_what_istiod_made(case: str) -> None:
    snapshot = snapshot_with(documents(REFERENCE / "cases" / f"{case}.yaml"))
    made = recorded(translate(snapshot, ROUTER, Loopback()))
    expected = json.loads((REFERENCE / "expected" / f"{case}.json").read_text())
    assert {name: port for name, port in made["listeners"].items() if port != TAKEN} == expected["listeners"]
    for name, hosts in expected["routes"].items():
        assert made["routes"].get(name, []) == hosts
