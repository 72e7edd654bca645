"""The mesh's counters agree with the sampler to the request."""

from embedded.engine_cluster import Start
from kata_lib.cluster.cluster import Cluster
from kata_lib.course.application import sample
from kata_lib.mesh import telemetry


def test_client_and_sidecars_count_the_same(start: Start) -> None:
    made = start("observe")
    made.kubectl("label", "namespace", "default", "istio-injection=enabled")
    made.deploy("v1", "v2", "v3-faulty", "virtual-service-canary-promote.yaml")
    made.deploy("virtual-service-canary-v3.yaml")
    cluster = Cluster(made.location.kubeconfig, node_host=made.location.node_host)
    before = telemetry.reading(cluster)
    answers = sample(made.url(), requests=300, rate=150)
    table = telemetry.side_by_side(answers, telemetry.difference(before, telemetry.reading(cluster)), "name")
    assert table["client"].sum() == 300
    assert table["client"].equals(table["source"])
    assert table["client"].equals(table["destination"])
    assert table["client"]["failed"] > 0
