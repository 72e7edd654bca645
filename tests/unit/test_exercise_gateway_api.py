"""09: the solution is right; a damaged one is wrong by name, and its lines mend it."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from api_server import StartApi
from following import damaged, sample_of, until_right

from kata_lib.cluster.cluster import Cluster
from kata_lib.course import beginning
from kata_lib.course.checks import check
from kata_lib.course.exercises import step
from kata_lib.mesh import compared, weights
from kata_lib.mesh.gateways import GATEWAY_API
from kata_lib.mesh.virtual_services import ISTIO

CANARY, FOLDER = "deploy/virtual-service-canary.yaml", "deploy/gateway-api"
SERVICES, ROUTE = f"{FOLDER}/services.yaml", f"{FOLDER}/http-route.yaml"
BEGINS = ("deploy/v1", "deploy/v2", CANARY)
PARENT = {"group": "", "kind": "Service", "name": "name", "port": 5000}
SAMPLE = sample_of(v1=270, v2=30)
DAMAGES: list[tuple[Callable[[Cluster], object], str]] = [
    (lambda cluster: cluster.delete(ROUTE), "No HTTPRoute has the Service name as its parent."),
    (lambda cluster: cluster.delete(SERVICES), "The Service name-v1 is not there"),
    (lambda cluster: cluster.apply(f"{FOLDER}/no-such-backend.yaml"), "name-v22 and there is none"),
    (lambda cluster: rewritten(cluster, parentRefs=[{**PARENT, "name": "names"}]), "has no effect"),
    (lambda cluster: weights.set_weights(cluster, "name", {"name-v2": 90}), "A request gets: v1 10.0 %"),
    (lambda cluster: private(cluster), "is for this namespace alone"),
    (lambda cluster: cluster.delete("deploy/v2"), "no Deployment name-v2"),
]


def rewritten(cluster: Cluster, **spec: object) -> None:
    """Give the HTTPRoute other fields of its spec."""
    live = cluster.get(GATEWAY_API, "HTTPRoute", "name")
    assert live
    cluster.update({**live, "spec": {**live["spec"], **spec}})


def private(cluster: Cluster) -> None:
    """Show the VirtualService to its own namespace alone: then istiod asks it first."""
    live = cluster.get(ISTIO, "VirtualService", "name")
    assert live
    cluster.update({**live, "spec": {**live["spec"], "exportTo": ["."]}})


@pytest.mark.parametrize(("damage", "said"), DAMAGES)
def test_a_damaged_solution_is_wrong_by_name(
    damage: Callable[[Cluster], object], said: str, start_api: StartApi, tmp_path: Path
) -> None:
    api = start_api(*BEGINS, SERVICES, ROUTE)
    damaged(api, "http-route", SAMPLE, damage, said)
    until_right(api, tmp_path, lambda: check("http-route", api.cluster(), SAMPLE))


def test_a_virtual_service_alone_is_not_what_was_asked(start_api: StartApi) -> None:
    assert "No HTTPRoute" in check("http-route", start_api(*BEGINS, SERVICES).cluster(), SAMPLE).text


def test_envoy_has_other_names_and_no_other_number_by_an_http_route(start_api: StartApi) -> None:
    cluster = start_api(*BEGINS, SERVICES).cluster()
    before = compared.read(cluster, "name", "sentences")
    cluster.apply(ROUTE)
    changed = compared.differences(before, compared.read(cluster, "name", "sentences"), ("before", "after"))
    assert compared.numbers(changed) == 0
    assert set(changed.index[changed["before"] == ""]) == {
        "routes[0].name",
        "routes[0].match.case_sensitive",
        "routes[0].route.cluster_not_found_response_code",
    }


def test_a_weight_is_a_number_that_changes(start_api: StartApi) -> None:
    cluster = start_api(*BEGINS).cluster()
    before = compared.read(cluster, "name", "sentences")
    weights.set_weights(cluster, "name", {"name-v2": 20})
    after = compared.read(cluster, "name", "sentences")
    assert compared.numbers(compared.differences(before, after, ("before", "after"))) == 2


def test_whose_an_http_route_is_its_rules_tell(start_api: StartApi) -> None:
    cluster = start_api(*BEGINS, SERVICES, ROUTE).cluster()
    weights.set_weights(cluster, "name", {"name-v2": 20})
    assert all(found.ours for found in beginning.differences(cluster, step("gateway-api")))
    rule = yaml.safe_load(Path(ROUTE).read_text())["spec"]["rules"][0]
    for own in ({"timeouts": {"request": "1s"}}, {"matches": [{**rule["matches"][0], "method": "GET"}]}):
        rewritten(cluster, rules=[{**rule, **own}])
        named = {found.name: found.ours for found in beginning.differences(cluster, step("gateway-api"))}
        assert not named["HTTPRoute name"], own
