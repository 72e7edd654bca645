"""Gateways on the engine: real Envoys that take requests from outside, by both of their APIs."""

from collections import Counter
from collections.abc import Iterator

import pytest
import yaml
from share_cases import REQUESTS, agrees

from embedded.engine_cluster import DEPLOY, Cluster, until
from kata_lib.cluster.cluster import Cluster as Namespace
from kata_lib.course import application
from kata_lib.mesh import in_force

NAME = {
    "apiVersion": "networking.istio.io/v1",
    "kind": "VirtualService",
    "metadata": {"name": "name-outside"},
    "spec": {
        "hosts": ["*"],
        "gateways": ["gateway"],
        "http": [
            {
                "route": [
                    {"destination": {"host": "name", "subset": "name-v1"}, "weight": 90},
                    {"destination": {"host": "name", "subset": "name-v2"}, "weight": 10},
                ]
            }
        ],
    },
}
"""A rule for the gateway alone: two versions of `name`, whose answers tell which they are."""


@pytest.fixture
def namespace(cluster: Cluster) -> Iterator[Namespace]:
    """The shared cluster with a gateway, which is gone afterwards with all that was applied."""
    files = [f"--filename={DEPLOY / 'gateway'}", f"--filename={DEPLOY / 'virtual-service-canary.yaml'}"]
    cluster.kubectl("apply", *files)
    cluster.kubectl("wait", "--for=condition=Available", "deployment", "--all", "--timeout=60s")
    yield Namespace.at(cluster.location)
    for written in (files, ["virtualservice", "name-outside"]):
        cluster.kubectl("delete", "--ignore-not-found", *written)
    until(lambda: "gateway" not in cluster.kubectl("get", "pods"))


def test_requests_from_outside_go_where_the_gateways_own_envoy_says(
    cluster: Cluster, namespace: Namespace
) -> None:
    answers = application.sample(namespace.url("gateway"), requests=50)
    assert not answers["error"].any()
    cluster.kubectl("delete", "virtualservice", "sentences")
    cluster.kubectl("apply", "--filename=-", stdin=yaml.safe_dump(NAME))
    until(lambda: in_force.read(namespace, "name", "gateway").versions)
    found = in_force.read(namespace, "name", "gateway")
    assert found.versions == {"v1": 0.9, "v2": 0.1}
    of_v2 = sum(application.sample(namespace.url("gateway"), requests=REQUESTS)["version"] == "v2")
    assert agrees(Counter(v1=REQUESTS - of_v2, v2=of_v2), found.outcome())
