"""kata_lib.lab.live.route: what the dotted line shows and what the slider turns, for routes of many kinds."""

from typing import Any

import pytest
from api_server import Answers, Api, StartApi

from kata_lib.cluster.client import Obj
from kata_lib.cluster.cluster import Cluster
from kata_lib.lab.live.route import LAG_SECONDS, SELDOM_SECONDS, LiveRouting
from kata_lib.mesh import weights
from kata_lib.mesh.virtual_services import ISTIO


class Stuck:
    """Sidecars that answer the same again and again, whatever is written."""

    def __init__(self, others: Answers) -> None:
        self._others = others
        self._answered: dict[tuple[str, str], tuple[int, str]] = {}

    def answer(self, pod: Obj, path: str) -> tuple[int, str]:
        key = pod["metadata"]["name"], path.partition("?")[0]
        if key not in self._answered:
            self._answered[key] = self._others.answer(pod, path)
        return self._answered[key]


@pytest.fixture
def canary(start_api: StartApi) -> Api:
    """v1 and v2 with the canary's DestinationRule and VirtualService."""
    return start_api("deploy/v1", "deploy/v2", "deploy/virtual-service-canary.yaml")


@pytest.fixture
def cluster(canary: Api) -> Cluster:
    return canary.cluster()


def have(cluster: Cluster, *http: Obj) -> None:
    cluster.patch(ISTIO, "VirtualService", "name", {"spec": {"http": list(http)}})


def to(**parts: int) -> list[Obj]:
    places = [({"host": "name", "subset": f"name-{version}"}, part) for version, part in parts.items()]
    return [{"destination": place, "weight": part} for place, part in places]


def service_of(cluster: Cluster, name: str, version: str) -> None:
    spec = {"selector": {"app": "name", "version": version}, "ports": [{"name": "http", "port": 5000}]}
    cluster.create({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec})


def test_one_service_a_version(cluster: Cluster) -> None:
    service_of(cluster, "name-stable", "v1")
    service_of(cluster, "name-canary", "v2")
    full = "name-stable.default.svc.cluster.local"
    places = [({"host": full}, 95), ({"host": "name-canary"}, 5)]
    have(cluster, {"route": [{"destination": place, "weight": part} for place, part in places]})
    routing = LiveRouting(cluster)
    found = routing.look(0)
    assert (found.asked, found.movable, found.note) == ({"v1": 0.95, "v2": 0.05}, True, "")
    assert routing.set("v2", 20, 1.0) == {"v1": 0.8, "v2": 0.2}
    assert weights.read(cluster, "name") == {full: 80, "name-canary": 20}
    assert routing.look(2.0).asked == {"v1": 0.8, "v2": 0.2}


def test_a_match_that_every_request_fulfils(cluster: Cluster) -> None:
    have(cluster, {"match": [{"uri": {"prefix": "/"}}], "route": to(v1=90, v2=10)})
    found = LiveRouting(cluster).look(0)
    assert (found.asked, found.movable) == ({"v1": 0.9, "v2": 0.1}, True)


def test_a_version_at_nothing_can_be_turned_up(cluster: Cluster) -> None:
    have(cluster, {"route": to(v1=0, v2=100)})
    routing = LiveRouting(cluster)
    assert routing.look(0).asked == {"v1": 0.0, "v2": 1.0}
    assert routing.set("v1", 30, 1.0) == {"v1": 0.3, "v2": 0.7}


def test_a_canary_whose_pods_are_gone_can_be_turned_down(cluster: Cluster) -> None:
    routing = LiveRouting(cluster)
    routing.look(0)
    cluster.scale("name-v2", 0)
    found = routing.look(SELDOM_SECONDS)
    assert (found.asked, found.movable) == ({"v1": 0.9, "v2": 0.1}, True)
    routing.set("v2", 0, 6.0)
    assert weights.read(cluster, "name") == {"name-v1": 100, "name-v2": 0}


def test_a_delegates_weights_are_turned(cluster: Cluster) -> None:
    inner = {"apiVersion": ISTIO, "kind": "VirtualService", "metadata": {"name": "inner"}}
    cluster.create({**inner, "spec": {"http": [{"route": to(v1=75, v2=25)}]}})
    have(cluster, {"delegate": {"name": "inner"}})
    routing = LiveRouting(cluster)
    assert routing.look(0).asked == {"v1": 0.75, "v2": 0.25}
    assert routing.set("v2", 50, 1.0) == {"v1": 0.5, "v2": 0.5}


@pytest.mark.parametrize(
    ("http", "asked", "note"),
    [
        ({"match": [{"headers": {"x": {"exact": "y"}}}], "route": to(v2=100)}, {}, "sends no plain `GET /`"),
        ({"directResponse": {"status": 418}}, {}, "sends no plain `GET /`"),
        ({"route": [{"destination": {"host": "name"}}]}, None, "The route sends to name: each pod"),
        ({"route": to(v2=1)}, {"v2": 1.0}, "one destination, v2: no weight to turn"),
    ],
)
def test_what_cannot_be_turned_is_said(cluster: Cluster, http: Obj, asked: Any, note: str) -> None:
    have(cluster, http)
    found = LiveRouting(cluster).look(0)
    assert (found.asked, found.movable) == (asked, False)
    assert note in found.note
    assert found.pods == {"v1": pytest.approx(2 / 3), "v2": pytest.approx(1 / 3)}


def test_two_destinations_of_one_version_share_its_line(cluster: Cluster) -> None:
    service_of(cluster, "name-also-v2", "v2")
    route = [*to(v1=80, v2=10), {"destination": {"host": "name-also-v2"}, "weight": 10}]
    have(cluster, {"route": route})
    found = LiveRouting(cluster).look(0)
    assert (found.asked, found.movable) == ({"v1": 0.8, "v2": 0.2}, False)
    assert "sends to name-v2, name-also-v2, which is not one version of its own" in found.note


def test_nothing_is_asked_twice_while_the_sidecars_routes_stand(canary: Api, cluster: Cluster) -> None:
    routing = LiveRouting(cluster)
    routing.look(0)
    routing.look(0.5)
    canary.requests.clear()
    routing.look(1.0)
    pod = cluster.api.path("v1", "Pod", *canary.pods("sentences"))
    assert canary.requests == [("GET", pod), ("GET", f"{pod}:15020/proxy/config_dump")]
    have(cluster, {"route": to(v1=50, v2=50)})
    assert routing.look(1.5).asked == {"v1": 0.5, "v2": 0.5}


def test_a_sidecar_that_lags_does_not_turn_the_slider_back(canary: Api, cluster: Cluster) -> None:
    routing = LiveRouting(cluster)
    routing.look(0)
    routing.look(0.5)
    canary.sidecars = Stuck(canary.sidecars)
    (sentences,) = canary.pods("sentences")
    cluster.ask_envoy(sentences, "config_dump?include_eds")
    routing.set("v2", 40, 1.0)
    assert routing.look(1.5).asked == {"v1": 0.6, "v2": 0.4}
    assert routing.look(1.0 + LAG_SECONDS).asked == {"v1": 0.9, "v2": 0.1}
