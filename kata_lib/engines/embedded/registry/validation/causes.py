"""The kinds of mistakes that apimachinery's field errors know, each as the Cause that a client is shown."""

import json
from collections.abc import Iterable
from typing import Any

from kata_lib.engines.embedded.registry.status import Cause

OMITTED: Any = object()
"""In the place of a value that is too large to be shown."""


def show(value: Any) -> str:
    """Return a value as field errors show it: JSON without spaces, maps in the order of their keys."""
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)


def show_struct(value: Any) -> str:
    """Return a value as field errors show a struct of Go's: its fields in the given order."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def invalid(path: str, value: Any, why: str) -> Cause:
    """The value is not one that the field can have; OMITTED is not shown."""
    shown = "" if value is OMITTED else f"{show(value)}: "
    return Cause(path, "FieldValueInvalid", f"Invalid value: {shown}{why}")


def type_invalid(path: str, value: Any, why: str) -> Cause:
    """The value is of the wrong type."""
    return Cause(path, "FieldValueTypeInvalid", f"Invalid value: {show(value)}: {why}")


def required(path: str, why: str = "") -> Cause:
    """The field is missing."""
    return Cause(path, "FieldValueRequired", f"Required value: {why}" if why else "Required value")


def forbidden(path: str, why: str) -> Cause:
    """The field must not be set here."""
    return Cause(path, "FieldValueForbidden", f"Forbidden: {why}")


def duplicate(path: str, value: Any) -> Cause:
    """The value must be unique and is not; OMITTED is not shown."""
    shown = "" if value is OMITTED else f": {show_struct(value)}"
    return Cause(path, "FieldValueDuplicate", f"Duplicate value{shown}")


def not_found(path: str, value: Any) -> Cause:
    """The value names something that is not there."""
    return Cause(path, "FieldValueNotFound", f"Not found: {show(value)}")


def not_supported(path: str, value: Any, supported: Iterable[Any]) -> Cause:
    """The value is none of those that the field takes."""
    listed = ", ".join(map(show, supported))
    return Cause(
        path, "FieldValueNotSupported", f"Unsupported value: {show(value)}: supported values: {listed}"
    )


def too_long(path: str, limit: int) -> Cause:
    """The text has more than `limit` bytes."""
    return Cause(path, "FieldValueTooLong", f"Too long: may not be more than {limit} bytes")


def too_many(path: str, found: int, limit: int) -> Cause:
    """The list or map has more than `limit` items."""
    return Cause(path, "FieldValueTooMany", f"Too many: {found}: must have at most {limit} items")
