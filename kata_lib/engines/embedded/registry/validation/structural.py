"""A custom resource against its schema, in the words of the API server's OpenAPI validation.

The schema's CEL rules come after it, and only when nothing that was found blocks them.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from kata_lib.engines.embedded.registry.schemas import Schema
from kata_lib.engines.embedded.registry.status import Cause
from kata_lib.engines.embedded.registry.validation import rules
from kata_lib.engines.embedded.registry.validation.causes import (
    invalid,
    not_supported,
    required,
    show,
    too_long,
    too_many,
    type_invalid,
)
from kata_lib.engines.embedded.store import Obj

_BLOCKS_RULES = frozenset(
    {
        "FieldValueRequired",
        "FieldValueNotSupported",
        "FieldValueTooLong",
        "FieldValueTooMany",
        "FieldValueTypeInvalid",
    }
)
_RULES_UNCHECKED = (
    "some validation rules were not checked because the object was invalid; "
    "correct the existing errors to complete validation"
)
_BY_THE_SERVER = ("apiVersion", "kind", "metadata")


def check(schema: Schema, obj: Obj, old: Obj | None = None) -> list[Cause]:
    """Return what is wrong with a custom resource, or that its rules went unchecked where that is so.

    `old` is the state that it is to replace, None for a new one.
    """
    causes = [cause for cause in _object(schema, obj, "") if cause.field not in _BY_THE_SERVER]
    if not any(cause.reason in _BLOCKS_RULES for cause in causes):
        return [*causes, *rules.check(schema, obj, old)]
    if rules.has_rules(schema):
        causes.append(Cause("<nil>", "FieldValueInvalid", f"Invalid value: null: {_RULES_UNCHECKED}"))
    return causes


def _value(schema: Schema, value: Any, path: str) -> Iterator[Cause]:
    if value is None and schema.nullable:
        return
    if schema.type and not _is_of(schema.type, value):
        words = f"{path} in body must be of type {schema.type}: {show(_type_of(value))}"
        yield type_invalid(path, _type_of(value), words)
        yield from _combinations(schema.combinations, value, path)
        return
    if schema.enum and value not in schema.enum:
        yield not_supported(path, value, schema.enum)
    if isinstance(value, dict):
        yield from _object(schema, value, path)
    elif isinstance(value, list):
        yield from _list(schema, value, path)
    elif isinstance(value, str):
        if len(value) > schema.limits.get("maxLength", len(value)):
            yield too_long(path, schema.limits["maxLength"])
        if len(value) < schema.limits.get("minLength", 0):
            words = f"{path} in body should be at least {schema.limits['minLength']} chars long"
            yield invalid(path, value, words)
    elif not isinstance(value, bool):
        yield from _number(schema, value, path)
    yield from _combinations(schema.combinations, value, path)


def _object(schema: Schema, value: dict[str, Any], path: str) -> Iterator[Cause]:
    for name in schema.required:
        if name not in value:
            yield required(f"{path}.{name}" if path else name)
    limit = schema.limits.get("maxProperties")
    if limit is not None and len(value) > limit:
        yield too_many(path, len(value), limit)
    for name, item in value.items():
        child = schema.child(name)
        if child and (path or name not in _BY_THE_SERVER):
            yield from _value(child, item, f"{path}.{name}" if path else name)


def _list(schema: Schema, value: list[Any], path: str) -> Iterator[Cause]:
    most, least = schema.limits.get("maxItems"), schema.limits.get("minItems", 0)
    if most is not None and len(value) > most:
        yield too_many(path, len(value), most)
    if len(value) < least:
        yield invalid(path, len(value), f"{path} in body should have at least {least} items")
    for position, item in enumerate(value):
        if schema.items:
            yield from _value(schema.items, item, f"{path}[{position}]")


def _number(schema: Schema, value: float, path: str) -> Iterator[Cause]:
    least, most = schema.limits.get("minimum"), schema.limits.get("maximum")
    if least is not None and value < least:
        yield invalid(path, value, f"{path} in body should be greater than or equal to {least}")
    if most is not None and value > most:
        yield invalid(path, value, f"{path} in body should be less than or equal to {most}")


def _combinations(combined: Mapping[str, Any], value: Any, path: str) -> Iterator[Cause]:
    """Check oneOf and its like; Istio's definitions use them for fields that exclude one another.

    The real server says the place in the words only: the field of such a cause is "<nil>".
    """
    if "oneOf" in combined:
        valid = sum(_holds(part, value) for part in combined["oneOf"])
        if valid != 1:
            found = f"Found {valid} valid alternatives" if valid else "Found none valid"
            yield invalid("<nil>", "", f'"{path}" must validate one and only one schema (oneOf). {found}')
    if "anyOf" in combined and not any(_holds(part, value) for part in combined["anyOf"]):
        yield invalid("<nil>", "", f'"{path}" must validate at least one schema (anyOf)')
    if "allOf" in combined:
        for part in combined["allOf"]:
            yield from _combinations(part, value, path)
        if not all(_holds(part, value) for part in combined["allOf"]):
            yield invalid("<nil>", "", f'"{path}" must validate all the schemas (allOf)')
    if "not" in combined and _holds(combined["not"], value):
        yield invalid("<nil>", "", f'"{path}" must not validate the schema (not)')


def _holds(part: dict[str, Any], value: Any) -> bool:
    """Return whether a value fits a schema of which only required fields and combinations are looked at."""
    if isinstance(value, dict):
        if any(name not in value for name in part.get("required", ())):
            return False
        for name, inner in part.get("properties", {}).items():
            if name in value and not _holds(inner, value[name]):
                return False
    if "oneOf" in part and sum(_holds(inner, value) for inner in part["oneOf"]) != 1:
        return False
    if "anyOf" in part and not any(_holds(inner, value) for inner in part["anyOf"]):
        return False
    if not all(_holds(inner, value) for inner in part.get("allOf", ())):
        return False
    return not ("not" in part and _holds(part["not"], value))


def _is_of(type_: str, value: Any) -> bool:
    found = _type_of(value)
    if type_ == "int-or-string":
        return found in ("integer", "string")
    return found == type_ or (type_ == "number" and found == "integer")


def _type_of(value: Any) -> str:
    if isinstance(value, float):
        return "integer" if value.is_integer() else "number"
    names = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer"}
    return names.get(type(value), "null")
