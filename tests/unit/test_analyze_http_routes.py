"""kata_lib.mesh.analyze of HTTPRoutes, whose statuses are as istiod writes them (test_http_routes.py)."""

import copy
from typing import Any

import pytest
from analyzed import CANARY, kata

from kata_lib.cluster.client import Obj
from kata_lib.cluster.hosts import of_object
from kata_lib.engines.embedded.mesh.translate.gateway_api import conditions
from kata_lib.engines.embedded.mesh.translate.gateway_api.listeners import gateways
from kata_lib.mesh import analyze
from kata_lib.mesh.analyze import Finding, Objects
from kata_lib.mesh.gateways import GATEWAY_API

BASE = ("deploy/v1", "deploy/v2")
SERVICE = {"group": "", "kind": "Service", "name": "name", "port": 5000}
DOOR = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "door"}
GATEWAY: Obj = {
    "metadata": {"name": "door", "namespace": "default"},
    "spec": {
        "gatewayClassName": "istio",
        "listeners": [{"name": "http", "port": 80, "protocol": "HTTP"}],
    },
}


def backend(name: str, weight: int = 1, **more: Any) -> Obj:
    return {"name": name, "port": 5000, "weight": weight, **more}


def http_route(*backends: Obj, parent: Obj = SERVICE, name: str = "name") -> Obj:
    metadata = {"name": name, "namespace": "default", "generation": 1}
    return {
        "apiVersion": GATEWAY_API,
        "kind": "HTTPRoute",
        "metadata": metadata,
        "spec": {"parentRefs": [parent], "rules": [{"backendRefs": list(backends)}]},
    }


def with_routes(*routes: Obj, paths: tuple[str, ...] = BASE, door: bool = True) -> Objects:
    """Return the kata's objects with a Service for each version, these routes, and their statuses."""
    found = kata(*paths)
    name = next(service for service in found.services if service["metadata"]["name"] == "name")
    for version in ("v1", "v2"):
        one = copy.deepcopy(name)
        one["metadata"]["name"] = f"name-{version}"
        one["spec"]["selector"] = {"app": "name", "version": version}
        found.services.append(one)
    listeners = gateways([GATEWAY] if door else [], [], {}, [])
    hostnames = {of_object(service) for service in found.services}
    for route in routes:
        made = copy.deepcopy(route)
        made["status"] = {"parents": conditions.statuses(made, hostnames, "now", listeners)}
        found.http_routes.append(made)
    return found


def of_routes(found: Objects) -> list[Finding]:
    return [finding for finding in analyze.findings(found) if finding.code.startswith("KATA06")]


def test_a_canary_as_http_route_has_no_mistake() -> None:
    canary = http_route(backend("name-v1", 90), backend("name-v2", 10))
    outside = http_route(backend("sentences"), parent=DOOR, name="sentences")
    assert analyze.findings(with_routes(canary, outside)) == []


@pytest.mark.parametrize(
    ("parent", "said", "mend"),
    [
        ({**SERVICE, "name": "nam"}, 'parent service: "nam" not found', '"value":"name"'),
        ({**DOOR, "name": "gate"}, "no Gateway gate is there", ""),
        ({**DOOR, "sectionName": "https"}, 'sectionName "https" not found', ""),
    ],
)
def test_a_route_without_its_parent(parent: Obj, said: str, mend: str) -> None:
    (found,) = of_routes(with_routes(http_route(backend("name-v1"), parent=parent)))
    assert (found.code, found.severity) == ("KATA0601", "Error")
    assert said in found.message
    assert mend in found.mend if mend else found.mend == ""


def test_a_backend_that_is_not_there_gets_500_for_its_share() -> None:
    (found,) = of_routes(with_routes(http_route(backend("name-v1", 90), backend("name-v3", 10))))
    assert found.code == "KATA0602"
    assert "10.0 % of the rule's requests get 500" in found.message
    assert found.seen == "spec.rules[0].backendRefs[1]"
    assert '"path":"/spec/rules/0/backendRefs/1/name"' in found.mend


def test_a_backend_elsewhere_needs_a_grant_from_outside_and_none_from_inside() -> None:
    away = backend("away", namespace="other")
    inside, outside = http_route(away), http_route(away, parent=DOOR)
    assert [found.code for found in of_routes(with_routes(outside))][:1] == ["KATA0603"]
    (found,) = [f for f in of_routes(with_routes(outside)) if f.code == "KATA0603"]
    assert "kubectl apply -n other" in found.mend
    assert "ReferenceGrant" in found.mend
    assert "KATA0603" not in [found.code for found in of_routes(with_routes(inside))]


@pytest.mark.parametrize(("exported", "idle"), [(["*"], "VirtualService"), (["."], "HTTPRoute")])
def test_of_both_kinds_for_one_host_one_counts(exported: list[str], idle: str) -> None:
    found = with_routes(http_route(backend("name-v1"), backend("name-v2")), paths=(*BASE, CANARY))
    found.virtual_services[0]["spec"]["exportTo"] = exported
    (said,) = of_routes(found)
    assert said.code == "KATA0604"
    assert said.object == f"{idle} default/name"
    assert said.choices[0].line == f"kubectl delete {idle.lower()} name -n default"


def test_callers_outside_pass_by_a_split_for_the_mesh_alone() -> None:
    canary = http_route(backend("name-v1", 90), backend("name-v2", 10))
    outside = http_route(backend("name"), parent=DOOR, name="outside")
    (found,) = of_routes(with_routes(canary, outside))
    assert (found.code, found.object) == ("KATA0605", "HTTPRoute default/name")
    assert "come in by the gateway door" in found.message
    assert found.mend.startswith("kubectl patch httproute outside")
    assert '"path":"/spec/rules/0/backendRefs"' in found.mend


def test_the_same_of_virtual_services() -> None:
    found = with_routes(paths=(*BASE, CANARY))
    outside = copy.deepcopy(found.virtual_services[0])
    outside["metadata"]["name"] = "outside"
    outside["spec"] = {
        "hosts": ["name.example"],
        "gateways": ["front"],
        "http": [{"route": [{"destination": {"host": "name"}}]}],
    }
    found.virtual_services.append(outside)
    (said,) = of_routes(found)
    assert (said.code, said.object) == ("KATA0605", "VirtualService default/name")
    assert said.mend.startswith("kubectl patch virtualservice outside")
