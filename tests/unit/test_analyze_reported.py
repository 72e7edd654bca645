"""What users of Argo Rollouts' plugin for the Gateway API and of Flagger reported, as they write it.

Each has the address of its report; the objects have what the reports' have, for a service of the tests' own.
"""

import json
from typing import Any

import pytest
import yaml
from analyzed import kata
from test_analyze_http_routes import with_routes

from kata_lib.cluster.client import Obj
from kata_lib.mesh import analyze
from kata_lib.mesh.analyze import Finding, Objects

WEIGHTLESS = """
# https://github.com/argoproj-labs/rollouts-plugin-trafficrouter-gatewayapi/issues/147
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: name, namespace: default, generation: 11}
spec:
  parentRefs:
  - {group: "", kind: Service, name: name, namespace: default, port: 5000}
  rules:
  - backendRefs:
    - {group: "", kind: Service, name: name-v1, port: 5000, weight: 100}
    - {group: "", kind: Service, name: name-v2, port: 5000, weight: 0}
    matches: [{path: {type: PathPrefix, value: /}}]
  - backendRefs:
    - {group: "", kind: Service, name: name-v2, port: 5000, weight: 0}
    matches:
    - headers: [{name: X-Canary, type: Exact, value: "yes"}]
      path: {type: PathPrefix, value: /}
"""

UNMOVED = """
# https://github.com/argoproj/argo-rollouts/issues/4569: a field that Argo Rollouts does not have, no error
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: name, namespace: default}
spec:
  replicas: 6
  revisionHistoryLimit: 5
  selector: {matchLabels: {app: name}}
  strategy:
    canary:
      stableService: name-v1
      canaryService: name-v2
      maxSurge: "25%"
      maxUnavailable: 0
      trafficRouting:
        managedRoutes: [{name: name}]
        gatewayAPI: {httpRoute: name, namespace: default}
      steps: [{setWeight: 10}, {pause: {}}]
  template: {metadata: {labels: {app: name}}, spec: {containers: [{name: name, image: "kata/sentences:v2"}]}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: name, namespace: default, generation: 1, labels: {app: name, tier: front}}
spec:
  parentRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: door}]
  rules:
  - backendRefs:
    - {name: name-v1, port: 5000}
    - {name: name-v2, port: 5000}
"""

BYPASSED = """
# https://github.com/istio/istio/issues/54240: the gateway has a rule of its own beside Flagger's route
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: name
  namespace: default
  generation: 61
  ownerReferences:
  - {apiVersion: flagger.app/v1beta1, kind: Canary, name: name, uid: u, controller: true}
spec:
  parentRefs: [{group: "", kind: Service, name: name}]
  rules:
  - backendRefs:
    - {group: "", kind: Service, name: name-v1, port: 5000, weight: 90}
    - {group: "", kind: Service, name: name-v2, port: 5000, weight: 10}
    matches: [{path: {type: PathPrefix, value: /}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: name-public, namespace: default}
spec:
  gateways: [istio-ingress/public]
  hosts: [name.example.com]
  http:
  - route: [{destination: {host: name, port: {number: 5000}}}]
"""


def reported(text: str) -> Objects:
    """Return the kata's objects with those of a report."""
    objects = list(yaml.safe_load_all(text))
    found = with_routes(*(obj for obj in objects if obj["kind"] == "HTTPRoute"))
    found.virtual_services.extend(obj for obj in objects if obj["kind"] == "VirtualService")
    found.rollouts.extend(obj for obj in objects if obj["kind"] == "Rollout")
    return found


def said(found: Objects, code: str) -> list[Finding]:
    return [finding for finding in analyze.findings(found) if finding.code == code]


def patch(finding: Finding) -> Any:
    (step,) = json.loads(finding.mend.partition("-p ")[2].strip("'"))
    return step


def test_a_header_rule_has_lost_its_weight() -> None:
    found = reported(WEIGHTLESS)
    (one,) = said(found, "KATA0606")
    assert one.seen == "spec.rules[1].backendRefs[0].weight: 0"
    step = patch(one)
    assert (step["path"], step["value"]) == ("/spec/rules/1/backendRefs/0/weight", 1)
    found.http_routes[0]["spec"]["rules"][1]["backendRefs"][0]["weight"] = step["value"]
    assert said(found, "KATA0606") == []


def test_who_gets_the_requests_of_several_without_weight_is_a_persons_to_say() -> None:
    found = reported(WEIGHTLESS.replace("weight: 100", "weight: 0"))
    one, _ = said(found, "KATA0606")
    assert one.mend == ""
    assert [choice.effect for choice in one.choices] == [
        f"name-{version} gets all of the rule's requests" for version in ("v1", "v2")
    ]
    assert '"path":"/spec/rules/0/backendRefs/1/weight","value":1' in one.choices[1].line


def follow(found: Objects, finding: Finding) -> None:
    """Do to the Rollout what the line does."""
    found.rollouts[0]["spec"]["strategy"]["canary"]["trafficRouting"] = patch(finding)["value"]


PLUGIN = "argoproj-labs/gatewayAPI"
OTHER_KEYS = {
    "as reported": {"gatewayAPI": {"httpRoute": "name"}},
    "the key in other letters": {"plugins": {"argoproj-labs/gatewayapi": {"httpRoute": "name"}}},
    "a route that is not there": {"plugins": {PLUGIN: {"httpRoute": "nam", "namespace": "default"}}},
    "another namespace": {"plugins": {PLUGIN: {"httpRoute": "name", "namespace": "prod"}}},
    "labels that it has not": {"plugins": {PLUGIN: {"httpRouteSelector": {"matchLabels": {"tier": "back"}}}}},
}


@pytest.mark.parametrize("routing", OTHER_KEYS.values(), ids=OTHER_KEYS.keys())
def test_weights_that_stay_as_they_are(routing: Obj) -> None:
    found = reported(UNMOVED)
    found.rollouts[0]["spec"]["strategy"]["canary"]["trafficRouting"] = routing
    (one,) = said(found, "KATA0607")
    assert "they stay 1:1 whatever its steps say" in one.message
    follow(found, one)
    assert said(found, "KATA0607") == []
    plugins = found.rollouts[0]["spec"]["strategy"]["canary"]["trafficRouting"]["plugins"]
    assert list(plugins) == [PLUGIN]
    assert plugins[PLUGIN]["httpRoute"] == "name"


@pytest.mark.parametrize(
    "selector",
    [
        {"matchLabels": {"app": "name"}},
        {"matchExpressions": [{"key": "tier", "operator": "In", "values": ["front", "edge"]}]},
        {"matchExpressions": [{"key": "old", "operator": "DoesNotExist"}]},
        {"matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["back"]}]},
    ],
)
def test_a_route_may_be_given_by_its_labels(selector: Obj) -> None:
    found = reported(UNMOVED)
    given = {"plugins": {PLUGIN: {"httpRouteSelector": selector}}}
    found.rollouts[0]["spec"]["strategy"]["canary"]["trafficRouting"] = given
    assert said(found, "KATA0607") == []


def test_a_second_route_is_given_beside_the_first() -> None:
    found = reported(UNMOVED)
    second = {**found.http_routes[0], "metadata": {**found.http_routes[0]["metadata"], "name": "inside"}}
    found.http_routes.append(second)
    given = {"plugins": {PLUGIN: {"httpRoute": "name"}}}
    found.rollouts[0]["spec"]["strategy"]["canary"]["trafficRouting"] = given
    (one,) = said(found, "KATA0607")
    follow(found, one)
    assert said(found, "KATA0607") == []
    kept = found.rollouts[0]["spec"]["strategy"]["canary"]["trafficRouting"]["plugins"][PLUGIN]
    assert (kept["httpRoute"], kept["httpRoutes"]) == ("name", [{"name": "inside"}])


def test_those_who_come_in_by_the_gateway_never_meet_the_canary() -> None:
    found = reported(BYPASSED)
    (one,) = said(found, "KATA0605")
    assert "Those that come in by the gateway istio-ingress/public are sent to name as a whole" in one.message
    assert (
        "Flagger's Canary name moves the weights of the former, and not those of the latter." in one.message
    )
    step = patch(one)
    assert step["path"] == "/spec/http/0/route"
    assert [(to["destination"]["host"], to["weight"]) for to in step["value"]] == [
        ("name-v1", 90),
        ("name-v2", 10),
    ]
    found.virtual_services[0]["spec"]["http"][0]["route"] = step["value"]
    assert said(found, "KATA0605") == []


def test_half_of_those_outside_is_more_than_a_canarys_pods_so_a_person_decides() -> None:
    found = reported(BYPASSED.replace("weight: 90", "weight: 50").replace("weight: 10", "weight: 50"))
    (one,) = said(found, "KATA0605")
    (choice,) = one.choices
    assert one.mend == ""
    assert choice.line.startswith("kubectl patch virtualservice name-public")
    assert choice.effect.startswith("those from outside are split as those inside: ")


def test_flaggers_canary_without_pods_is_at_rest() -> None:
    found = kata("deploy/v1", "deploy/v2")
    name = next(service for service in found.services if service["metadata"]["name"] == "name")
    metadata = {**name["metadata"], "name": "name-canary"}
    resting = {**name, "metadata": metadata, "spec": {**name["spec"], "selector": {"app": "no-pod"}}}
    found.services.append(resting)
    assert [one.object for one in said(found, "KATA0103")] == ["Service default/name-canary"]
    metadata["ownerReferences"] = next(yaml.safe_load_all(BYPASSED))["metadata"]["ownerReferences"]
    assert said(found, "KATA0103") == []


def test_the_kata_itself_has_none_of_them() -> None:
    found = kata("deploy/v1", "deploy/v2", "deploy/virtual-service-canary.yaml")
    assert not [one for code in ("KATA0605", "KATA0606", "KATA0607") for one in said(found, code)]
