"""Strategic merge patches: keys, orders and directives, as kubectl sends them."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_sets import examples

from kata_lib.engines.embedded.registry.schemas import schema_for
from kata_lib.engines.embedded.registry.status import StatusError
from kata_lib.engines.embedded.registry.strategic import strategic_merge_patch

DEPLOYMENT = {
    "metadata": {"finalizers": ["a/x", "a/y"]},
    "spec": {
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}},
        "template": {
            "spec": {
                "containers": [
                    {"name": "name", "image": "i:v1", "env": [{"name": "SENTENCE_MODE", "value": "name"}]},
                    {"name": "other", "image": "o:v1", "args": ["a", "b"]},
                ]
            }
        },
    },
}


def patched(patch: dict[str, Any], obj: dict[str, Any] = DEPLOYMENT) -> dict[str, Any]:
    before = copy.deepcopy(obj)
    result = strategic_merge_patch(obj, patch, schema_for("deployments"))
    assert obj == before
    return result


def containers(patch: list[Any], **directives: Any) -> list[dict[str, Any]]:
    spec = patched({"spec": {"template": {"spec": {"containers": patch, **directives}}}})["spec"]
    found: list[dict[str, Any]] = spec["template"]["spec"]["containers"]
    return found


def test_containers_are_merged_by_name_and_new_variables_come_first() -> None:
    found = containers([{"name": "name", "env": [{"name": "EXTRA", "value": "1"}]}])
    assert [variable["name"] for variable in found[0]["env"]] == ["EXTRA", "SENTENCE_MODE"]
    assert found[0]["image"] == "i:v1"
    assert found[1] == DEPLOYMENT["spec"]["template"]["spec"]["containers"][1]  # type: ignore[index]


def test_an_item_is_deleted_by_its_key() -> None:
    assert [c["name"] for c in containers([{"$patch": "delete", "name": "name"}])] == ["other"]


def test_a_list_is_replaced_by_a_directive() -> None:
    assert containers([{"$patch": "replace"}, {"name": "new"}]) == [{"name": "new"}]


def test_the_order_directive_rules_and_what_only_the_server_has_keeps_its_place() -> None:
    directives = {"$setElementOrder/containers": [{"name": "last"}, {"name": "name"}]}
    found = containers([{"name": "last"}], **directives)
    assert [c["name"] for c in found] == ["last", "name", "other"]


def test_lists_without_a_merge_strategy_are_replaced() -> None:
    assert containers([{"name": "other", "args": ["c"]}])[1]["args"] == ["c"]


def test_values_are_merged_into_and_deleted_from_primitive_lists() -> None:
    patch = {"metadata": {"$deleteFromPrimitiveList/finalizers": ["a/x"], "finalizers": ["a/z"]}}
    assert sorted(patched(patch)["metadata"]["finalizers"]) == ["a/y", "a/z"]


def test_retained_keys_remove_the_others() -> None:
    patch = {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}
    assert patched(patch)["spec"]["strategy"] == {"type": "Recreate"}


def test_null_removes_and_directives_are_never_stored() -> None:
    patch = {
        "spec": {"strategy": None, "selector": {"$patch": "merge", "matchLabels": {"a": "b", "c": None}}}
    }
    result = patched(patch)
    assert "strategy" not in result["spec"]
    assert result["spec"]["selector"] == {"matchLabels": {"a": "b"}}


@pytest.mark.parametrize(
    ("patch", "code"),
    [
        ("text", 400),
        ({"spec": {"strategy": {"$retainKeys": ["type"], "rollingUpdate": {}}}}, 400),
        ({"spec": {"$patch": "sideways"}}, 500),
        ({"spec": {"template": {"spec": {"containers": [{"image": "i"}]}}}}, 500),
        ({"metadata": {"$setElementOrder/finalizers": ["a"], "finalizers": ["b"]}}, 400),
    ],
)
def test_malformed_patches_are_refused(patch: Any, code: int) -> None:
    with pytest.raises(StatusError) as caught:
        patched(patch)
    assert caught.value.code == code


NAMES = st.sampled_from("abcd")
CONTAINERS = st.lists(
    st.fixed_dictionaries({"name": NAMES}, optional={"image": NAMES}),
    unique_by=lambda c: c["name"],
    min_size=1,
)


@examples(50)
@given(CONTAINERS, CONTAINERS)
def test_patching_twice_changes_nothing_more(live: Any, patch: Any) -> None:
    def around(items: Any) -> dict[str, Any]:
        return {"spec": {"template": {"spec": {"containers": items}}}}

    once = patched(around(patch), around(live))
    assert patched(around(patch), once) == once
    names = [c["name"] for c in once["spec"]["template"]["spec"]["containers"]]
    assert sorted(names) == sorted({c["name"] for c in (*live, *patch)})
