"""The registry: what create, update, patch and read mean."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from control_plane import make_registry

from kata_lib.engines.embedded.registry.patches import (
    APPLY_PATCH,
    JSON_PATCH,
    MERGE_PATCH,
    STRATEGIC_MERGE_PATCH,
)
from kata_lib.engines.embedded.registry.registry import Registry
from kata_lib.engines.embedded.registry.status import StatusError
from kata_lib.engines.embedded.store import Event, Obj

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def registry() -> Registry:
    return make_registry(clock=lambda: NOON)


def deployment(name: str = "name-v1", replicas: int = 1) -> Obj:
    labels = {"app": name}
    return {
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "name", "image": "kata/sentences:v1"}]},
            },
        },
    }


def virtual_service(weight: int = 10) -> Obj:
    route = [{"destination": {"host": "name"}, "weight": weight}]
    return {"metadata": {"name": "name"}, "spec": {"hosts": ["name"], "http": [{"route": route}]}}


def create(registry: Registry, resource: str, obj: Obj, **options: Any) -> Obj:
    return registry.create(resource, "default", obj, manager="test", **options)


def test_a_new_object_gets_what_the_server_gives(registry: Registry) -> None:
    made = create(registry, "deployments", deployment())
    metadata = made["metadata"]
    assert (made["apiVersion"], made["kind"]) == ("apps/v1", "Deployment")
    assert metadata["creationTimestamp"] == "2026-01-01T12:00:00Z"
    assert metadata["namespace"] == "default"
    assert metadata["generation"] == 1
    assert metadata["managedFields"][0]["manager"] == "test"
    assert len(metadata["uid"]) == 36
    assert made["spec"]["strategy"]["type"] == "RollingUpdate"
    assert registry.get("deployments", "default", "name-v1") == made


def test_names_are_generated(registry: Registry) -> None:
    made = create(registry, "configmaps", {"metadata": {"generateName": "settings-"}})
    assert made["metadata"]["name"].startswith("settings-")
    assert len(made["metadata"]["name"]) == len("settings-") + 5


def refused(code: int, words: str, call: Callable[[], Any]) -> None:
    with pytest.raises(StatusError) as error:
        call()
    assert error.value.code == code
    assert words in error.value.message


def test_refusals_speak_as_the_real_server(registry: Registry) -> None:
    create(registry, "deployments", deployment())
    taken = 'deployments.apps "name-v1" already exists'
    refused(409, taken, lambda: create(registry, "deployments", deployment()))
    missing = 'deployments.apps "nothing" not found'
    refused(404, missing, lambda: registry.get("deployments", "default", "nothing"))
    elsewhere = 'namespaces "elsewhere" not found'
    refused(404, elsewhere, lambda: registry.create("pods", "elsewhere", deployment(), manager="test"))
    negative = 'Deployment.apps "low" is invalid: spec.replicas: Invalid value: -1: must be greater than'
    refused(422, negative, lambda: create(registry, "deployments", deployment("low", -1)))


def test_an_unknown_field_is_refused_when_strict_and_else_told(registry: Registry) -> None:
    misspelt = deployment()
    misspelt["spec"]["replcias"] = 2
    strict = 'strict decoding error: unknown field "spec.replcias"'
    refused(400, strict, lambda: create(registry, "deployments", misspelt, field_validation="Strict"))
    warnings: list[str] = []
    made = create(registry, "deployments", misspelt, field_validation="Warn", warnings=warnings)
    assert warnings == ['unknown field "spec.replcias"']
    assert "replcias" not in made["spec"]


def test_a_kind_of_other_engines_is_refused_by_name(registry: Registry) -> None:
    words = "the embedded engine does not support PeerAuthentication; a cluster that runs it does"
    obj = {"metadata": {"name": "strict"}}
    refused(403, words, lambda: create(registry, "peerauthentications", obj))
    applied = {"apiVersion": "security.istio.io/v1", "kind": "PeerAuthentication", **obj}
    refused(
        403,
        words,
        lambda: registry.patch(
            "peerauthentications", "default", "strict", applied, APPLY_PATCH, manager="test"
        ),
    )


def test_the_optimistic_lock(registry: Registry) -> None:
    old = create(registry, "configmaps", {"metadata": {"name": "a"}, "data": {"n": "1"}})
    newer = {**old, "data": {"n": "2"}}
    registry.update("configmaps", "default", "a", newer, manager="test")
    words = (
        'Operation cannot be fulfilled on configmaps "a": the object has been modified;'
        " please apply your changes to the latest version and try again"
    )
    refused(409, words, lambda: registry.update("configmaps", "default", "a", newer, manager="test"))


def test_a_write_that_changes_nothing_is_none(registry: Registry) -> None:
    made = create(registry, "deployments", deployment())
    heard: list[Event] = []
    registry.subscribe(heard.append, {"deployments"})
    assert registry.update("deployments", "default", "name-v1", made, manager="test") == made
    assert registry.mutate("deployments", "default", "name-v1", lambda obj: None, manager="test") == made
    assert not heard


def test_status_and_the_rest_are_written_apart(registry: Registry) -> None:
    create(registry, "deployments", deployment())

    def change(obj: Obj) -> None:
        obj["spec"]["replicas"] = 7
        obj["status"] = {"replicas": 3}

    by_status = registry.mutate(
        "deployments", "default", "name-v1", change, manager="controller", subresource="status"
    )
    assert by_status is not None
    assert (by_status["spec"]["replicas"], by_status["status"]["replicas"]) == (1, 3)
    assert by_status["metadata"]["generation"] == 1
    by_object = registry.mutate("deployments", "default", "name-v1", change, manager="test")
    assert by_object is not None
    assert (by_object["spec"]["replicas"], by_object["metadata"]["generation"]) == (7, 2)


def test_mutate_of_what_is_gone_is_none(registry: Registry) -> None:
    assert registry.mutate("pods", "default", "gone", lambda obj: None, manager="test") is None


def test_annotations_do_not_raise_the_generation_of_a_virtual_service(registry: Registry) -> None:
    create(registry, "virtualservices", virtual_service())
    note = {"metadata": {"annotations": {"note": "kept"}}}
    patched = registry.patch("virtualservices", "default", "name", note, MERGE_PATCH, manager="test")
    assert patched["metadata"]["generation"] == 1
    weight = [{"op": "replace", "path": "/spec/http/0/route/0/weight", "value": 30}]
    patched = registry.patch("virtualservices", "default", "name", weight, JSON_PATCH, manager="test")
    assert patched["metadata"]["generation"] == 2
    assert patched["metadata"]["annotations"] == {"note": "kept"}


def test_a_strategic_merge_patch_merges_lists_by_key_but_not_for_custom_kinds(registry: Registry) -> None:
    create(registry, "deployments", deployment())
    container = {"name": "name", "env": [{"name": "EXTRA", "value": "1"}]}
    body = {"spec": {"template": {"spec": {"containers": [container]}}}}
    patched = registry.patch("deployments", "default", "name-v1", body, STRATEGIC_MERGE_PATCH, manager="test")
    assert patched["spec"]["template"]["spec"]["containers"][0]["image"] == "kata/sentences:v1"
    create(registry, "virtualservices", virtual_service())
    refused(
        415,
        "accepted media types include: application/json-patch+json, application/merge-patch+json,",
        lambda: registry.patch(
            "virtualservices", "default", "name", {}, STRATEGIC_MERGE_PATCH, manager="test"
        ),
    )


def test_server_side_apply_creates_merges_and_conflicts(registry: Registry) -> None:
    def apply(weight: int, manager: str, *, force: bool = False) -> Obj:
        body = {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", **virtual_service(weight)}
        return registry.patch(
            "virtualservices", "default", "name", body, APPLY_PATCH, manager=manager, force=force
        )

    assert apply(10, "one")["metadata"]["generation"] == 1
    refused(409, 'conflict with "one"', lambda: apply(20, "two"))
    assert apply(20, "two", force=True)["spec"]["http"][0]["route"][0]["weight"] == 20


def test_a_dry_run_changes_nothing(registry: Registry) -> None:
    made = create(registry, "deployments", deployment(), dry_run=True)
    assert made["metadata"]["uid"]
    refused(404, "not found", lambda: registry.get("deployments", "default", "name-v1"))


def test_lists_by_both_selectors(registry: Registry) -> None:
    for name in ("a", "b"):
        create(registry, "configmaps", {"metadata": {"name": name, "labels": {"app": name}}})
    found = registry.list("configmaps", "default", labels="app in (a,b)", fields="metadata.name!=a")
    assert [obj["metadata"]["name"] for obj in found] == ["b"]


def test_admission_may_change_what_is_created_and_refuse_what_is_wrong() -> None:
    def label(resource: str, obj: Obj, operation: str) -> None:
        obj["metadata"].setdefault("labels", {})["seen"] = operation

    def refuse(resource: str, obj: Obj, operation: str) -> None:
        if operation == "UPDATE":
            raise StatusError(403, "Forbidden", "no updates")

    registry = make_registry(mutations=[label], admission=[refuse])
    assert create(registry, "configmaps", {"metadata": {"name": "a"}})["metadata"]["labels"] == {
        "seen": "CREATE"
    }
    body = {"data": {"a": "b"}}
    refused(
        403,
        "no updates",
        lambda: registry.patch("configmaps", "default", "a", body, MERGE_PATCH, manager="test"),
    )


def test_an_event_that_repeats_is_counted(registry: Registry) -> None:
    made = create(registry, "deployments", deployment())
    for _ in range(3):
        registry.record_event(made, "Normal", "ScalingReplicaSet", "up", component="deployment-controller")
    (event,) = registry.list("events", "default")
    assert event["count"] == 3
    assert event["involvedObject"]["kind"] == "Deployment"


def test_events_are_forgotten_after_an_hour() -> None:
    hours = iter([*range(12), *[23] * 12])
    registry = make_registry(clock=lambda: NOON.replace(hour=next(hours)))
    for reason in ("First", "Second"):
        involved = registry.get("namespaces", None, "default")
        registry.record_event(involved, "Normal", reason, "", component="test")
        hours = iter([23] * 12)
    assert [event["reason"] for event in registry.list("events")] == ["Second"]
