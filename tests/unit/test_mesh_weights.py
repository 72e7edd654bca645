"""kata_lib.mesh.weights: which object holds them, what is refused, and two who write at once."""

import math
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from api_server import Api
from hypothesis import given
from hypothesis import strategies as st

from kata_lib.cluster.client import ApiRefused, Obj
from kata_lib.cluster.cluster import Cluster
from kata_lib.engines.embedded.registry.status import StatusError
from kata_lib.errors import MeshError
from kata_lib.mesh import weights
from kata_lib.mesh.gateways import GATEWAY_API
from kata_lib.mesh.virtual_services import ISTIO

CANARY = "deploy/virtual-service-canary.yaml"


@pytest.fixture
def cluster(api: Api) -> Cluster:
    return api.cluster()


@pytest.fixture
def canary(cluster: Cluster) -> Cluster:
    cluster.apply(CANARY)
    return cluster


def to(**parts: int) -> list[Obj]:
    places = [({"host": "name", "subset": f"name-{version}"}, part) for version, part in parts.items()]
    return [{"destination": place, "weight": part} for place, part in places]


def virtual_service(*http: Obj, name: str = "name", hosts: tuple[str, ...] = ("name",), **spec: Any) -> Obj:
    return {
        "apiVersion": ISTIO,
        "kind": "VirtualService",
        "metadata": {"name": name},
        "spec": {"http": list(http), **({"hosts": list(hosts)} if hosts else {}), **spec},
    }


def test_without_a_virtual_service_there_are_none(cluster: Cluster) -> None:
    assert weights.find(cluster, "name") is None
    assert weights.read(cluster, "name") == {}
    with pytest.raises(MeshError, match="No VirtualService or HTTPRoute routes the host 'name'"):
        weights.set_weights(cluster, "name", {"name-v2": 10})


def test_what_is_read_can_be_written_back(canary: Cluster) -> None:
    before = canary.get(ISTIO, "VirtualService", "name")
    written = weights.read(canary, "name")
    assert written == {"name-v1": 90, "name-v2": 10}
    assert weights.set_weights(canary, "name", written) == written
    assert canary.get(ISTIO, "VirtualService", "name") == before


@pytest.mark.parametrize(
    ("wanted", "written"),
    [
        ({"name-v2": 25}, {"name-v1": 75, "name-v2": 25}),
        ({"name-v2": 10, "name-v1": 80}, {"name-v1": 80, "name-v2": 10}),
        ({"name-v1": 0}, {"name-v1": 0, "name-v2": 100}),
        ({"name-v2": 250.0, "name-v1": 50}, {"name-v1": 50, "name-v2": 250}),
    ],
)
def test_setting(canary: Cluster, wanted: dict[str, float], written: dict[str, int]) -> None:
    assert weights.set_weights(canary, "name", wanted) == written
    assert weights.read(canary, "name") == written


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"name-v2": "ten"}, "must be a number, not 'ten'"),
        ({"name-v2": True}, "must be a number"),
        ({"name-v2": math.nan}, "must be a number"),
        ({"name-v2": -1}, "cannot be negative"),
        ({"name-v2": 2.5}, "whole numbers only"),
        ({"name-v2": 0, "name-v1": 0}, "All weights are 0"),
        ({"name-v3": 10}, "no subset 'name-v3'; it has: name-v1, name-v2"),
        ({"name-v2": 120}, "Weights for name-v1 are missing"),
        ({}, "are missing"),
    ],
)
def test_what_is_no_weight(canary: Cluster, wanted: dict[str, Any], said: str) -> None:
    with pytest.raises(MeshError, match=said):
        weights.set_weights(canary, "name", wanted)
    assert weights.read(canary, "name") == {"name-v1": 90, "name-v2": 10}


TESTERS = {"match": [{"headers": {"x-tester": {"exact": "yes"}}}], "route": to(v2=100)}


@pytest.mark.parametrize(
    ("http", "index"),
    [
        ([{"route": to(v1=60, v2=40)}], 0),
        ([TESTERS, {"route": to(v1=60, v2=40)}], 1),
        ([{"match": [{"uri": {"prefix": "/"}}], "route": to(v1=60, v2=40)}], 0),
        ([{"match": [{"uri": {"regex": ".*"}, "name": "all"}], "route": to(v1=60, v2=40)}, TESTERS], 0),
        ([{"match": [TESTERS["match"][0], {"method": {"exact": "GET"}}], "route": to(v1=60, v2=40)}], 0),
        ([{"match": [{"uri": {"prefix": "/api"}}], "route": to(v2=1)}, {"route": to(v1=60, v2=40)}], 1),
        ([{"match": [{"gateways": ["front"]}], "route": to(v2=1)}, {"route": to(v1=60, v2=40)}], 1),
    ],
)
def test_the_rule_that_plain_requests_take_is_found(cluster: Cluster, http: list[Obj], index: int) -> None:
    cluster.create(virtual_service(*http))
    found = weights.find(cluster, "name")
    assert found
    assert (found.index, found.weights) == (index, {"name-v1": 60, "name-v2": 40})
    assert weights.set_weights(cluster, "name", {"name-v2": 5}) == {"name-v1": 95, "name-v2": 5}
    now = cluster.get(ISTIO, "VirtualService", "name")
    assert now
    assert [rule for at, rule in enumerate(now["spec"]["http"]) if at != index] == [
        rule for at, rule in enumerate(http) if at != index
    ]


@pytest.mark.parametrize(
    "http", [[TESTERS], [{"directResponse": {"status": 418}}], [{"delegate": {"name": "not-there"}}]]
)
def test_no_rule_sends_plain_requests_on(cluster: Cluster, http: list[Obj]) -> None:
    cluster.create(virtual_service(*http))
    with pytest.raises(MeshError, match="'name' sends no plain `GET /` on to name"):
        weights.read(cluster, "name")


def test_a_delegate_holds_the_weights_of_those_who_hand_on_to_it(cluster: Cluster) -> None:
    cluster.create(virtual_service(TESTERS, {"delegate": {"name": "inner"}}))
    cluster.create(virtual_service({"route": to(v1=75, v2=25)}, name="inner", hosts=()))
    assert str(weights.find(cluster, "name")) == "VirtualService inner"
    weights.set_weights(cluster, "name", {"name-v2": 30})
    inner = cluster.get(ISTIO, "VirtualService", "inner")
    assert inner
    assert inner["spec"]["http"][0]["route"] == to(v1=70, v2=30)


@pytest.mark.parametrize(
    ("services", "holder"),
    [
        (
            [virtual_service({"route": to(v1=1)}, name="b"), virtual_service({"route": to(v1=1)}, name="a")],
            "b",
        ),
        ([virtual_service({"route": to(v1=1)}, name="gate", gateways=["front"])], None),
        ([virtual_service({"route": to(v1=1)}, name="both", gateways=["front", "mesh"])], "both"),
        ([virtual_service({"route": to(v1=1)}, name="other", hosts=("age",))], None),
        ([virtual_service({"route": to(v1=1)}, name="hidden", exportTo=["elsewhere"])], None),
        ([virtual_service({"route": to(v1=1)}, name="here", exportTo=["."])], "here"),
        ([virtual_service({"route": to(v1=1)}, name="dotted", hosts=("name.default",))], None),
        ([virtual_service({"route": to(v1=1)}, hosts=("name.default.svc.cluster.local",))], "name"),
        (
            [
                virtual_service({"route": to(v1=1)}, name="wide", hosts=("*.default.svc.cluster.local",)),
                virtual_service({"route": to(v1=1)}, name="exact"),
            ],
            "exact",
        ),
    ],
)
def test_who_speaks_for_a_host(api: Api, cluster: Cluster, services: list[Obj], holder: str | None) -> None:
    for service in services:
        cluster.create(service)
        api.ahead += timedelta(seconds=1)
    found = weights.find(cluster, "name")
    assert (found and found.obj["metadata"]["name"]) == holder


def test_names_of_destinations(cluster: Cluster) -> None:
    places = [{"host": "a", "subset": "v1"}, {"host": "b", "subset": "v1"}, {"host": "c"}, {"host": "c"}]
    route = [{"destination": place, "weight": 25} for place in places]
    cluster.create(virtual_service({"route": route}))
    assert weights.read(cluster, "name") == {"a/v1": 25, "b/v1": 25, "c": 50}
    weights.set_weights(cluster, "name", {"a/v1": 10, "b/v1": 20})
    assert weights.read(cluster, "name") == {"a/v1": 10, "b/v1": 20, "c": 70}


def test_a_single_destination_needs_no_weight(cluster: Cluster) -> None:
    cluster.create(virtual_service({"route": [{"destination": {"host": "name"}}]}))
    assert weights.read(cluster, "name") == {"name": 100}


def between(api: Api, write: Callable[[], object], times: int = 1) -> None:
    """Let somebody write each time before a PUT arrives."""
    left = [write] * times

    def before(method: str, path: str) -> None:
        if method == "PUT" and left:
            left.pop()()

    api.before = before


def test_what_somebody_writes_meanwhile_is_not_lost(api: Api, canary: Cluster) -> None:
    somebody = api.cluster()

    def labelled() -> None:
        route = to(v1=90, v2=10)
        rules = {"spec": {"http": [TESTERS, {"name": "main", "route": route}]}}
        somebody.patch(ISTIO, "VirtualService", "name", rules)

    between(api, labelled)
    assert weights.set_weights(canary, "name", {"name-v2": 40}) == {"name-v1": 60, "name-v2": 40}
    now = canary.get(ISTIO, "VirtualService", "name")
    assert now
    assert now["spec"]["http"] == [TESTERS, {"name": "main", "route": to(v1=60, v2=40)}]


def test_a_change_that_others_are_always_faster_than_is_given_up(api: Api, canary: Cluster) -> None:
    numbers = iter(range(1000))
    somebody = api.cluster()

    def touch() -> None:
        annotated = {"metadata": {"annotations": {"n": str(next(numbers))}}}
        somebody.patch(ISTIO, "VirtualService", "name", annotated)

    between(api, touch, times=weights.ATTEMPTS)
    with pytest.raises(MeshError, match="VirtualService name was changed by others 10 times in a row"):
        weights.set_weights(canary, "name", {"name-v2": 40})
    assert weights.set_weights(canary, "name", {"name-v2": 40})["name-v2"] == 40


def test_what_the_api_refuses_is_not_tried_again(api: Api, canary: Cluster) -> None:
    def refuse() -> None:
        raise StatusError(403, "Forbidden", "you may not", {})

    between(api, refuse)
    with pytest.raises(ApiRefused, match="you may not"):
        weights.set_weights(canary, "name", {"name-v2": 40})


def test_words() -> None:
    assert weights.parse_weights(["name-v2=20", "name-v1=80"]) == {"name-v2": 20.0, "name-v1": 80.0}
    with pytest.raises(MeshError, match="Expected SUBSET=NUMBER"):
        weights.parse_weights(["name-v2"])


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=4).filter(any))
def test_complete_weights_keeps_what_is_complete(given_: list[int]) -> None:
    names = [f"s{i}" for i in range(len(given_))]
    wanted = dict(zip(names, given_, strict=True))
    assert weights.complete_weights(wanted, names) == wanted


def backends(**weights: int | None) -> list[Obj]:
    """Return backends such as name-v1, each with its weight, or without one."""
    named = [(f"name-{version}", weight) for version, weight in weights.items()]
    return [
        {"name": name, "port": 5000} | ({} if weight is None else {"weight": weight})
        for name, weight in named
    ]


def http_route(*rules: Obj, name: str = "name", parent: str = "name") -> Obj:
    return {
        "apiVersion": GATEWAY_API,
        "kind": "HTTPRoute",
        "metadata": {"name": name},
        "spec": {
            "parentRefs": [{"group": "", "kind": "Service", "name": parent, "port": 5000}],
            "rules": list(rules),
        },
    }


def test_an_http_route_holds_the_weights_of_its_parent(cluster: Cluster) -> None:
    testers = {
        "matches": [{"headers": [{"name": "x-tester", "value": "yes"}]}],
        "backendRefs": backends(v2=1),
    }
    cluster.create(http_route(testers, {"backendRefs": backends(v1=90, v2=10)}))
    cluster.create(http_route({"backendRefs": backends(v9=1)}, name="age", parent="age"))
    assert weights.read(cluster, "name") == {"name-v1": 90, "name-v2": 10}
    assert weights.set_weights(cluster, "name", {"name-v2": 25}) == {"name-v1": 75, "name-v2": 25}
    route = cluster.get(GATEWAY_API, "HTTPRoute", "name")
    assert route is not None
    assert [b["weight"] for b in route["spec"]["rules"][1]["backendRefs"]] == [75, 25]
    assert str(weights.find(cluster, "name")) == "HTTPRoute name"


def test_a_backend_without_a_weight_has_one_of_one(cluster: Cluster) -> None:
    cluster.create(http_route({"backendRefs": backends(v1=None, v2=None)}))
    assert weights.read(cluster, "name") == {"name-v1": 1, "name-v2": 1}


@pytest.mark.parametrize(("exported", "kind"), [(["*"], "HTTPRoute"), (["."], "VirtualService")])
def test_of_both_for_one_host_istiod_asks_the_route_unless_the_other_is_for_the_namespace_alone(
    cluster: Cluster, exported: list[str], kind: str
) -> None:
    cluster.create(virtual_service({"route": to(v1=90, v2=10)}, exportTo=exported))
    cluster.create(http_route({"backendRefs": backends(v1=1, v2=1)}))
    holder = weights.find(cluster, "name")
    assert holder is not None
    assert holder.obj["kind"] == kind


def test_the_narrowest_rule_of_all_routes_takes_plain_requests(cluster: Cluster) -> None:
    cluster.create(http_route({"backendRefs": backends(v1=1)}))
    exact = {"matches": [{"path": {"type": "Exact", "value": "/"}}], "backendRefs": backends(v2=1)}
    cluster.create(http_route(exact, name="later"))
    assert weights.read(cluster, "name") == {"name-v2": 1}


def test_a_route_that_answers_itself_has_no_weights(cluster: Cluster) -> None:
    cluster.create(http_route({"matches": [{"method": "POST"}], "backendRefs": backends(v1=1)}))
    with pytest.raises(MeshError, match="The HTTPRoute 'name' sends no plain `GET /` on"):
        weights.read(cluster, "name")
