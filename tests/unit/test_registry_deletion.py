"""Deletion: grace periods of pods, finalizers, namespaces, preconditions."""

import pytest
from control_plane import make_registry

from kata_lib.engines.embedded.registry.registry import Registry
from kata_lib.engines.embedded.registry.status import StatusError
from kata_lib.engines.embedded.store import Event, Obj


@pytest.fixture
def registry() -> Registry:
    return make_registry("default", "learner")


def make(registry: Registry, resource: str, obj: Obj, namespace: str = "default") -> Obj:
    return registry.create(resource, namespace, obj, manager="test")


def running_pod(registry: Registry, grace: int = 5) -> Obj:
    container = {"name": "name", "image": "kata/sentences:v1"}
    spec = {"nodeName": "node", "terminationGracePeriodSeconds": grace, "containers": [container]}
    return make(registry, "pods", {"metadata": {"name": "a"}, "spec": spec})


def is_there(registry: Registry, resource: str, name: str) -> bool:
    return any(obj["metadata"]["name"] == name for obj in registry.list(resource))


def test_a_running_pod_has_a_grace_period(registry: Registry) -> None:
    running_pod(registry)
    marked = registry.delete("pods", "default", "a")
    assert marked["metadata"]["deletionGracePeriodSeconds"] == 5
    assert marked["metadata"]["deletionTimestamp"]
    again = registry.delete("pods", "default", "a", grace_seconds=60)
    assert again["metadata"]["resourceVersion"] == marked["metadata"]["resourceVersion"]
    assert (
        registry.delete("pods", "default", "a", grace_seconds=1)["metadata"]["deletionGracePeriodSeconds"]
        == 1
    )
    registry.delete("pods", "default", "a", grace_seconds=0)
    assert not is_there(registry, "pods", "a")


def test_a_pod_without_a_node_is_gone_at_once(registry: Registry) -> None:
    container = {"name": "name", "image": "kata/sentences:v1"}
    make(registry, "pods", {"metadata": {"name": "a"}, "spec": {"containers": [container]}})
    registry.delete("pods", "default", "a")
    assert not is_there(registry, "pods", "a")


@pytest.mark.parametrize(
    ("propagation", "finalizer"), [("Foreground", "foregroundDeletion"), ("Orphan", "orphan")]
)
def test_a_finalizer_keeps_a_deleted_object(registry: Registry, propagation: str, finalizer: str) -> None:
    make(registry, "configmaps", {"metadata": {"name": "a"}})
    heard: list[Event] = []
    registry.subscribe(heard.append, {"configmaps"})
    marked = registry.delete("configmaps", "default", "a", propagation=propagation)
    assert marked["metadata"]["finalizers"] == [finalizer]
    assert is_there(registry, "configmaps", "a")

    def finalize(obj: Obj) -> None:
        obj["metadata"]["finalizers"].remove(finalizer)

    registry.mutate("configmaps", "default", "a", finalize, manager="garbage-collector")
    assert not is_there(registry, "configmaps", "a")
    assert [event.type for event in heard] == ["MODIFIED", "DELETED"]


def test_a_namespace_goes_when_it_is_finalized(registry: Registry) -> None:
    registry.delete("namespaces", None, "learner")
    assert registry.get("namespaces", None, "learner")["status"]["phase"] == "Terminating"
    with pytest.raises(StatusError, match="because it is being terminated") as refused:
        make(registry, "configmaps", {"metadata": {"name": "late"}}, "learner")
    assert refused.value.code == 403
    registry.mutate(
        "namespaces",
        None,
        "learner",
        lambda obj: obj["spec"].pop("finalizers"),
        manager="namespace-controller",
        subresource="finalize",
    )
    assert not is_there(registry, "namespaces", "learner")


def test_the_namespace_default_stays(registry: Registry) -> None:
    with pytest.raises(StatusError, match=r'^namespaces "default" is forbidden: this namespace may not be'):
        registry.delete("namespaces", None, "default")


def test_preconditions(registry: Registry) -> None:
    make(registry, "configmaps", {"metadata": {"name": "a"}})
    with pytest.raises(StatusError, match="Precondition failed: UID in precondition: other") as refused:
        registry.delete("configmaps", "default", "a", preconditions={"uid": "other"})
    assert refused.value.code == 409


def test_a_dry_run_deletes_nothing(registry: Registry) -> None:
    make(registry, "configmaps", {"metadata": {"name": "a"}})
    registry.delete("configmaps", "default", "a", dry_run=True)
    assert is_there(registry, "configmaps", "a")
