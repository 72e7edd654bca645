"""The schema in a definition: which keywords it may have, and that it is structural.

See https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/ on
structural schemas. A schema that is otherwise sound is judged by its structure, and then by its defaults.
"""

from collections.abc import Iterator
from typing import Any

from kata_lib.engines.embedded.registry.schemas import Schema, custom_schema
from kata_lib.engines.embedded.registry.status import Cause
from kata_lib.engines.embedded.registry.validation import rules, structural
from kata_lib.engines.embedded.registry.validation.causes import (
    forbidden,
    invalid,
    not_supported,
    required,
    show_struct,
)
from kata_lib.engines.embedded.registry.validation.definitions import structure
from kata_lib.engines.embedded.registry.validation.definitions.versions import parts
from kata_lib.engines.embedded.store import Obj

_TYPES = ("array", "boolean", "integer", "number", "object", "string")
_REASONS = ("FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired")
_UNSUPPORTED = ("id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref")
_LIST_TYPES = ("atomic", "set", "map")


def check(spec: Obj) -> Iterator[Cause]:
    """Return what is wrong with the schemas of a definition's versions."""
    found: list[Obj] = spec.get("versions") or []
    for path, schema in parts(spec, "schema", "spec.validation", "schema"):
        root = (schema or {}).get("openAPIV3Schema")
        if root:
            yield from _root(root, f"{path}.openAPIV3Schema")
    for path, fields in parts(spec, "selectableFields", "spec.selectableFields"):
        root = found[0].get("schema", {}).get("openAPIV3Schema", {})
        for position, field in enumerate(fields or ()):
            yield from _selectable(f"{path}[{position}].jsonPath", field.get("jsonPath", ""), root)


def _root(root: Obj, path: str) -> Iterator[Cause]:
    if root.get("nullable"):
        yield forbidden(f"{path}.nullable", "nullable cannot be true at the root")
    wrong = list(_keywords(root, path))
    yield from wrong
    if wrong or root.get("nullable"):
        return
    if wrong := sorted(structure.check(root, path), key=lambda cause: (cause.field, cause.message)):
        yield from wrong
        return
    yield from _defaults(custom_schema("", root), path)


def _keywords(node: Obj, path: str) -> Iterator[Cause]:
    """Return what is wrong with the keywords of a schema and of those in it."""
    if node.get("uniqueItems"):
        why = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        yield forbidden(f"{path}.uniqueItems", why)
    if node.get("additionalProperties") and node.get("properties"):
        why = "additionalProperties and properties are mutual exclusive"
        yield forbidden(f"{path}.additionalProperties", why)
    if node.get("x-kubernetes-preserve-unknown-fields") is False:
        yield invalid(f"{path}.x-kubernetes-preserve-unknown-fields", False, "must be true or undefined")
    type_ = node.get("type", "")
    if "x-kubernetes-map-type" in node and type_ != "object":
        yield _must_be(path, type_, "must be object if x-kubernetes-map-type is specified")
    if "x-kubernetes-list-type" in node:
        yield from _list_type(node, path, type_)
    yield from _map_keys(node, path)
    for position, rule in enumerate(node.get("x-kubernetes-validations", ())):
        yield from _rule(f"{path}.x-kubernetes-validations[{position}]", rule)
    if type_ and type_ not in _TYPES:
        yield not_supported(f"{path}.type", type_, _TYPES)
    for keyword in _UNSUPPORTED:
        if keyword in node:
            yield forbidden(f"{path}.{keyword}", f"{keyword} is not supported")
    for inner, place in structure.inside(node, path):
        yield from _keywords(inner, place)


def _must_be(path: str, type_: str, why: str) -> Cause:
    return invalid(f"{path}.type", type_, why) if type_ else required(f"{path}.type", why)


def _list_type(node: Obj, path: str, type_: str) -> Iterator[Cause]:
    if type_ != "array":
        yield _must_be(path, type_, "must be array if x-kubernetes-list-type is specified")
    found = node["x-kubernetes-list-type"]
    if found not in _LIST_TYPES:
        yield not_supported(f"{path}.x-kubernetes-list-type", found, _LIST_TYPES)


def _map_keys(node: Obj, path: str) -> Iterator[Cause]:
    keys, is_map = node.get("x-kubernetes-list-map-keys", []), node.get("x-kubernetes-list-type") == "map"
    at = f"{path}.x-kubernetes-list-map-keys"
    if keys and not is_map:
        why = "must be map if x-kubernetes-list-map-keys is non-empty"
        found = node.get("x-kubernetes-list-type")
        list_type = f"{path}.x-kubernetes-list-type"
        yield invalid(list_type, found, why) if found else required(list_type, why)
    if not is_map:
        return
    if not keys:
        yield required(at, "must not be empty if x-kubernetes-list-type is map")
    items = node.get("items", {})
    known = items.get("properties", {})
    if any(key not in known for key in keys):
        yield invalid(at, keys, "entries must all be names of item properties")
        return
    for key in keys:
        if key not in items.get("required", ()) and "default" not in known[key]:
            place = f"{path}.items.properties[{key}].default"
            needs = "so it must have a default or be a required property"
            yield required(place, f"this property is in x-kubernetes-list-map-keys, {needs}")


def _rule(path: str, rule: Obj) -> Iterator[Cause]:
    if not rule.get("rule", "").strip():
        yield required(f"{path}.rule", "rule is not specified")
    for field in ("rule", "messageExpression"):
        if (text := rule.get(field, "").strip()) and (why := rules.problem(text)):
            yield Cause(f"{path}.{field}", "FieldValueInvalid", f"Invalid value: {_in_go(rule)}: {why}")
    if rule.get("optionalOldSelf"):
        why = "the embedded engine does not support it; a real cluster does"
        yield invalid(f"{path}.optionalOldSelf", True, why)
    if (reason := rule.get("reason")) and reason not in _REASONS:
        yield not_supported(f"{path}.reason", reason, _REASONS)


def _in_go(rule: Obj) -> str:
    """Return a rule as field errors show it: the Go struct, as JSON for a web page."""
    fields = {
        "Rule": rule.get("rule", ""),
        "Message": rule.get("message", ""),
        "MessageExpression": rule.get("messageExpression", ""),
        "Reason": rule.get("reason"),
        "FieldPath": rule.get("fieldPath", ""),
        "OptionalOldSelf": rule.get("optionalOldSelf"),
    }
    shown = show_struct(fields)
    for letter in "<>&":
        shown = shown.replace(letter, f"\\u{ord(letter):04x}")
    return shown


def _defaults(schema: Schema, path: str) -> Iterator[Cause]:
    """Return which defaults do not fit the schema of their field."""
    if schema.default is not None:
        for cause in structural.check_value(schema, schema.default):
            yield Cause(f"{path}.default{cause.field}", cause.reason, cause.message)
    for name, child in schema.properties.items():
        if not schema.custom or name not in ("apiVersion", "kind", "metadata"):
            yield from _defaults(child, f"{path}.properties[{name}]")
    if schema.items:
        yield from _defaults(schema.items, f"{path}.items")
    if schema.values:
        yield from _defaults(schema.values, f"{path}.additionalProperties")


def _selectable(path: str, value: str, root: Obj) -> Iterator[Cause]:
    if not value:
        yield required(path)
        return
    node: Any = root
    for name in value.lstrip(".").split("."):
        node = node.get("properties", {}).get(name) if isinstance(node, dict) else None
    if not value.startswith(".") or node is None:
        yield invalid(path, value, "is an invalid path: does not refer to a valid field")
    elif node.get("type") not in ("string", "boolean", "integer"):
        why = (
            "must point to a field of type string, boolean or integer. "
            "Enum string fields and strings with formats are allowed."
        )
        yield invalid(path, value, why)
