"""Services: cluster addresses and node ports are chosen once and kept."""

import pytest
from control_plane import make_registry

from kata_lib.engines.embedded.registry.patches import MERGE_PATCH
from kata_lib.engines.embedded.registry.registry import Registry
from kata_lib.engines.embedded.registry.services import NODE_PORTS
from kata_lib.engines.embedded.registry.status import StatusError
from kata_lib.engines.embedded.store import Obj

TAKEN_PORT = 31000


@pytest.fixture
def registry() -> Registry:
    return make_registry(bindable=lambda port: port != TAKEN_PORT)


def make(registry: Registry, name: str, **spec: object) -> Obj:
    port = {"name": "http", "port": 5000}
    spec = {"ports": [port], **spec}
    return registry.create("services", "default", {"metadata": {"name": name}, "spec": spec}, manager="test")


def test_each_service_has_an_address(registry: Registry) -> None:
    addresses = [make(registry, name)["spec"]["clusterIPs"] for name in ("a", "b")]
    assert addresses == [["10.96.0.1"], ["10.96.0.2"]]
    registry.delete("services", "default", "a")
    assert make(registry, "c")["spec"]["clusterIP"] == "10.96.0.3"


def test_a_headless_service_has_none(registry: Registry) -> None:
    assert make(registry, "a", clusterIP="None")["spec"]["clusterIP"] == "None"


def test_an_address_is_given_once(registry: Registry) -> None:
    make(registry, "a")
    with pytest.raises(StatusError, match="provided IP is already allocated"):
        make(registry, "b", clusterIP="10.96.0.1")


def test_node_ports_are_free_and_in_their_range(registry: Registry) -> None:
    ports = [make(registry, name, type="NodePort")["spec"]["ports"][0]["nodePort"] for name in ("a", "b")]
    assert len(set(ports)) == 2
    assert all(port in NODE_PORTS for port in ports)


@pytest.mark.parametrize(
    ("port", "words"),
    [
        (80, "provided port is not in the valid range. The range of valid ports is 30000-32767"),
        (TAKEN_PORT, "another program on this machine listens on the port"),
    ],
)
def test_a_node_port_that_cannot_be_is_refused(registry: Registry, port: int, words: str) -> None:
    with pytest.raises(StatusError, match=words):
        make(registry, "a", type="NodePort", ports=[{"port": 5000, "nodePort": port}])


def test_an_update_keeps_what_was_chosen(registry: Registry) -> None:
    made = make(registry, "a", type="NodePort")
    replaced = {
        "metadata": {"name": "a"},
        "spec": {"type": "NodePort", "ports": [{"name": "http", "port": 5000}]},
    }
    updated = registry.update("services", "default", "a", replaced, manager="test")
    assert updated["spec"]["clusterIP"] == made["spec"]["clusterIP"]
    assert updated["spec"]["ports"][0]["nodePort"] == made["spec"]["ports"][0]["nodePort"]


def test_a_node_port_comes_and_goes_with_the_type(registry: Registry) -> None:
    make(registry, "a")
    for kind, has_port in (("NodePort", True), ("ClusterIP", False)):
        body = {"spec": {"type": kind}}
        patched = registry.patch("services", "default", "a", body, MERGE_PATCH, manager="test")
        assert ("nodePort" in patched["spec"]["ports"][0]) is has_port


def test_what_a_load_balancer_alone_has_goes_with_the_type(registry: Registry) -> None:
    made = make(registry, "a", type="LoadBalancer", loadBalancerClass="example.com/internal")
    assert made["spec"]["allocateLoadBalancerNodePorts"] is True
    changed = registry.patch(
        "services", "default", "a", {"spec": {"type": "ClusterIP"}}, MERGE_PATCH, manager="t"
    )
    assert not {"allocateLoadBalancerNodePorts", "loadBalancerClass"} & changed["spec"].keys()
    assert "nodePort" not in changed["spec"]["ports"][0]
