"""A canary as HTTPRoute on the product's API, damaged: what a check and `analyze` say, each line followed."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from analyzed import kata
from api_server import Api, StartApi
from following import follow, sample_of
from shell import Shell

from kata_lib.cluster.client import Obj
from kata_lib.cluster.cluster import Cluster
from kata_lib.course import service
from kata_lib.course.checks import check
from kata_lib.mesh.analyze import Finding, rollouts
from kata_lib.mesh.gateways import GATEWAY_API
from kata_lib.mesh.matches import Request

V1, V2, CANARY = "deploy/v1", "deploy/v2", "deploy/virtual-service-canary.yaml"
HEADERS = [{"headers": [{"name": "x-tester", "value": "yes"}]}]
ONE_IN_TEN = sample_of(v1=900, v2=100)

Damage = Callable[[Obj], object]
"""Changes an HTTPRoute's spec."""


def version(name: str) -> Obj:
    spec = {"selector": {"app": "name", "version": name}, "ports": [{"name": "http", "port": 5000}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": f"name-{name}"}, "spec": spec}


def backend(name: str, weight: int, port: int = 5000) -> Obj:
    return {"name": name, "port": port, "weight": weight}


def http_route() -> Obj:
    parent = {"group": "", "kind": "Service", "name": "name"}
    rule = {"backendRefs": [backend("name-v1", 90), backend("name-v2", 10)]}
    spec = {"parentRefs": [parent], "rules": [rule]}
    return {"apiVersion": GATEWAY_API, "kind": "HTTPRoute", "metadata": {"name": "name"}, "spec": spec}


@pytest.fixture
def api(start_api: StartApi) -> Api:
    """The kata with v1 and v2, and a Service for each version."""
    api = start_api(V1, V2)
    for name in ("v1", "v2"):
        api.cluster().create(version(name))
    return api


def put(cluster: Cluster, damage: Damage = lambda spec: None) -> None:
    route = http_route()
    damage(route["spec"])
    cluster.create(route)


def found(cluster: Cluster, code: str) -> Finding:
    return next(finding for finding in service.analysis(cluster).findings if finding.code == code)


def test_the_canary_is_right_as_http_route(api: Api) -> None:
    put(api.cluster())
    assert service.analysis(api.cluster()).findings == ()
    assert check("canary-10", api.cluster(), ONE_IN_TEN).verdict == "right"


@dataclass(frozen=True)
class Damaged:
    """How a route is damaged, the code of what is found, and of its words and its line a part."""

    damage: Damage
    code: str
    said: str
    line: str


def first_rule(**fields: object) -> Damage:
    return lambda spec: spec["rules"][0].update(fields)


DAMAGED = {
    "a parent that is not there": Damaged(
        lambda spec: spec["parentRefs"][0].update(name="nam"),
        "KATA0601",
        'parent service: "nam" not found',
        '"path":"/spec/parentRefs/0/name","value":"name"',
    ),
    "a Service without its kind": Damaged(
        lambda spec: spec.update(parentRefs=[{"name": "name"}]),
        "KATA0601",
        "no Gateway name is there",
        '"kind":"Service"',
    ),
    "a backend that is not there": Damaged(
        first_rule(backendRefs=[backend("name-v1", 90), backend("nam-v2", 10)]),
        "KATA0502",
        "10.0 % of the requests to name get 500",
        '"path":"/spec/rules/0/backendRefs/1/name","value":"name-v2"',
    ),
    "a port that is not there": Damaged(
        first_rule(backendRefs=[backend("name-v1", 90), backend("name-v2", 10, port=80)]),
        "KATA0602",
        "sends to port 80 of the Service name-v2 and it has none such: 10.0 % of the rule's requests get 500",
        '"path":"/spec/rules/0/backendRefs/1/port","value":5000',
    ),
    "weights of the pods": Damaged(
        first_rule(backendRefs=[backend("name-v1", 2), backend("name-v2", 1)]),
        "KATA0402",
        "without the HTTPRoute the shares would be the same",
        "kata weights name-v1=90 name-v2=10",
    ),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_each_line_brings_the_check_to_right(api: Api, case: str, tmp_path: Path) -> None:
    one, cluster = DAMAGED[case], api.cluster()
    put(cluster, one.damage)
    finding = found(cluster, one.code)
    assert one.said in finding.message
    assert one.line in finding.mend
    assert check("canary-10", cluster, ONE_IN_TEN).verdict == "wrong"
    follow(cluster, Shell(api, tmp_path / "shell"), finding.mend)
    assert check("canary-10", cluster, ONE_IN_TEN).verdict == "right"
    assert service.analysis(cluster).findings == ()


def test_only_a_header_match_leaves_the_others_without_a_route(api: Api, tmp_path: Path) -> None:
    put(api.cluster(), first_rule(matches=HEADERS))
    finding = found(api.cluster(), "KATA0501")
    assert "100.0 % of the plain requests to name get 404" in finding.message
    safe, *others = [choice for choice in finding.choices if choice.line]
    assert others == []
    follow(api.cluster(), Shell(api, tmp_path / "shell"), safe.line)
    assert service.in_force(api.cluster()).versions == {"v1": 1.0}


def test_a_rule_without_backends_answers_500_itself(api: Api) -> None:
    put(api.cluster(), first_rule(backendRefs=[]))
    finding = found(api.cluster(), "KATA0504")
    assert "100.0 % of the requests to name get 500" in finding.message
    assert finding.seen == "spec.rules[0].backendRefs"


def test_swapped_weights_are_a_mistake_of_the_check(api: Api, tmp_path: Path) -> None:
    put(api.cluster(), first_rule(backendRefs=[backend("name-v1", 10), backend("name-v2", 90)]))
    result = check("canary-10", api.cluster(), ONE_IN_TEN)
    assert "The weights in the HTTPRoute name are swapped" in result.text
    follow(api.cluster(), Shell(api, tmp_path / "shell"), result.mend)
    assert check("canary-10", api.cluster(), ONE_IN_TEN).verdict == "right"


def test_a_virtual_service_beside_it_has_no_effect(api: Api, tmp_path: Path) -> None:
    cluster = api.cluster()
    cluster.apply(CANARY)
    put(cluster)
    finding = found(cluster, "KATA0604")
    assert finding.object == "VirtualService default/name"
    follow(cluster, Shell(api, tmp_path / "shell"), finding.choices[0].line)
    assert service.in_force(cluster).versions == {"v1": 0.9, "v2": 0.1}
    assert "KATA0604" not in [other.code for other in service.analysis(cluster).findings]


def test_plain_kubernetes_is_asked_for_and_a_route_stands_in_the_way(api: Api, tmp_path: Path) -> None:
    put(api.cluster())
    result = check("a-third", api.cluster(), sample_of(v1=267, v2=133))
    assert "The HTTPRoute name sets the shares of the host name already." in result.text
    follow(api.cluster(), Shell(api, tmp_path / "shell"), result.mend)
    assert check("a-third", api.cluster(), sample_of(v1=267, v2=133)).verdict == "right"


def test_a_header_route_that_lost_its_weight_gets_it_back(api: Api, tmp_path: Path) -> None:
    """As Argo Rollouts' plugin leaves one: rollouts-plugin-trafficrouter-gatewayapi, issue 158."""
    testers = {"name": "testers", "matches": HEADERS, "backendRefs": [backend("name-v2", 0)]}
    put(api.cluster(), lambda spec: spec["rules"].insert(0, testers))
    finding = found(api.cluster(), "KATA0606")
    assert finding.message.startswith("The rule testers of the HTTPRoute name gives each of its backends")
    tester = Request(headers={"x-tester": "yes"})
    assert service.in_force(api.cluster()).outcome(tester).answered == {500: 1.0}
    follow(api.cluster(), Shell(api, tmp_path / "shell"), finding.mend)
    assert service.in_force(api.cluster()).outcome(tester).versions == {"v2": 1.0}
    assert service.in_force(api.cluster()).versions == {"v1": 0.9, "v2": 0.1}
    assert service.analysis(api.cluster()).findings == ()


def rollout(**routing: Any) -> Obj:
    container = {"name": "name", "image": "kata/sentences:v2"}
    template = {"metadata": {"labels": {"app": "name"}}, "spec": {"containers": [container]}}
    canary: Obj = {"stableService": "name-v1", "canaryService": "name-v2", "steps": [{"setWeight": 10}]}
    if routing:
        canary["trafficRouting"] = routing
    metadata = {"name": "name", "namespace": "default"}
    spec = {
        "selector": {"matchLabels": {"app": "name"}},
        "template": template,
        "strategy": {"canary": canary},
    }
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": metadata, "spec": spec}


GIVEN = {"plugins": {"argoproj-labs/gatewayAPI": {"httpRoute": "name", "namespace": "default"}}}


@pytest.mark.parametrize(
    ("routing", "kept"),
    [
        ({}, {}),
        ({"gatewayAPI": {"httpRoute": "name"}}, {"gatewayAPI": {"httpRoute": "name"}}),
        ({"plugins": {"other/router": {}}}, {}),
    ],
)
def test_weights_stay_as_they_are_without_the_plugins_key(routing: Obj, kept: Obj) -> None:
    """As argo-rollouts' issue 4569 has it: with the settings elsewhere the weights stay 1:1."""
    objects = kata("deploy/v1", "deploy/v2")
    route = http_route()
    route["metadata"]["namespace"] = "default"
    route["spec"]["rules"][0]["backendRefs"] = [{"name": f"name-{v}", "port": 5000} for v in ("v1", "v2")]
    objects.http_routes.append(route)
    objects.rollouts.append(rollout(**routing))
    (said,) = rollouts.findings(objects)
    assert (said.code, said.object) == ("KATA0607", "Rollout default/name")
    assert "they stay 1:1 whatever its steps say" in said.message
    (step,) = json.loads(said.mend.partition("-p ")[2].strip("'"))
    plugins = {**routing.get("plugins", {}), **GIVEN["plugins"]}
    assert step["value"] == {**kept, "plugins": plugins}
    objects.rollouts[:] = [rollout(**step["value"])]
    assert [*rollouts.findings(objects)] == []
