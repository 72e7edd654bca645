"""Strategic merge patches, Kubernetes' own: lists are merged by the key that the schema names.

After k8s.io/apimachinery/pkg/util/strategicpatch, whose order of merged lists and words on errors are kept.
Directives: $patch (replace, delete, merge), $retainKeys, $setElementOrder/FIELD, and
$deleteFromPrimitiveList/FIELD.
"""

import json
from collections import deque
from typing import Any

from kata_lib.engines.embedded.registry.decoding_words import go_text, json_type
from kata_lib.engines.embedded.registry.metadata import own_copy
from kata_lib.engines.embedded.registry.schemas import ANY, Schema
from kata_lib.engines.embedded.registry.status import (
    StatusError,
    bad_request,
    internal,
    plain,
    rejected_request,
)

_PATCH = "$patch"
_RETAIN = "$retainKeys"
_ORDER = "$setElementOrder/"
_DELETE = "$deleteFromPrimitiveList/"

_BAD_RETAIN = "invalid patch format of retainKeys"
_BAD_ORDER = "invalid patch format of setElementOrder list"
_BAD_PRIMITIVE = "invalid patch format of primitive list"

Map = dict[str, Any]


def strategic_merge_patch(obj: Map, patch: Any, schema: Schema) -> Map:
    """Return `obj` with a strategic merge patch applied; neither argument is changed.

    Raises StatusError: 400 for a malformed patch or directive, 422 or 500 where the real server says so.
    """
    if not isinstance(patch, dict):
        raise bad_request(
            f"json: cannot unmarshal {json_type(patch)} into Go value of type map[string]interface {{}}"
        )
    return _merge_map(own_copy(obj), own_copy(patch), schema)


def _merge_map(original: Map, patch: Map, schema: Schema) -> Map:
    directive = patch.pop(_PATCH, None)
    if directive == "replace":
        return patch
    if directive == "delete":
        return {}
    if directive not in (None, "merge"):
        raise plain(f"unknown patch type: {directive} in map: {go_text({_PATCH: directive, **patch})}")
    _retain_keys(original, patch)
    _set_element_orders(original, patch, schema)
    for key, value in patch.items():
        deleting = key.startswith(_DELETE)
        name = key.removeprefix(_DELETE)
        if value is None:
            original.pop(name, None)
        elif name not in original:
            if not deleting:
                original[name] = _without_directives(value)
        elif type(original[name]) is not type(value):
            if not deleting:
                original[name] = value
        elif isinstance(value, dict):
            child = schema.child(name) or ANY
            replaces = "replace" in child.merge.split(",")
            original[name] = value if replaces else _merge_map(original[name], value, child)
        elif isinstance(value, list):
            child = schema.child(name) or ANY
            if deleting:
                original[name] = [item for item in original[name] if item not in value]
            else:
                original[name] = _merge_list(original[name], value, child)
        else:
            original[name] = value
    return original


def _retain_keys(original: Map, patch: Map) -> None:
    """Remove from `original` what $retainKeys does not list; a patch may set only what it lists."""
    kept = patch.pop(_RETAIN, None)
    if kept is None:
        return
    if not isinstance(kept, list):
        raise bad_request(_BAD_RETAIN)
    for key, value in patch.items():
        if value is not None and not key.startswith((_ORDER, _DELETE)) and key not in kept:
            raise bad_request(_BAD_RETAIN)
    for key in [key for key in original if key not in kept]:
        del original[key]


def _set_element_orders(original: Map, patch: Map, schema: Schema) -> None:
    """Merge the lists that have a $setElementOrder directive, and put them in its order."""
    for directive in [key for key in patch if key.startswith(_ORDER)]:
        order, name = patch.pop(directive), directive.removeprefix(_ORDER)
        child = schema.child(name) or ANY
        old, new = original.get(name), patch.get(name)
        if not isinstance(order, list):
            raise bad_request(_BAD_ORDER)
        if isinstance(new, list):
            _check_order(new, order, child.merge_key)
        if old is None and new is None:
            continue
        if old is None:
            merged = _without_directives(new)
        elif new is None:
            merged = old
        else:
            merged = _merge_list(old, new, child)
        original[name] = _in_order(merged, order, old or [], child.merge_key)
        patch.pop(name, None)


def _check_order(items: list[Any], order: list[Any], merge_key: str) -> None:
    """Refuse an order that does not name every item of the patch, in the patch's order."""
    named = iter([_identity(item, merge_key) for item in order])
    for item in items:
        if isinstance(item, dict) and _PATCH in item:
            continue
        if _identity(item, merge_key) not in named:  # which takes all before it
            raise bad_request(f"The order in patch list:\n{items}\n doesn't match {_ORDER} list:\n{order}\n")


def _merge_list(original: list[Any], patch: list[Any], schema: Schema) -> list[Any]:
    if "merge" not in schema.merge.split(","):
        return patch
    if not original and not patch:
        return original
    kinds = {dict if isinstance(item, dict) else type(item) for item in (*original, *patch)}
    if list in kinds:
        raise rejected_request()
    if kinds != {dict}:
        merged = {_identity(item, ""): item for item in reversed((*original, *patch))}
        return _in_order([*reversed(merged.values())], patch, original, "")
    if not schema.merge_key:
        raise internal(
            f"cannot merge lists without merge key for {schema.items.name if schema.items else ''}"
        )
    original, patch = _special_elements(original, patch, schema.merge_key)
    return _in_order(_merge_items(original, patch, schema), patch, original, schema.merge_key)


def _special_elements(original: list[Map], patch: list[Map], merge_key: str) -> tuple[list[Map], list[Map]]:
    """Carry out the items of the patch that are directives; return what is left of both lists."""
    left = []
    for item in patch:
        directive = item.get(_PATCH)
        if directive is None:
            left.append(item)
        elif directive == "delete":
            if merge_key not in item:
                raise _no_key(item, merge_key)
            original = [old for old in original if old.get(merge_key) != item[merge_key]]
        elif directive == "replace":
            return [], [other for other in patch if _PATCH not in other]
        else:
            raise internal(f"unknown patch type: {directive}")
    return original, left


def _merge_items(original: list[Map], patch: list[Map], schema: Schema) -> list[Map]:
    merged = list(original)
    places = _places(original, schema.merge_key)
    for item in patch:
        place = places.setdefault(_identity(item, schema.merge_key), len(merged))
        if place < len(merged):
            merged[place] = _merge_map(merged[place], item, schema.items or ANY)
        else:
            merged.append(_without_directives(item))
    return merged


def _places(items: list[Any], merge_key: str) -> dict[Any, int]:
    """Return where each item stands, by its identity; of two alike the first."""
    places: dict[Any, int] = {}
    for place, item in enumerate(items):
        places.setdefault(_identity(item, merge_key), place)
    return places


def _identity(item: Any, merge_key: str) -> Any:
    """Return what two items that are the same one have alike, and no two others."""
    if not merge_key:
        return item if isinstance(item, str) else (json.dumps(item, sort_keys=True),)
    if not isinstance(item, dict):
        raise bad_request(_BAD_PRIMITIVE)
    if merge_key not in item:
        raise _no_key(item, merge_key)
    return _identity(item[merge_key], "")


def _in_order(merged: list[Any], wanted: list[Any], live: list[Any], merge_key: str) -> list[Any]:
    """Order `merged` as `wanted`; an item that only the live list has stays before the later ones."""
    in_wanted, in_live = _places(wanted, merge_key), _places(live, merge_key)

    def wanted_at(item: Any) -> int:
        return in_wanted.get(_identity(item, merge_key), len(wanted))

    def live_at(item: Any) -> int:
        return in_live.get(_identity(item, merge_key), len(live))

    asked = deque(sorted((item for item in merged if wanted_at(item) < len(wanted)), key=wanted_at))
    others = deque(sorted((item for item in merged if wanted_at(item) == len(wanted)), key=live_at))
    result = []
    while others and asked:
        other_place, asked_place = live_at(others[0]), live_at(asked[0])
        both_live = max(other_place, asked_place) < len(live)
        result.append((others if both_live and other_place < asked_place else asked).popleft())
    return [*result, *asked, *others]


def _no_key(item: dict[str, Any], merge_key: str) -> StatusError:
    return plain(f"map: {go_text(item)} does not contain declared merge key: {merge_key}")


def _without_directives(value: Any) -> Any:
    """Return a new value as it is stored: without nulls in maps and without directives."""
    if isinstance(value, dict) and value.get(_PATCH) == "replace":
        return {}  # as the real server, which takes a replacement of nothing for nothing
    if isinstance(value, dict):
        return {
            key: _without_directives(item)
            for key, item in value.items()
            if item is not None and key not in (_PATCH, _RETAIN) and not key.startswith((_ORDER, _DELETE))
        }
    if isinstance(value, list):
        return [
            _without_directives(item)
            for item in value
            if not (isinstance(item, dict) and item.get(_PATCH) == "delete")
        ]
    return value
