"""Values with their schema: what they own, how two differ, how one is merged over another.

The schema says where owners meet: maps are shared entry by entry, lists of type map by their keys, sets by
their values; all else is one leaf. After the `typed` package of sigs.k8s.io/structured-merge-diff.
"""

import json
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from kata_lib.engines.embedded.registry.managed_fields.fieldsets import FieldSet, Path, inner, spoken
from kata_lib.engines.embedded.registry.schemas import ANY, Schema

ABSENT: Any = object()


@dataclass
class Difference:
    """Which paths a change added, removed, and gave another value."""

    added: FieldSet = field(default_factory=FieldSet)
    removed: FieldSet = field(default_factory=FieldSet)
    modified: FieldSet = field(default_factory=FieldSet)


def owned(schema: Schema, value: Any) -> FieldSet:
    """Return the paths that someone who applies `value` owns."""
    result = FieldSet()
    _collect(schema, value, (), result)
    return result


def compare(schema: Schema, old: Any, new: Any) -> Difference:
    """Return how `new` differs from `old`."""
    result = Difference()
    _compare(schema, old, new, (), result)
    return result


def merge(schema: Schema, live: Any, applied: Any) -> Any:
    """Return `live` with `applied` laid over it; shared lists keep the order of both as far as they agree."""
    if live is ABSENT or not _granular(schema, live) or not _granular(schema, applied):
        return applied
    if isinstance(applied, dict):
        result = dict(live)
        for key, value in applied.items():
            result[key] = merge(schema.inside(key), live.get(key, ABSENT), value)
        return result
    return _merge_lists(schema, live, applied)


def remove(schema: Schema, value: Any, paths: FieldSet) -> Any:
    """Return `value` without what the paths name; ABSENT when nothing is left of it."""
    if not paths or not _granular(schema, value):
        return value
    kept = []
    for element, item in _elements(schema, value):
        if element in paths.members:
            continue
        child = paths.children.get(element)
        kept.append((element, remove(inner(schema, element), item, child) if child else item))
    if not kept:
        return ABSENT
    if isinstance(value, dict):
        return {element[2:]: item for element, item in kept if item is not ABSENT}
    return [item for _, item in kept if item is not ABSENT]


def mistakes(schema: Schema, value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Return where `value` does not fit its schema, and why: types, unknown fields, items with equal keys."""
    if value is None or not schema.type:
        return
    if schema.type == "object":
        yield from _mistakes_in_map(schema, value, path)
    elif schema.type == "array":
        yield from _mistakes_in_list(schema, value, path)
    elif why := _scalar_mistake(schema.type, value):
        yield path, why


def _mistakes_in_map(schema: Schema, value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if not isinstance(value, dict):
        yield path, f"expected map, got {_go_value(value)}"
        return
    for name, item in value.items():
        here = (*path, f"f:{name}")
        if child := schema.child(name):
            yield from mistakes(child, item, here)
        elif not schema.any and not schema.open:
            yield here, "field not declared in schema"


def _mistakes_in_list(schema: Schema, value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if not isinstance(value, list):
        yield path, f"expected list, got {_go_value(value)}"
        return
    seen = set()
    granular = _granular(schema, value)
    for position, item in enumerate(value):
        element = _elements(schema, [item])[0][0] if granular else f"i:{position}"
        if element in seen:
            yield path, f"duplicate entries for key {spoken((element,))}"
        seen.add(element)
        yield from mistakes(schema.items or ANY, item, (*path, element))


def _scalar_mistake(type_: str, value: Any) -> str:
    match type_:
        case "string" if not isinstance(value, str):
            return f"expected string, got {_go_value(value)}"
        case "boolean" if not isinstance(value, bool):
            return f"expected boolean, got {_go_value(value)}"
        case "integer" | "number" if isinstance(value, bool) or not isinstance(value, int | float):
            return f"expected numeric (int or float), got {_GO_TYPES.get(type(value), 'string')}"
    if isinstance(value, dict | list):
        return f"expected any scalar, got {_go_value(value)}"
    return ""


_GO_TYPES = {bool: "bool", dict: "map[string]interface {}", list: "[]interface {}"}


def _go_value(value: Any) -> str:
    """Return a value as Go prints what the real server reads it into."""
    return f"&value.valueUnstructured{{Value:{_go_syntax(value)}}}"


def _go_syntax(value: Any) -> str:
    if isinstance(value, dict):
        inner = ", ".join(f"{json.dumps(key)}:{_go_syntax(value[key])}" for key in sorted(value))
        return f"map[string]interface {{}}{{{inner}}}"
    if isinstance(value, list):
        return f"[]interface {{}}{{{', '.join(map(_go_syntax, value))}}}"
    return json.dumps(value)


def _granular(schema: Schema, value: Any) -> bool:
    """Return whether a value's parts may have different owners."""
    if isinstance(value, dict):
        return schema.open or (schema.type == "object" and not schema.any) if not schema.atomic else False
    if isinstance(value, list) and schema.type == "array":
        if schema.list_type == "map":
            return all(isinstance(item, dict) for item in value)
        return schema.list_type == "set"
    return False


def _elements(schema: Schema, value: Any) -> list[tuple[str, Any]]:
    """Return the parts of a granular value by their path elements."""
    if isinstance(value, dict):
        return [(f"f:{key}", item) for key, item in value.items()]
    if schema.list_type == "set":
        return [(f"v:{_compact(item)}", item) for item in value]
    return [(_keyed(schema, item), item) for item in value]


def _keyed(schema: Schema, item: dict[str, Any]) -> str:
    defaults = schema.key_defaults
    keys = {key: item.get(key, defaults.get(key)) for key in schema.keys if key in item or key in defaults}
    return f"k:{_compact(keys)}"


_compact = json.JSONEncoder(separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode


def _collect(schema: Schema, value: Any, path: Path, result: FieldSet) -> None:
    if not _granular(schema, value):
        if path:
            result.add(path)
        return
    for element, item in _elements(schema, value):
        here = (*path, element)
        is_struct_field = element.startswith("f:") and element[2:] in schema.properties
        if not is_struct_field or item is None or item == {}:
            result.add(here)
        _collect(inner(schema, element), item, here, result)


def _compare(schema: Schema, old: Any, new: Any, path: Path, result: Difference) -> None:
    new_shared = new is not ABSENT and _granular(schema, new)
    if old is None and new_shared:
        old = type(new)()  # null was there, and empty
    old_shared = old is not ABSENT and _granular(schema, old)
    if path:
        if old is ABSENT:
            result.added.add(path)
        elif new is ABSENT:
            result.removed.add(path)
        elif not (old_shared and new_shared):
            if not _same(old, new):
                result.modified.add(path)
            return
    before = dict(_elements(schema, old)) if old_shared else {}
    after = dict(_elements(schema, new)) if new_shared else {}
    for element in before | after:
        one, other = before.get(element, ABSENT), after.get(element, ABSENT)
        if one is not other:
            _compare(inner(schema, element), one, other, (*path, element), result)


def _same(one: Any, other: Any) -> bool:
    """Return whether two leaves are equal; true is not 1."""
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def _merge_lists(schema: Schema, live: list[Any], applied: list[Any]) -> list[Any]:
    """Merge two shared lists by their keys: the applied order rules, other items keep their places."""
    left, right = deque(_elements(schema, live)), deque(_elements(schema, applied))
    in_left, in_right = dict(left), dict(right)
    shared = deque(element for element, _ in right if element in in_left)
    items = schema.items or ANY
    result: list[Any] = []
    while left or right:
        if left and left[0][0] not in in_right:
            result.append(left.popleft()[1])
        elif left and not (shared and left[0][0] == shared[0]):
            left.popleft()
        else:
            element, item = right.popleft()
            result.append(merge(items, in_left.get(element, ABSENT), item))
            if shared and shared[0] == element:
                shared.popleft()
                if left:
                    left.popleft()
    return result
