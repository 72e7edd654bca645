"""That a schema is structural: each field says its type once, outside of combinations."""

from collections.abc import Iterator

from kata_lib.engines.embedded.registry.status import Cause
from kata_lib.engines.embedded.registry.validation import patterns
from kata_lib.engines.embedded.registry.validation.causes import forbidden, invalid, required
from kata_lib.engines.embedded.store import Obj

_OPEN, _EMBEDDED = "x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource"
_EITHER = "x-kubernetes-int-or-string"
_TYPES_OF_EITHER = [{"type": "integer"}, {"type": "string"}]

_NOT_IN_COMBINATIONS = {
    "type": "must be empty to be structural",
    "additionalProperties": "must be undefined to be structural",
    "default": "must be undefined to be structural",
    "title": "must be empty to be structural",
    "description": "must be empty to be structural",
    "nullable": "must be false to be structural",
    _OPEN: "must be false to be structural",
    _EMBEDDED: "must be false to be structural",
    _EITHER: "must be false to be structural",
    "x-kubernetes-list-map-keys": "must be empty to be structural",
    "x-kubernetes-list-type": "must be undefined to be structural",
    "x-kubernetes-map-type": "must be undefined to be structural",
    "x-kubernetes-validations": "must be empty to be structural",
}


def inside(node: Obj, path: str) -> Iterator[tuple[Obj, str]]:
    """Return the schemas directly in a schema, each with its path; combinations are not among them."""
    for name, inner in node.get("properties", {}).items():
        yield inner, f"{path}.properties[{name}]"
    for keyword in ("items", "additionalProperties"):
        if isinstance(inner := node.get(keyword), dict):
            yield inner, f"{path}.{keyword}"


def check(node: Obj, path: str, place: str = "root") -> Iterator[Cause]:
    """Return what is not structural; `place` says whether it is the root, a field or the items of a list."""
    type_ = node.get("type", "")
    if type_ == "array" and "items" not in node:
        yield required(f"{path}.items", "must be specified")
    yield from _type(node, path, place, type_)
    if node.get(_EMBEDDED) and not node.get(_OPEN) and not node.get("properties"):
        why = f"must not be empty if {_EMBEDDED} is true without {_OPEN}"
        yield required(f"{path}.properties", why)
    if (place == "root" or node.get(_EMBEDDED)) and (metadata := node.get("properties", {}).get("metadata")):
        yield from _metadata(metadata, f"{path}.properties[metadata]")
    if (pattern := node.get("pattern")) and (why := patterns.problem(pattern)):
        yield invalid(f"{path}.pattern", pattern, f"must be a valid regular expression, but isn't: {why}")
    for keyword in ("allOf", "anyOf", "oneOf"):
        for position, part in enumerate(node.get(keyword, ())):
            if not (node.get(_EITHER) and _is_either(node, keyword, position)):
                yield from _combined(part, f"{path}.{keyword}[{position}]")
    if "not" in node:
        yield from _combined(node["not"], f"{path}.not")
    for inner, where in inside(node, path):
        yield from check(inner, where, "item" if where.endswith(".items") else "field")


def _type(node: Obj, path: str, place: str, type_: str) -> Iterator[Cause]:
    if node.get(_EMBEDDED) and type_ != "object":
        why = f"must be object if {_EMBEDDED} is true"
        yield invalid(f"{path}.type", type_, why) if type_ else required(f"{path}.type", why)
        return
    if place == "root" and type_ not in ("", "object"):
        yield invalid(f"{path}.type", type_, "must be object at the root")
    if type_ or node.get(_EITHER) or (node.get(_OPEN) and place != "root"):
        return
    missing = {
        "root": "must not be empty at the root",
        "item": "must not be empty for specified array items",
        "field": "must not be empty for specified object fields",
    }
    yield required(f"{path}.type", missing[place])


def _metadata(node: Obj, path: str) -> Iterator[Cause]:
    if node.get("type") != "object":
        yield invalid(f"{path}.type", node.get("type", ""), "must be object")
    if set(node) - {"type", "description", "properties"} or set(node.get("properties", {})) - {
        "name",
        "generateName",
    }:
        why = (
            "must not specify anything other than name and generateName, but metadata is implicitly specified"
        )
        yield forbidden(path, why)


def _is_either(node: Obj, keyword: str, position: int) -> bool:
    """Return whether a part of a combination only says again that a value is an integer or a string."""
    if keyword == "anyOf":
        return bool(node["anyOf"] == _TYPES_OF_EITHER)
    return keyword == "allOf" and position == 0 and node["allOf"][0].get("anyOf") == _TYPES_OF_EITHER


def _combined(part: Obj, path: str) -> Iterator[Cause]:
    """Return what a part of a combination says that only the schema around it may."""
    for keyword, why in _NOT_IN_COMBINATIONS.items():
        if part.get(keyword) not in (None, "", False, [], {}):
            yield forbidden(f"{path}.{keyword}", why)
    for keyword in ("allOf", "anyOf", "oneOf"):
        for position, inner in enumerate(part.get(keyword, ())):
            yield from _combined(inner, f"{path}.{keyword}[{position}]")
    for inner, where in inside(part, path):
        yield from _combined(inner, where)
    if "not" in part:
        yield from _combined(part["not"], f"{path}.not")
