"""A custom resource against its schema, in the words of the API server's OpenAPI validation.

The schema's CEL rules come after it, and only when nothing that was found blocks them.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kata_lib.engines.embedded.registry.crds import formats
from kata_lib.engines.embedded.registry.schemas import VALUE_KEYWORDS, Schema, part_schema
from kata_lib.engines.embedded.registry.status import Cause
from kata_lib.engines.embedded.registry.validation import lists, patterns, rules
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

_FORMATS: dict[str, tuple[str, ...]] = {"integer": ("int32", "int64"), "number": ("float", "double")}
_LARGEST_WHOLE = 2**53
"""From here on not every whole number is a float: none of them is taken for one."""
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


def check(schema: Schema, obj: Obj, old: Obj | None = None, *, others: Iterable[Cause] = ()) -> list[Cause]:
    """Return what is wrong with a custom resource, or that its rules went unchecked where that is so.

    `old` is the state that it is to replace, None for a new one; `others` is what else is wrong with it.
    """
    causes = [cause for cause in _object(schema, obj, "") if cause.field not in _BY_THE_SERVER]
    return _with_rules(schema, obj, old, [*causes, *others, *lists.check(schema, obj)])


def check_status(schema: Schema, obj: Obj, old: Obj, *, others: Iterable[Cause]) -> list[Cause]:
    """Return what is wrong with a custom resource whose status is written."""
    of_status = schema.child("status")
    found = check_value(of_status, obj["status"]) if of_status and "status" in obj else []
    causes = [
        Cause(f"status.{cause.field}" if cause.field else "status", cause.reason, cause.message)
        for cause in found
    ]
    return _with_rules(schema, obj, old, [*causes, *others])


def _with_rules(schema: Schema, obj: Obj, old: Obj | None, causes: list[Cause]) -> list[Cause]:
    if not any(cause.reason in _BLOCKS_RULES for cause in causes):
        return [*causes, *rules.check(schema, obj, old)]
    if rules.has_rules(schema):
        causes.append(Cause("<nil>", "FieldValueInvalid", f"Invalid value: null: {_RULES_UNCHECKED}"))
    return causes


def check_value(schema: Schema, value: Any) -> list[Cause]:
    """Return what is wrong with a value by its schema alone, with paths that begin at the value."""
    return list(_value(schema, value, ""))


def _value(schema: Schema, value: Any, path: str) -> Iterator[Cause]:
    if value is None and schema.nullable:
        return
    fits = not schema.type or _is_of(schema.type, value)
    if not fits:
        wanted, found = _types(schema, value)
        yield type_invalid(path, found, f"{path} in body must be of type {wanted}: {show(found)}")
    if schema.type == "integer" and not _in_range(schema.format, value):
        form = f"with format {schema.format}" if schema.format in _FORMATS["integer"] else "(default format)"
        yield invalid("<nil>", "", f"Checked value must be of type integer {form} in {path}")
    if schema.enum and value not in schema.enum:
        yield not_supported(path, value, schema.enum)
    if not fits:
        yield from _combinations(schema.combinations, value, path)
        return
    if isinstance(value, dict):
        yield from _object(schema, value, path)
    elif isinstance(value, list):
        yield from _list(schema, value, path)
    elif isinstance(value, str):
        yield from _text(schema, value, path)
    elif not isinstance(value, bool):
        yield from _number(schema, value, path)
    yield from _combinations(schema.combinations, value, path)


def _text(schema: Schema, value: str, path: str) -> Iterator[Cause]:
    limits = schema.limits
    if len(value) > limits.get("maxLength", len(value)):
        yield too_long(path, limits["maxLength"])
    elif len(value) < limits.get("minLength", 0):
        yield invalid(path, value, f"{path} in body should be at least {limits['minLength']} chars long")
    elif (pattern := limits.get("pattern")) and not patterns.fits(pattern, value):
        yield invalid(path, value, f"{path} in body should match '{pattern}'")
    if schema.format and schema.type == "string" and not formats.fits(schema.format, value):
        yield type_invalid(path, value, f"{path} in body must be of type {schema.format}: {show(value)}")


def _object(schema: Schema, value: dict[str, Any], path: str) -> Iterator[Cause]:
    for name in schema.required:
        if name not in value:
            yield required(f"{path}.{name}" if path else name)
    most, least = schema.limits.get("maxProperties"), schema.limits.get("minProperties", 0)
    if most is not None and len(value) > most:
        yield too_many(path, len(value), most)
    if len(value) < least:
        yield invalid(path, len(value), f"{path} in body should have at least {least} properties")
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
    limits = schema.limits
    least, most, factor = limits.get("minimum"), limits.get("maximum"), limits.get("multipleOf")
    if factor and not (value / factor).is_integer():
        yield invalid(path, value, f"{path} in body should be a multiple of {factor}")
    if most is not None and (value > most or (value == most and limits.get("exclusiveMaximum"))):
        words = "less than" if limits.get("exclusiveMaximum") else "less than or equal to"
        yield invalid(path, value, f"{path} in body should be {words} {most}")
    if least is not None and (value < least or (value == least and limits.get("exclusiveMinimum"))):
        words = "greater than" if limits.get("exclusiveMinimum") else "greater than or equal to"
        yield invalid(path, value, f"{path} in body should be {words} {least}")


def _combinations(combined: Mapping[str, Any], value: Any, path: str) -> Iterator[Cause]:
    """Check oneOf and its like; Istio's definitions use them for fields that exclude one another.

    The real server says the place in the words only: the field of such a cause is "<nil>".
    """
    if "oneOf" in combined:
        valid = sum(_holds(part, value) for part in combined["oneOf"])
        if valid != 1:
            found = f"Found {valid} valid alternatives" if valid else "Found none valid"
            yield invalid("<nil>", "", f'"{path}" must validate one and only one schema (oneOf). {found}')
            if not valid:
                yield from _of_part(combined["oneOf"][0], value, path)
    if "anyOf" in combined and not any(_holds(part, value) for part in combined["anyOf"]):
        yield invalid("<nil>", "", f'"{path}" must validate at least one schema (anyOf)')
        yield from _of_part(combined["anyOf"][0], value, path)
    if "allOf" in combined:
        for part in combined["allOf"]:
            yield from _combinations(part, value, path)
        if not all(_holds(part, value) for part in combined["allOf"]):
            yield invalid("<nil>", "", f'"{path}" must validate all the schemas (allOf)')
    if "not" in combined and _holds(combined["not"], value):
        yield invalid("<nil>", "", f'"{path}" must not validate the schema (not)')


def _of_part(part: dict[str, Any], value: Any, path: str) -> Iterator[Cause]:
    """Return what is wrong with a value by the part of a combination that comes closest: the first."""
    if "not" not in part:
        yield from _value(part_schema(part), value, path)


def _holds(part: dict[str, Any], value: Any) -> bool:
    """Return whether a value fits a part of a combination."""
    if part.keys() & VALUE_KEYWORDS and any(True for _ in _value(part_schema(part), value, "")):
        return False
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


def _types(schema: Schema, value: Any) -> tuple[str, str]:
    """Return the type that is wanted and the one that is found; a number's format stands for its type."""
    if schema.format in _FORMATS.get(schema.type, ()) and not isinstance(value, str | list):
        return schema.format, "float64" if isinstance(value, float) else ""
    return "integer,string" if schema.type == "int-or-string" else schema.type, _type_of(value)


def _in_range(form: str, value: Any) -> bool:
    """Return whether a number is a whole one of the format's size; what is no number is not asked."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return True
    most = 2**31 if form == "int32" else 2**63
    return _type_of(value) == "integer" and -most <= value < most


def _is_of(type_: str, value: Any) -> bool:
    found = _type_of(value)
    if type_ == "int-or-string":
        return found in ("integer", "string")
    return found == type_ or (type_ == "number" and found == "integer")


def _type_of(value: Any) -> str:
    if isinstance(value, float):
        return "integer" if value.is_integer() and abs(value) < _LARGEST_WHOLE else "number"
    names = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer"}
    return names.get(type(value), "null")
