"""What unit tests take for a sidecar's configuration is what a real Envoy has in force."""

import pytest
from sidecars import config_dump

from embedded.engine_cluster import Cluster as Running
from kata_lib.cluster.cluster import Cluster
from kata_lib.engines.embedded import addresses
from kata_lib.engines.embedded.mesh.translate import gateway_api
from kata_lib.engines.embedded.state import State
from kata_lib.engines.embedded.store import Obj
from kata_lib.mesh import in_force, proxy_config, synced
from kata_lib.mesh.destinations import Upstreams

CANARY = "deploy/virtual-service-canary.yaml"
KINDS = {
    "services": ("v1", "Service"),
    "pods": ("v1", "Pod"),
    "endpointslices": ("discovery.k8s.io/v1", "EndpointSlice"),
    "virtualservices": ("networking.istio.io/v1", "VirtualService"),
    "destinationrules": ("networking.istio.io/v1", "DestinationRule"),
    "gateways": ("networking.istio.io/v1", "Gateway"),
    gateway_api.KEY: ("gateway.networking.k8s.io/v1", "HTTPRoute"),
    "secrets": ("v1", "Secret"),
}


@pytest.fixture
def canary(cluster: Running) -> Cluster:
    found = Cluster.at(cluster.location)
    since = synced.now(found, "sentences")
    found.apply(CANARY)
    synced.until(found, "sentences", since)
    return found


def test_they_say_the_same(cluster: Running, canary: Cluster) -> None:
    def objects(resource: str) -> list[Obj]:
        return canary.objects_everywhere(*KINDS[resource])

    (caller,) = canary.pods("app=sentences")
    name = caller["metadata"]["name"]
    plan = addresses.load(State(cluster.location.kubeconfig.parent))
    ours, real = config_dump(objects, caller, plan), proxy_config.dump(canary, name)
    pods, services = canary.pods(), canary.objects("v1", "Service")
    for service in (service for service in services if service["spec"].get("selector")):
        read = [in_force.from_dump(d, service, pods, caller=name, namespace="default") for d in (ours, real)]
        assert read[0] == read[1]
    clusters = [cluster["name"] for cluster in proxy_config.select(ours, "clusters")]
    assert len(clusters) > 5
    for found in clusters:
        assert Upstreams(ours, pods, "default").pods(found) == Upstreams(real, pods, "default").pods(found)
    canary.delete(CANARY)
