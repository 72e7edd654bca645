"""JSON patches and merge patches: the standards' examples, and that a difference restores the object."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_sets import examples

from kata_lib.engines.embedded.registry.patches import json_patch, merge_patch
from kata_lib.engines.embedded.registry.status import StatusError

KEYS = st.text("ab/~", min_size=1, max_size=3)
SCALARS = st.none() | st.booleans() | st.integers(-3, 3) | st.text("xy", max_size=2)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3)
)
OBJECTS = st.dictionaries(KEYS, VALUES, max_size=4)
EXAMPLES = examples(50)


def difference(old: Any, new: Any, path: str = "") -> list[dict[str, Any]]:
    """Return a JSON patch that turns `old` into `new`."""
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return (
            [] if old == new and type(old) is type(new) else [{"op": "replace", "path": path, "value": new}]
        )
    operations = []
    for key in old | new:
        inner = f"{path}/{key.replace('~', '~0').replace('/', '~1')}"
        if key not in new:
            operations.append({"op": "remove", "path": inner})
        elif key not in old:
            operations.append({"op": "add", "path": inner, "value": new[key]})
        else:
            operations += difference(old[key], new[key], inner)
    return operations


@EXAMPLES
@given(OBJECTS, OBJECTS)
def test_json_patch_made_of_a_difference_restores_the_object(old: Any, new: Any) -> None:
    before = copy.deepcopy(old)
    assert json_patch(old, difference(old, new)) == new
    assert old == before


@EXAMPLES
@given(OBJECTS, OBJECTS)
def test_merge_patch_applied_twice_changes_nothing_more(obj: Any, patch: Any) -> None:
    once = merge_patch(obj, patch)
    assert merge_patch(once, patch) == once


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        ([{"op": "add", "path": "/list/1", "value": 9}], {"list": [1, 9, 2], "map": {"a": 1}}),
        ([{"op": "add", "path": "/list/-", "value": 9}], {"list": [1, 2, 9], "map": {"a": 1}}),
        ([{"op": "remove", "path": "/list/0"}], {"list": [2], "map": {"a": 1}}),
        ([{"op": "move", "from": "/map/a", "path": "/b"}], {"list": [1, 2], "map": {}, "b": 1}),
        ([{"op": "copy", "from": "/map", "path": "/b"}], {"list": [1, 2], "map": {"a": 1}, "b": {"a": 1}}),
        ([{"op": "test", "path": "/map", "value": {"a": 1}}], {"list": [1, 2], "map": {"a": 1}}),
        ([{"op": "replace", "path": "", "value": {}}], {}),
        ([{"op": "add", "path": "/list"}], {"list": None, "map": {"a": 1}}),
        (None, {"list": [1, 2], "map": {"a": 1}}),
    ],
)
def test_json_patch_operations(operations: Any, expected: Any) -> None:
    assert json_patch({"list": [1, 2], "map": {"a": 1}}, operations) == expected


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "replace", "path": "/nothing/0", "value": 1},
        {"op": "remove", "path": "/nothing"},
        {"op": "add", "path": "/list/5", "value": 1},
        {"op": "add", "path": "/list/01", "value": 1},
        {"op": "test", "path": "/list/0", "value": True},
        {"op": "move", "from": "/map", "path": "/map/inside"},
        {"op": "add", "path": "no-slash", "value": 1},
        {"op": "jump", "path": "/list"},
        {"op": "add"},
        {},
        None,
    ],
)
def test_json_patch_that_does_not_apply_is_refused_without_a_cause(operation: Any) -> None:
    with pytest.raises(StatusError, match="rejected our request due to an error in our request") as caught:
        json_patch({"list": [1, 2], "map": {"a": 1}}, [operation])
    assert caught.value.code == 422


@pytest.mark.parametrize("patch", [{}, "text", ["text"], [5]])
def test_what_is_no_json_patch_is_a_bad_request(patch: Any) -> None:
    with pytest.raises(StatusError) as caught:
        json_patch({}, patch)
    assert caught.value.code == 400


@pytest.mark.parametrize(
    ("obj", "patch", "expected"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_merge_patch_examples_of_rfc_7386(obj: Any, patch: Any, expected: Any) -> None:
    assert merge_patch(obj, patch) == expected
