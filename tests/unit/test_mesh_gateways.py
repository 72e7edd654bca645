"""A gateway's listeners and route tables equal what istiod made of them, case by case."""

import base64
import copy
import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import trustme
from sidecars import dumped
from test_http_routes import REFERENCE as WORKLOADS
from test_http_routes import documents, stored
from test_mesh_combinations import kept
from test_mesh_reference import Loopback, as_recorded, pods_of, slices_of

from kata_lib.engines.embedded.mesh.translate import (
    MeshSnapshot,
    Proxy,
    ProxyConfig,
    gateway_api,
    translate,
)
from kata_lib.engines.embedded.mesh.translate.gateway_api import conditions, gateway_status
from kata_lib.mesh import in_force
from kata_lib.mesh.in_force import InForce
from kata_lib.mesh.matches import Request

Obj = dict[str, Any]

REFERENCE = Path(__file__).parent.parent / "reference" / "gateway"
CASES = sorted(path.stem for path in (REFERENCE / "cases").glob("*.yaml"))
LABELS = {"app": "edge", "istio": "ingressgateway"}
POD: Obj = {
    "metadata": {"name": "edge-0", "namespace": "istio-system", "uid": "edge", "labels": LABELS},
    "spec": {"containers": [{"name": "istio-proxy", "args": ["proxy", "router"]}]},
}
PODS = pods_of([d for d in documents(WORKLOADS / "base.yaml") if d["kind"] == "Deployment"])
ROUTER = Proxy("router", "istio-system", LABELS, POD)


def snapshot_with(applied: list[Obj], *, same_age: bool = False) -> MeshSnapshot:
    found = [*documents(WORKLOADS / "base.yaml"), *applied]
    for number, document in enumerate(found):
        document["metadata"].setdefault("namespace", "default")
        document["metadata"].setdefault(
            "creationTimestamp", f"2026-01-01T00:00:{0 if same_age else number:02}Z"
        )
    by_kind = {kind: [obj for obj in found if obj["kind"] == kind] for kind in {o["kind"] for o in found}}
    return MeshSnapshot(
        services=by_kind["Service"],
        pods=PODS,
        endpoint_slices=slices_of([s for s in by_kind["Service"] if _selects(s)], PODS),
        virtual_services=by_kind.get("VirtualService", ()),
        destination_rules=by_kind.get("DestinationRule", ()),
        gateways=by_kind.get("Gateway", ()),
        secrets=by_kind.get("Secret", ()),
    )


def _selects(service: Obj) -> bool:
    return service["metadata"]["namespace"] == "default" and "selector" in service["spec"]


OWN = {
    "virtual_hosts": [
        {
            "name": "backend",
            "domains": ["*"],
            "routes": [{"match": {"prefix": "/healthz/ready"}, "route": {"cluster": "agent"}}],
        }
    ]
}
"""A table that Istio's proxy brings for its own health, without a name: as a gateway on kind showed it."""


def in_force_for(applied: list[Obj], service: str, asked: str = "") -> InForce:
    """Return what the gateway has in force of requests to a Service in the namespace `default`."""
    snapshot = snapshot_with(applied)
    named = next(s for s in documents(WORKLOADS / "base.yaml") if s["metadata"]["name"] == service)
    dump = dumped(translate(snapshot, ROUTER, Loopback()))
    section = next(one for one in dump["configs"] if one["@type"].endswith("RoutesConfigDump"))
    section["static_route_configs"] = [{"route_config": OWN}]
    return in_force.from_gateway(dump, named, PODS, caller="edge-0", namespace="default", asked=asked)


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
    assert made["listeners"] == expected["listeners"]
    for name, hosts in expected["routes"].items():
        assert made["routes"].get(name, []) == hosts


def of_case(case: str) -> list[Obj]:
    return documents(REFERENCE / "cases" / f"{case}.yaml")


def test_the_shares_behind_a_gateway_are_those_of_its_own_envoy() -> None:
    found = in_force_for(of_case("weights-subsets"), "name")
    assert found.versions == {"v1": 0.9, "v2": 0.1}
    assert found.asked == "*"
    assert in_force_for(of_case("weights-subsets"), "name", "any.example").versions == found.versions
    by_header = in_force_for(of_case("header-then-weights"), "name")
    assert by_header.outcome(Request(headers={"x-test": "use-v2"})).versions == {"v2": 1.0}


def test_a_rule_for_the_mesh_alone_leaves_callers_outside_without_a_route() -> None:
    assert in_force_for(of_case("mesh-only"), "name").outcome().answered == {404: 1.0}


def test_a_gateway_that_redirects_to_https_sends_nobody_on() -> None:
    assert in_force_for(of_case("https-redirect"), "sentences").outcome().answered == {301: 1.0}


@cache
def combinations() -> dict[str, Obj]:
    text = gzip.decompress((REFERENCE / "combinations.json.gz").read_bytes()).decode()
    return {case["name"]: case for case in map(json.loads, text.splitlines())}


@cache
def secret(namespace: str = "istio-system", name: str = "kata", *hosts: str) -> Obj:
    """Return a Secret with a certificate, as `kubectl create secret tls` makes it."""
    made = trustme.CA().issue_cert(*(hosts or ("kata.example",)))
    pem = {
        "tls.crt": b"".join(part.bytes() for part in made.cert_chain_pems),
        "tls.key": made.private_key_pem.bytes(),
    }
    data = {key: base64.b64encode(text).decode() for key, text in pem.items()}
    return {"kind": "Secret", "metadata": {"name": name, "namespace": namespace}, "data": data}


@pytest.mark.parametrize("name", combinations())
def test_random_ones_equal_what_istiod_made(name: str) -> None:
    case = combinations()[name]
    snapshot = snapshot_with([*copy.deepcopy(case["documents"]), secret()], same_age=True)
    config = translate(snapshot, ROUTER, Loopback())
    listeners = {name: _chains(found) for name, found in config.listeners.items()}
    accepted = {name: chains for name, chains in listeners.items() if not _is_refused(chains)}
    assert accepted == _sorted(case["made"]["listeners"])
    tables = {chain["table"] for chains in accepted.values() for chain in chains}
    routes = recorded(config)["routes"].items()
    assert {k: v for k, v in routes if k in tables} == as_recorded(case["made"]["routes"])


def _chains(listener: Obj) -> list[Obj]:
    """Return a listener's chains as the recordings have them."""
    chains = [
        {
            "table": chain["filters"][-1]["typed_config"]["rds"]["route_config_name"],
            **chain.get("filter_chain_match", {}),
        }
        for chain in listener["filter_chains"]
    ]
    return sorted(chains, key=str)


def _sorted(listeners: Obj) -> Obj:
    """Return recorded listeners' chains in an order: theirs is that of Gateways made in the same second."""
    chains = {
        name: [dict(sorted(c.items(), reverse=True)) for c in found] for name, found in listeners.items()
    }
    return {name: sorted(found, key=str) for name, found in chains.items()}


def _is_refused(chains: list[Obj]) -> bool:
    """Return whether Envoy refuses a listener: it takes no name twice, and capitals are no difference."""
    names = [name.lower() for chain in chains for name in chain.get("server_names", ())]
    return len(names) != len(set(names))


@cache
def of_the_gateway_api() -> dict[str, Obj]:
    text = gzip.decompress((REFERENCE / "api.json.gz").read_bytes()).decode()
    return {case["name"]: case for case in map(json.loads, text.splitlines())}


EDGE: Obj = {
    "kind": "Service",
    "metadata": {"name": "edge", "namespace": "istio-system"},
    "spec": {
        "clusterIP": "10.96.0.9",
        "selector": {"istio": "ingressgateway"},
        "ports": [{"name": str(port), "port": port} for port in (80, 443, 9080)],
    },
}


@pytest.mark.parametrize("name", of_the_gateway_api())
def test_gateways_of_the_gateway_api_equal_what_istiod_made(name: str) -> None:
    case = of_the_gateway_api()[name]
    found = [
        stored(d) for d in [*documents(WORKLOADS / "base.yaml"), *copy.deepcopy(case["documents"]), EDGE]
    ]
    by_kind = {kind: [obj for obj in found if obj["kind"] == kind] for kind in {o["kind"] for o in found}}
    snapshot = MeshSnapshot(
        services=by_kind["Service"],
        namespaces=[{"metadata": {"name": n}} for n in ("default", "istio-system", "other")],
        http_routes=by_kind["HTTPRoute"],
        api_gateways=by_kind["Gateway"],
        reference_grants=by_kind.get("ReferenceGrant", ()),
    )
    config = translate(snapshot, ROUTER, Loopback())
    tables = {chain["table"] for listener in config.listeners.values() for chain in _chains(listener)}
    routes = recorded(config)["routes"].items()
    assert {k: v for k, v in routes if k in tables} == as_recorded(case["routes"])
    assert _statuses(snapshot) == {key: _in_order(said) for key, said in case["statuses"].items()}


def _statuses(snapshot: MeshSnapshot) -> Obj:
    """Return the statuses of routes and Gateways, without times."""
    among = gateway_api.of(snapshot)
    instances = gateway_status.instances([EDGE], [])
    said = {}
    for route in snapshot.http_routes:
        parents = conditions.statuses(route, snapshot.services, "now", among)
        said[f"HTTPRoute {_name(route)}"] = _in_order({"parents": parents})
    for gateway in snapshot.api_gateways:
        made = gateway_status.status(gateway, among, snapshot.http_routes, instances, "now")
        said[f"Gateway {_name(gateway)}"] = _in_order(made)
    return said


def _name(obj: Obj) -> str:
    return f"{obj['metadata']['namespace']}/{obj['metadata']['name']}"


def _in_order(value: Any) -> Any:
    """Return a status without times and generations, its conditions by their types."""
    if isinstance(value, dict):
        left = ("lastTransitionTime", "observedGeneration")
        return {key: _in_order(item) for key, item in value.items() if key not in left}
    if isinstance(value, list):
        return sorted(map(_in_order, value), key=lambda item: str(item.get("type") or item.get("name") or ""))
    return value
