"""EndpointSlices and namespaces over a registry in memory."""

from collections.abc import AsyncIterator

import pytest
from control_plane import make_ready, make_registry, names, pod, service, settled

from kata_lib.engines.embedded.controllers import EndpointSliceController, NamespaceController
from kata_lib.engines.embedded.registry.registry import Registry
from kata_lib.engines.embedded.store import Obj


@pytest.fixture
async def slices() -> AsyncIterator[tuple[Registry, EndpointSliceController]]:
    made = make_registry()
    controller = EndpointSliceController(made)
    controller.start()
    made.create("services", "default", service(), manager="test")
    yield made, controller
    controller.stop()


def conditions(registry: Registry) -> dict[str, dict[str, bool]]:
    [found] = registry.list("endpointslices", "default")
    return {endpoint["targetRef"]["name"]: endpoint["conditions"] for endpoint in found["endpoints"]}


Slices = tuple[Registry, EndpointSliceController]


async def test_a_service_without_pods_has_an_empty_slice(slices: Slices) -> None:
    registry, controller = slices
    await settled(controller)
    [found] = registry.list("endpointslices", "default")
    metadata = found["metadata"]
    assert metadata["name"].startswith("web-")
    assert metadata["labels"] == {
        "kubernetes.io/service-name": "web",
        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
    }
    assert metadata["ownerReferences"][0]["kind"] == "Service"
    assert not found["endpoints"]


async def test_conditions_follow_the_pod_from_start_to_end(slices: Slices) -> None:
    registry, controller = slices
    registry.create("pods", "default", pod("a", {"app": "web"}), manager="test")
    make_ready(registry, "a", False)
    await settled(controller)
    assert conditions(registry) == {"a": {"ready": False, "serving": False, "terminating": False}}
    make_ready(registry, "a")
    await settled(controller)
    assert conditions(registry) == {"a": {"ready": True, "serving": True, "terminating": False}}
    registry.delete("pods", "default", "a", grace_seconds=30)
    await settled(controller)
    assert conditions(registry) == {"a": {"ready": False, "serving": True, "terminating": True}}
    registry.delete("pods", "default", "a", grace_seconds=0)
    await settled(controller)
    assert conditions(registry) == {}


async def test_a_named_port_is_the_pods_own(slices: Slices) -> None:
    registry, controller = slices
    registry.create("services", "default", service("named", "http"), manager="test")
    registry.create("pods", "default", pod("a", {"app": "named"}), manager="test")
    make_ready(registry, "a")
    await settled(controller)
    ports = [found["ports"] for found in registry.list("endpointslices", "default") if found["endpoints"]]
    assert ports == [[{"name": "http", "port": 8080, "protocol": "TCP"}]]


async def test_a_pod_that_changes_its_labels_leaves(slices: Slices) -> None:
    registry, controller = slices
    registry.create("pods", "default", pod("a", {"app": "web"}), manager="test")
    make_ready(registry, "a")
    await settled(controller)

    def relabel(obj: Obj) -> None:
        obj["metadata"]["labels"] = {}

    registry.mutate("pods", "default", "a", relabel, manager="test")
    await settled(controller)
    assert conditions(registry) == {}


async def test_a_deleted_slice_comes_back(slices: Slices) -> None:
    registry, controller = slices
    await settled(controller)
    [before] = names(registry, "endpointslices")
    registry.delete("endpointslices", "default", before)
    await settled(controller)
    [after] = names(registry, "endpointslices")
    assert after != before


async def test_a_namespace_is_furnished_and_emptied() -> None:
    registry = make_registry()
    controller = NamespaceController(registry, "certificate")
    controller.start()
    team = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team"}}
    registry.create("namespaces", None, team, manager="test")
    await settled(controller)
    assert {found["metadata"]["name"] for found in registry.list("namespaces")} >= {
        "default",
        "kube-system",
        "team",
    }
    assert registry.get("serviceaccounts", "team", "default")
    assert registry.get("configmaps", "team", "kube-root-ca.crt")["data"] == {"ca.crt": "certificate"}
    registry.create("pods", "team", pod("a"), manager="test")
    registry.delete("namespaces", None, "team")
    await settled(controller)
    assert "deletionTimestamp" in registry.get("pods", "team", "a")["metadata"]
    assert registry.get("namespaces", None, "team")["status"]["phase"] == "Terminating"
    registry.delete("pods", "team", "a", grace_seconds=0)
    await settled(controller)
    assert "team" not in [found["metadata"]["name"] for found in registry.list("namespaces")]
    assert registry.list("configmaps", "team") == []
    controller.stop()
