"""The kata's canary as HTTPRoute through real sidecars: slider, counters, graph and checks know it."""

import json
from collections import Counter
from collections.abc import Iterator

import pytest
from share_cases import REQUESTS, agrees

from embedded import http_route
from embedded.engine_cluster import Cluster, until
from kata_lib.cluster.cluster import Cluster as Namespace
from kata_lib.course import application, service
from kata_lib.course.checks import check
from kata_lib.lab.live.route import SELDOM_SECONDS, LiveRouting
from kata_lib.mesh import telemetry, weights
from kata_lib.pictures import graph


@pytest.fixture
def canary(cluster: Cluster) -> Iterator[Namespace]:
    """The shared cluster with the HTTPRoute in force, which is gone afterwards."""
    made = json.dumps({"apiVersion": "v1", "kind": "List", "items": http_route.manifests()})
    cluster.kubectl("apply", "--filename=-", stdin=made)
    namespace = Namespace.at(cluster.location)
    until(lambda: service.in_force(namespace).versions == {"v1": 0.9, "v2": 0.1})
    yield namespace
    cluster.kubectl("delete", "--filename=-", stdin=made)
    until(lambda: service.in_force(namespace).only_pods_decide)


def test_client_callers_and_pods_count_the_same_and_the_check_is_right(canary: Namespace) -> None:
    before = telemetry.reading(canary)
    sample = application.sample(application.url(canary), requests=REQUESTS)
    counted = telemetry.difference(before, telemetry.reading(canary))
    asked = Counter(sample["version"])
    assert agrees(asked, service.in_force(canary).outcome())
    assert telemetry.by_version(counted, "name")["requests"].to_dict() == asked
    for numbers in telemetry.side_by_side(sample, counted, "name").to_dict("index").values():
        assert numbers["client"] == numbers["source"] == numbers["destination"]
    drawn = {(str(edge.caller), str(edge.called)): edge.requests for edge in graph.draw(counted).edges}
    assert {ends: drawn[ends] for ends in drawn if "name" in ends} == {
        ("sentences\nv1", "name"): REQUESTS,
        ("name", "name\nv1"): asked["v1"],
        ("name", "name\nv2"): asked["v2"],
    }
    assert service.analysis(canary).findings == ()
    assert check("canary-10", canary, sample).verdict == "right"


def test_the_slider_sets_the_routes_weights_and_sees_a_change_from_elsewhere(canary: Namespace) -> None:
    routing = LiveRouting(canary)
    assert routing.look(0.0).movable
    assert routing.set("v2", 25, 1.0) == {"v1": 0.75, "v2": 0.25}
    until(lambda: service.in_force(canary).versions == {"v1": 0.75, "v2": 0.25})
    assert routing.look(2.0).asked == {"v1": 0.75, "v2": 0.25}
    weights.set_weights(canary, "name", {"name-v2": 40})
    until(lambda: service.in_force(canary).versions == {"v1": 0.6, "v2": 0.4})
    assert routing.look(2.0 + SELDOM_SECONDS).asked == {"v1": 0.6, "v2": 0.4}
    of_v2 = sum(application.sample(application.url(canary), requests=REQUESTS)["version"] == "v2")
    assert agrees(Counter(v1=REQUESTS - of_v2, v2=of_v2), service.in_force(canary).outcome())
