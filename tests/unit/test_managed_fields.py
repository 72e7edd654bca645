"""Field owners and server-side apply: the real server's records, words and rules."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_sets import examples

from kata_lib.engines.embedded.registry.managed_fields import LAST_APPLIED, apply, record
from kata_lib.engines.embedded.registry.managed_fields.fieldsets import FieldSet
from kata_lib.engines.embedded.registry.managed_fields.typed import owned
from kata_lib.engines.embedded.registry.schemas import schema_for
from kata_lib.engines.embedded.registry.status import StatusError

SCHEMA = schema_for("deployments")
EARLY, LATE = "2026-01-01T00:00:00Z", "2026-01-01T00:00:09Z"

Obj = dict[str, Any]


def deployment(**spec: Any) -> Obj:
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}, "spec": spec}


def template(*containers: Obj) -> Obj:
    return {"spec": {"containers": list(containers)}}


def applied(
    live: Obj | None, wanted: Obj, manager: str = "kubectl", *, force: bool = False, now: str = LATE
) -> Obj:
    return apply(live, wanted, manager=manager, force=force, api_version="apps/v1", now=now, schema=SCHEMA)


def changed(old: Obj | None, new: Obj, manager: str = "curl", **options: Any) -> Obj:
    new = copy.deepcopy(new)
    record(old, new, manager=manager, api_version="apps/v1", now=LATE, schema=SCHEMA, **options)
    return new


def fields(obj: Obj, manager: str) -> Any:
    (entry,) = [entry for entry in obj["metadata"]["managedFields"] if entry["manager"] == manager]
    return entry["fieldsV1"]


def managers(obj: Obj) -> list[str]:
    return [entry["manager"] for entry in obj["metadata"].get("managedFields", [])]


def content(obj: Obj) -> Obj:
    return {**obj, "metadata": {k: v for k, v in obj["metadata"].items() if k != "managedFields"}}


def test_what_a_create_is_recorded_as() -> None:
    ports = [{"containerPort": 5000, "protocol": "TCP"}]
    container = {"name": "a", "image": "i", "ports": ports, "resources": {}}
    obj = deployment(
        replicas=1,
        selector={"matchLabels": {"app": "a"}},
        strategy={"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}},
        template={"metadata": {"labels": {"app": "a"}}, **template(container)},
    )
    (entry,) = changed(None, obj)["metadata"]["managedFields"]
    assert {key: entry[key] for key in entry if key != "fieldsV1"} == {
        "manager": "curl",
        "operation": "Update",
        "apiVersion": "apps/v1",
        "time": LATE,
        "fieldsType": "FieldsV1",
    }
    assert entry["fieldsV1"] == {
        "f:spec": {
            "f:replicas": {},
            "f:selector": {},
            "f:strategy": {"f:rollingUpdate": {".": {}, "f:maxSurge": {}}, "f:type": {}},
            "f:template": {
                "f:metadata": {"f:labels": {".": {}, "f:app": {}}},
                "f:spec": {
                    "f:containers": {
                        'k:{"name":"a"}': {
                            ".": {},
                            "f:image": {},
                            "f:name": {},
                            "f:ports": {
                                ".": {},
                                'k:{"containerPort":5000,"protocol":"TCP"}': {
                                    ".": {},
                                    "f:containerPort": {},
                                    "f:protocol": {},
                                },
                            },
                            "f:resources": {},
                        }
                    }
                },
            },
        }
    }


def test_custom_resources_own_their_lists_whole() -> None:
    obj = {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": "a"}}
    obj["spec"] = {"hosts": ["a"], "http": [{"route": []}]}
    schema = schema_for("virtualservices")
    record(None, obj, manager="m", api_version="networking.istio.io/v1", now=LATE, schema=schema)
    assert fields(obj, "m") == {"f:spec": {".": {}, "f:hosts": {}, "f:http": {}}}


def test_an_update_takes_over_what_it_changes_and_leaves_the_rest() -> None:
    live = changed(None, deployment(replicas=1, paused=True), "first")
    after = changed(live, {**live, "spec": {"replicas": 2, "paused": True}}, "second")
    assert fields(after, "first") == {"f:spec": {"f:paused": {}}}
    assert fields(after, "second") == {"f:spec": {"f:replicas": {}}}


def test_what_is_removed_belongs_to_nobody() -> None:
    live = changed(None, deployment(replicas=1, paused=True), "first")
    after = changed(live, {**live, "spec": {"replicas": 1}}, "second")
    assert managers(after) == ["first"]
    assert fields(after, "first") == {"f:spec": {"f:replicas": {}}}


def test_status_has_its_own_entry() -> None:
    live = changed(None, deployment(replicas=1), "first")
    after = changed(live, {**live, "status": {"replicas": 1}}, "controller", subresource="status")
    (entry,) = [e for e in after["metadata"]["managedFields"] if e["manager"] == "controller"]
    assert entry["subresource"] == "status"
    assert entry["fieldsV1"] == {"f:status": {"f:replicas": {}}}


def test_a_client_may_hand_fields_over_or_clear_them() -> None:
    live = changed(None, deployment(replicas=1), "first")
    sent = copy.deepcopy(live)
    sent["metadata"]["managedFields"][0]["manager"] = "other"
    assert managers(changed(live, sent)) == ["other"]
    sent["metadata"]["managedFields"] = [{}]
    assert managers(changed(live, sent)) == []


def test_one_conflict_in_the_real_words() -> None:
    live = changed(None, deployment(replicas=1), "kubectl-client-side-apply")
    with pytest.raises(StatusError) as caught:
        applied(live, deployment(replicas=3))
    assert caught.value.code == 409
    assert caught.value.message == (
        "Apply failed with 1 conflict: "
        'conflict with "kubectl-client-side-apply" using apps/v1: .spec.replicas'
    )
    assert caught.value.body()["details"]["causes"] == [
        {
            "reason": "FieldManagerConflict",
            "message": 'conflict with "kubectl-client-side-apply" using apps/v1',
            "field": ".spec.replicas",
        }
    ]


def client_side_applied(last: Obj, live: Obj) -> Obj:
    """Return what kubectl's client-side apply of `last` leaves, and `live` what was made of it since."""
    metadata = {**live["metadata"], "annotations": {LAST_APPLIED: json.dumps(last)}}
    return changed(None, {**live, "metadata": metadata}, "kubectl-client-side-apply")


def test_kubectl_hands_over_to_itself_what_it_applied_on_the_clients_side() -> None:
    live = client_side_applied(deployment(replicas=1), deployment(replicas=1))
    after = applied(live, deployment(replicas=3))
    assert after["spec"] == {"replicas": 3}
    assert fields(after, "kubectl") == {"f:spec": {"f:replicas": {}}}
    with pytest.raises(StatusError):
        applied(live, deployment(replicas=3), "another")


@pytest.mark.parametrize(
    "last",
    [
        deployment(replicas=2),
        deployment(paused=True),
        {**deployment(replicas=1), "apiVersion": "apps/v1beta1"},
        {**deployment(replicas=1), "unknown": 1},
        deployment(replicas=1)["spec"],
        [],
    ],
)
def test_what_is_no_longer_as_kubectl_left_it_stays_a_conflict(last: Any) -> None:
    live = client_side_applied(last, deployment(replicas=1))
    with pytest.raises(StatusError, match="Apply failed with 1 conflict"):
        applied(live, deployment(replicas=3))


def test_several_conflicts_in_the_real_words() -> None:
    live = applied(None, deployment(replicas=1, template=template({"name": "a", "image": "i"})), "first")
    with pytest.raises(StatusError) as caught:
        applied(live, deployment(replicas=3, template=template({"name": "a", "image": "j"})), "second")
    assert caught.value.message == (
        'Apply failed with 2 conflicts: conflicts with "first":\n'
        "- .spec.replicas\n"
        '- .spec.template.spec.containers[name="a"].image'
    )


def test_force_takes_the_field_over() -> None:
    live = applied(None, deployment(replicas=1, paused=True), "first")
    after = applied(live, deployment(replicas=3), "second", force=True)
    assert after["spec"] == {"replicas": 3, "paused": True}
    assert fields(after, "first") == {"f:spec": {"f:paused": {}}}


def test_the_same_value_is_owned_together() -> None:
    live = applied(None, deployment(replicas=1), "first")
    both = applied(live, deployment(replicas=1), "second")
    assert managers(both) == ["second", "first"]  # who changed nothing has no time, and comes first
    assert applied(both, deployment(), "first")["spec"] == {"replicas": 1}


def test_what_the_applier_lists_no_more_goes_and_what_others_own_stays() -> None:
    a, b = {"name": "a", "image": "i"}, {"name": "b", "image": "i"}
    live = applied(None, deployment(replicas=1, template=template(a, b)))
    live = changed(live, {**live, "spec": {**live["spec"], "paused": True}})
    after = applied(live, deployment(template=template(b)))
    assert after["spec"] == {"paused": True, "template": template(b)}


def test_the_applied_order_rules_and_others_items_keep_their_place() -> None:
    items = [{"name": name, "image": "i"} for name in "abc"]
    live = changed(None, deployment(template=template(*items)))
    after = applied(live, deployment(template=template(items[2], items[0])))
    assert [c["name"] for c in after["spec"]["template"]["spec"]["containers"]] == ["b", "c", "a"]


def test_applying_without_a_change_keeps_the_time() -> None:
    live = applied(None, deployment(replicas=1), now=EARLY)
    assert applied(live, deployment(replicas=1), now=LATE) == live


def test_a_ports_protocol_need_not_be_named_to_find_it() -> None:
    live = changed(
        None,
        deployment(template=template({"name": "a", "ports": [{"containerPort": 1, "protocol": "TCP"}]})),
    )
    after = applied(live, deployment(template=template({"name": "a", "ports": [{"containerPort": 1}]})))
    assert content(after) == content(live)


def test_an_applied_status_does_not_count() -> None:
    assert "status" not in applied(None, deployment(replicas=1) | {"status": {"replicas": 9}})


def test_managed_fields_cannot_be_applied() -> None:
    wanted = changed(None, deployment(replicas=1))
    with pytest.raises(StatusError, match=r"metadata\.managedFields must be nil"):
        applied(None, wanted)


def test_the_same_key_twice_is_refused() -> None:
    with pytest.raises(StatusError, match=r'containers: duplicate entries for key \[name="a"\]'):
        applied(None, deployment(template=template({"name": "a"}, {"name": "a"})))


NAMES = st.sampled_from("abc")
LABELS = st.dictionaries(NAMES, NAMES, min_size=1, max_size=3)
ENV = st.lists(
    st.fixed_dictionaries({"name": NAMES, "value": NAMES}), min_size=1, unique_by=lambda e: e["name"]
)
CONTAINERS = st.lists(
    st.fixed_dictionaries({"name": NAMES}, optional={"image": NAMES, "env": ENV, "args": st.lists(NAMES)}),
    min_size=1,
    unique_by=lambda c: c["name"],
)
WANTED = st.builds(
    lambda labels, spec: deployment(**spec) | {"metadata": {"name": "a", "labels": labels}},
    LABELS,
    st.fixed_dictionaries(
        {"template": st.builds(lambda items: template(*items), CONTAINERS)},
        optional={
            "replicas": st.integers(0, 3),
            "selector": st.fixed_dictionaries({"matchLabels": LABELS}),
            "strategy": st.sampled_from([{"type": "Recreate"}, {"type": "RollingUpdate"}]),
        },
    ),
)


EXAMPLES = examples(30)


def owned_in_all(obj: Obj) -> FieldSet:
    result = FieldSet()
    for entry in obj["metadata"].get("managedFields", []):
        result = result | FieldSet.read(entry["fieldsV1"])
    return result


def leaves(obj: Obj) -> set[Any]:
    """Return the paths of what an object says, without what belongs to nobody."""
    return {
        path
        for path in owned(SCHEMA, content(obj))
        if path[0] not in ("f:apiVersion", "f:kind") and path != ("f:metadata", "f:name")
    }


@EXAMPLES
@given(WANTED, WANTED)
def test_applying_twice_changes_nothing(first: Obj, second: Obj) -> None:
    live = changed(None, first)
    once = applied(live, second, force=True, now=EARLY)
    assert applied(once, second, now=LATE) == once


@EXAMPLES
@given(WANTED, WANTED)
def test_an_applier_alone_gets_exactly_what_it_applied_last(first: Obj, second: Obj) -> None:
    assert content(applied(applied(None, first), second)) == second


@EXAMPLES
@given(WANTED, WANTED)
def test_what_two_appliers_want_is_all_there_and_all_owned(first: Obj, second: Obj) -> None:
    both = applied(applied(None, first, "first"), second, "second", force=True)
    assert applied(both, second, "second") == both
    assert set(owned_in_all(both)) == leaves(both)


@EXAMPLES
@given(WANTED, WANTED)
def test_every_field_of_an_updated_object_has_an_owner(first: Obj, second: Obj) -> None:
    after = changed(changed(None, first, "first"), second, "second")
    assert leaves(after) <= set(owned_in_all(after))
    entries = [FieldSet.read(entry["fieldsV1"]) for entry in after["metadata"]["managedFields"]]
    assert all(not (one & other) for i, one in enumerate(entries) for other in entries[:i])


@EXAMPLES
@given(WANTED)
def test_fields_are_read_as_they_were_written(obj: Obj) -> None:
    everything = owned(SCHEMA, obj)
    assert FieldSet.read(everything.written()) == everything
    assert all(path in everything for path in everything)


@EXAMPLES
@given(WANTED, WANTED)
def test_sets_of_fields_behave_as_sets(first: Obj, second: Obj) -> None:
    one, other = owned(SCHEMA, first), owned(SCHEMA, second)
    assert set(one | other) == set(one) | set(other)
    assert set(one - other) == set(one) - set(other)
    assert set(one & other) == set(one) & set(other)
