"""The storm's own judges see what an API loses."""

from api_server import Api

from bench.storm.clients import NUMBER, Collector, Counter
from kata_lib.course.steps import CANARY
from kata_lib.mesh.virtual_services import ISTIO


def test_a_collector_sees_what_is_lost_and_what_is_there_again(api: Api) -> None:
    cluster = api.cluster()
    collector = Collector(cluster, kept=1)
    for _ in range(3):
        collector.ask()
    assert collector.acknowledged == 5
    assert collector.broken == []
    cluster.remove("v1", "ConfigMap", "storm-3")
    cluster.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "storm-1"}})
    collector.check()
    assert collector.broken == ["storm-3 is lost", "storm-1 is there again"]


def test_a_counter_sees_a_number_that_went_back(api: Api) -> None:
    cluster = api.cluster()
    cluster.apply(CANARY)
    counter = Counter(cluster)
    for _ in range(3):
        counter.ask()
    assert counter.broken == []
    cluster.patch(ISTIO, "VirtualService", "name", {"metadata": {"annotations": {NUMBER: "2"}}})
    counter.check()
    assert counter.broken == ["number 2 after 3 was acknowledged"]


def test_a_resource_version_that_does_not_grow_is_seen(api: Api) -> None:
    collector = Collector(api.cluster())
    for version in ("7", "7"):
        collector.grown({"metadata": {"resourceVersion": version}})
    assert collector.broken == ["resource version 7 after 7"]
