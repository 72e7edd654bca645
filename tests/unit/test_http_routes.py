"""HTTPRoutes for Services: routes and statuses equal what istiod made of them, case by case."""

import asyncio
import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from control_plane import make_registry, settled
from test_mesh_combinations import kept
from test_mesh_reference import SENTENCES, pods_of

from kata_lib.cluster.documents import documents as read
from kata_lib.engines.embedded.controllers import HTTPRouteController
from kata_lib.engines.embedded.mesh.admission import refuse
from kata_lib.engines.embedded.mesh.translate import MeshSnapshot, gateway_api, virtual_hosts
from kata_lib.engines.embedded.mesh.translate.fields import not_understood
from kata_lib.engines.embedded.mesh.translate.gateway_api import conditions
from kata_lib.engines.embedded.registry.custom_resources import ensure_definitions
from kata_lib.engines.embedded.registry.defaults.structural import fill
from kata_lib.engines.embedded.registry.registry import Registry
from kata_lib.engines.embedded.registry.schemas import Schema, custom_schema
from kata_lib.engines.embedded.registry.status import StatusError
from kata_lib.engines.embedded.store import Event
from kata_lib.engines.gateway_api import definitions

Obj = dict[str, Any]

REFERENCE = Path(__file__).parent.parent / "reference" / "gateway-api"
EXPECTED = REFERENCE / "expected"
REFUSED = {path.name.split(".")[0] for path in EXPECTED.glob("*.refused.txt")}
CASES = sorted({path.stem for path in (REFERENCE / "cases").glob("*.yaml")} - REFUSED)
HOST_PREDICATES = {"retry_host_predicate", "host_selection_retry_max_attempts"}
LIMIT = 10.0


def documents(path: Path) -> list[Obj]:
    return [*read(path.read_bytes())]


@cache
def schema(kind: str) -> Schema:
    spec = next(d["spec"] for d in definitions() if d["spec"]["names"]["kind"] == kind)
    return custom_schema(kind, spec["versions"][0]["schema"]["openAPIV3Schema"])


def stored(document: Obj) -> Obj:
    """Return an object as the API server stores it, with its namespace and the Gateway API's defaults."""
    metadata = {"namespace": "default", "creationTimestamp": "2026-01-01T00:00:00Z", "generation": 1}
    made = {**document, "metadata": {**metadata, **document["metadata"]}}
    if made.get("kind") == "HTTPRoute" or str(made.get("apiVersion")).startswith("gateway.networking.k8s.io"):
        made["spec"] = json.loads(json.dumps(made["spec"]))
        fill(schema(made["kind"]), made)
    return made


def snapshot_with(applied: list[Obj]) -> MeshSnapshot:
    found = [stored(document) for document in [*documents(REFERENCE / "base.yaml"), *applied]]
    by_kind = {kind: [obj for obj in found if obj["kind"] == kind] for kind in {o["kind"] for o in found}}
    return MeshSnapshot(
        services=by_kind["Service"],
        pods=pods_of(by_kind["Deployment"]),
        virtual_services=by_kind.get("VirtualService", ()),
        destination_rules=by_kind.get("DestinationRule", ()),
        http_routes=by_kind.get("HTTPRoute", ()),
    )


def statuses(snapshot: MeshSnapshot) -> Obj:
    """Return the routes' statuses as the recordings have them: no times, and conditions by their types."""
    found = {}
    for route in snapshot.http_routes:
        parents = conditions.statuses(route, snapshot.services, "now")
        for parent in parents:
            assert {condition.pop("lastTransitionTime") for condition in parent["conditions"]} == {"now"}
            parent["conditions"].sort(key=lambda condition: condition["type"])
        found[f"{route['metadata']['namespace']}/{route['metadata']['name']}"] = parents
    return found


def routes(snapshot: MeshSnapshot) -> Obj:
    return {
        host["name"]: {"domains": sorted(host["domains"]), "routes": host["routes"]}
        for hosts in virtual_hosts.tables(snapshot, SENTENCES).values()
        for host in hosts
    }


def without_host_predicates(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: without_host_predicates(v) for k, v in value.items() if k not in HOST_PREDICATES}
    return [without_host_predicates(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("case", CASES)
def test_equals_what_istiod_made(case: str) -> None:
    snapshot = snapshot_with(documents(REFERENCE / "cases" / f"{case}.yaml"))
    expected = json.loads((EXPECTED / f"{case}.json").read_text())
    recorded = {name: host for name, host in routes(snapshot).items() if name in expected["routes"]}
    assert without_host_predicates(recorded) == expected["routes"]
    assert statuses(snapshot) == expected["statuses"]


@cache
def combinations() -> dict[str, Obj]:
    text = gzip.decompress((REFERENCE / "combinations.json.gz").read_bytes()).decode()
    return {case["name"]: case for case in map(json.loads, text.splitlines())}


@pytest.mark.parametrize("name", combinations())
def test_random_ones_equal_what_istiod_made(name: str) -> None:
    case = combinations()[name]
    snapshot = snapshot_with(case["documents"])
    assert kept(routes(snapshot)) == case["made"]["routes"]
    assert statuses(snapshot) == case["made"]["statuses"]


@pytest.mark.parametrize("case", CASES)
def test_every_field_of_a_shown_route_is_understood(case: str) -> None:
    for document in documents(REFERENCE / "cases" / f"{case}.yaml"):
        if document["kind"] == "HTTPRoute":
            assert list(not_understood(document["spec"], gateway_api.FIELDS, "spec")) == []


@pytest.mark.parametrize("kind", ["GRPCRoute", "TLSRoute", "ListenerSet", "TCPRoute"])
def test_other_kinds_of_the_gateway_api_are_refused_by_name(kind: str) -> None:
    names = {d["spec"]["names"]["kind"]: d["metadata"]["name"] for d in definitions()}
    with pytest.raises(StatusError, match=f"kind {kind}: not supported by the embedded engine"):
        refuse(names[kind], {"metadata": {"name": "a"}, "spec": {}}, "CREATE")


ROUTE: Obj = {
    "metadata": {"name": "name"},
    "spec": {
        "parentRefs": [{"group": "", "kind": "Service", "name": "name"}],
        "rules": [{"backendRefs": [{"name": "name-v1", "port": 5000}]}],
    },
}


def service(registry: Registry, name: str) -> None:
    spec = {"selector": {"app": name}, "ports": [{"port": 5000}]}
    registry.create("services", "default", {"metadata": {"name": name}, "spec": spec}, manager="test")


def said(registry: Registry) -> dict[str, tuple[str, str]]:
    (parent,) = registry.get(gateway_api.KEY, "default", "name")["status"]["parents"]
    return {c["type"]: (c["status"], c["message"]) for c in parent["conditions"]}


async def test_a_routes_status_follows_the_services_that_it_names() -> None:
    registry = make_registry()
    ensure_definitions(registry)
    warnings: list[str] = []
    controller = HTTPRouteController(registry)
    controller.start()
    registry.create(gateway_api.KEY, "default", ROUTE, manager="test", warnings=warnings)
    assert warnings == []
    async with asyncio.timeout(LIMIT):
        await settled(controller)
        assert said(registry) == {
            "Accepted": ("False", 'parent service: "name" not found'),
            "ResolvedRefs": ("False", "backend(name-v1.default.svc.cluster.local) not found"),
        }
        service(registry, "name")
        service(registry, "name-v1")
        await settled(controller)
        assert said(registry) == {
            "Accepted": ("True", "Route was valid"),
            "ResolvedRefs": ("True", "All references resolved"),
        }
        registry.delete("services", "default", "name-v1")
        await settled(controller)
        assert said(registry)["ResolvedRefs"][0] == "False"
    controller.stop()


async def test_changes_of_a_moment_are_one_write_of_a_routes_status() -> None:
    registry = make_registry()
    ensure_definitions(registry)
    controller = HTTPRouteController(registry, rest=0.01)
    controller.start()
    statuses, written = [], asyncio.Event()

    def note(event: Event) -> None:
        statuses.append(bool(event.object.get("status")))
        if statuses[-1]:
            written.set()

    registry.subscribe(note, {gateway_api.KEY})
    registry.create(gateway_api.KEY, "default", ROUTE, manager="test")
    for service_name in ("name", "name-v1"):
        service(registry, service_name)
    async with asyncio.timeout(LIMIT):
        await written.wait()
    assert not controller.busy
    controller.stop()
    assert statuses == [False, True]
    assert said(registry)["ResolvedRefs"][0] == "True"


def test_a_status_keeps_times_and_what_other_controllers_say() -> None:
    snapshot = snapshot_with([{"kind": "HTTPRoute", **ROUTE}])
    (route,) = snapshot.http_routes
    foreign = {
        "controllerName": "other.example/c",
        "parentRef": route["spec"]["parentRefs"][0],
        "conditions": [],
    }
    first = conditions.statuses({**route, "status": {"parents": [foreign]}}, snapshot.services, "early")
    assert first[0] == foreign
    later = conditions.statuses(
        {**route, "status": {"parents": first}}, {"name.default.svc.cluster.local"}, "late"
    )
    times = {c["type"]: c["lastTransitionTime"] for c in later[1]["conditions"]}
    assert times == {"Accepted": "early", "ResolvedRefs": "late"}
