"""From what a client sent to the object that is kept: types checked, unknown fields found, nulls left out.

The real server decodes Kubernetes' own kinds into Go structs, so a wrong type is refused here, before
defaults and validation, in the words of Go's decoder; a strategic merge patch goes through another decoder,
with other words. A custom resource's fields are only pruned here: their types are a matter of `validation`.
"""

import base64
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from kata_lib.cluster.quantities import canonical
from kata_lib.engines.embedded.registry import crds
from kata_lib.engines.embedded.registry.decoding_words import (
    INTEGER_BITS,
    JsonWords,
    MapWords,
    go_quoted,
    go_text,
)
from kata_lib.engines.embedded.registry.left_out import is_left_out
from kata_lib.engines.embedded.registry.resources import Resource
from kata_lib.engines.embedded.registry.schemas import ANY, Schema
from kata_lib.engines.embedded.registry.status import Cause, StatusError, bad_request, invalid_request
from kata_lib.engines.embedded.store import Obj

_SCHEMA_OR_ELSE = ("JSONSchemaPropsOrArray", "JSONSchemaPropsOrBool")
_LAYOUTS = {"Time": "2006-01-02T15:04:05Z07:00", "MicroTime": "2006-01-02T15:04:05.000000Z07:00"}
"""How Go writes the formats of moments."""

_NO_YEAR = 'cannot parse "%s" as "2006"'


class DecodingError(Exception):
    """A value that does not fit its field's type; the text is the real decoder's."""


def unknown_fields(schema: Schema, obj: Obj) -> list[str]:
    """Return 'unknown field "spec.replcias"' for every field that the schema does not have."""
    found: list[str] = []
    _find_unknown(schema, obj, "", found)
    if schema.custom:  # found when it is pruned, and in the metadata of objects in it after that
        found.sort(key=lambda path: ("metadata" in path.split(".")[:-1], path))
    return [f"unknown field {go_quoted(path)}" for path in found]


def check_fields(
    kind: Resource,
    schema: Schema,
    obj: Obj,
    field_validation: str,
    warnings: list[str] | None,
    *,
    version: str | None = None,
    patched: str | None = None,
    strategic: Any = None,
) -> None:
    """Decode `obj`, a request's body or what a patch made, in place: unknown fields and nulls are dropped.

    `field_validation` is that of the request: "Strict" refuses unknown fields, "Warn" (also "") adds them to
    `warnings`, "Ignore" says nothing. Raises StatusError: 400 for a body; 422 for the outcome of a patch,
    shown as the real server does: `patched`, the whole object as text, or `strategic`, the patch.
    """

    def refusal(why: str) -> StatusError:
        if patched is None and strategic is None:
            spoken = version or kind.version
            return bad_request(f'{kind.kind} in version "{spoken}" cannot be handled as a {kind.kind}: {why}')
        shown = json.dumps(patched if strategic is None else go_text(strategic), ensure_ascii=False)
        return invalid_request([Cause("patch", "FieldValueInvalid", f"Invalid value: {shown}: {why}")])

    words = JsonWords() if strategic is None else MapWords()
    try:
        decoded = _Decoder(words).struct(schema, obj, ())
    except DecodingError as error:
        raise refusal(str(error)) from None
    if field_validation != "Ignore":
        unknown = unknown_fields(schema, obj)
        if unknown and field_validation == "Strict":
            raise refusal(f"strict decoding error: {', '.join(unknown)}")
        if warnings is not None:
            warnings.extend(unknown)
    if warnings is not None and kind.key == crds.KEY:
        warnings.extend(f'unrecognized format "{found}"' for found in crds.unrecognized(obj))
    obj.clear()
    obj.update(decoded)


def _child(schema: Schema, key: str, item: Any) -> Schema | None:
    """Return the schema of a field; of one that holds a schema or something else, that of what it holds."""
    child = schema.child(key)
    return schema if child and child.name in _SCHEMA_OR_ELSE and isinstance(item, dict) else child


def _find_unknown(schema: Schema, value: Any, path: str, found: list[str]) -> None:
    if isinstance(value, dict) and not schema.any:
        for key, item in value.items():
            inner = f"{path}.{key}" if path else key
            child = _child(schema, key, item)
            if child:
                _find_unknown(child, item, inner, found)
            elif not schema.open:
                found.append(inner)
    elif isinstance(value, list) and schema.items:
        for position, item in enumerate(value):
            _find_unknown(schema.items, item, f"{path}[{position}]", found)


def prune(schema: Schema, value: Any) -> Any:
    """Return a custom resource's value without the fields that its schema does not know."""
    if isinstance(value, dict) and not schema.any:
        known = ((key, schema.child(key), item) for key, item in value.items())
        return {key: prune(child or ANY, item) for key, child, item in known if child or schema.open}
    if isinstance(value, list) and schema.items:
        return [prune(schema.items, item) for item in value]
    return value


class _Decoder:
    """Walks a value with its schema; `path` holds the names of the Go fields passed, without list indexes."""

    def __init__(self, words: JsonWords | MapWords) -> None:
        self._words = words

    def struct(self, schema: Schema, value: Mapping[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
        result = {}
        for key, item in value.items():
            child = _child(schema, key, item) if key in schema.properties else None
            if child is None and schema.custom and schema.open:
                result[key] = item
            if child is None or (item is None and not schema.custom):
                continue
            if schema.custom and key != "metadata":
                result[key] = prune(child, item)
                continue
            inner = (key,) if not schema.custom else ()
            decoded = self._value(child, item, (*path, *inner), schema.name if inner else child.name)
            if key in schema.required or not is_left_out(schema, key, child, decoded):
                result[key] = decoded
        return result

    def _value(self, schema: Schema, value: Any, path: tuple[str, ...], owner: str) -> Any:
        match schema.type:
            case "object" if isinstance(value, dict):
                if schema.properties:
                    return self.struct(schema, value, path)
                if schema.values is None:
                    return value
                inner = schema.values
                return {k: self._value(inner, v, path, owner) for k, v in value.items() if v is not None}
            case "array" if isinstance(value, list):
                items = schema.items or ANY
                return [self._value(items, item, path, owner) for item in value if item is not None]
            case "" | "string" if not schema.type or isinstance(value, str):
                if schema.name in _LAYOUTS and isinstance(value, str) and not _is_moment(value):
                    raise DecodingError(
                        f'parsing time "{value}" as "{_LAYOUTS[schema.name]}": {_NO_YEAR % value}'
                    )
                if schema.format == "byte" and (why := _no_base64(value)):
                    raise DecodingError(f"{self._words.of_bytes}{why}")
                return value
            case "boolean" if isinstance(value, bool):
                return value
            case "integer" if _fits(value, schema.format):
                return value
            case "number" if isinstance(value, int | float) and not isinstance(value, bool):
                return value
            case "int-or-string" if isinstance(value, str) or _fits(value, "int32"):
                return value
            case "quantity" if isinstance(value, str | int | float) and not isinstance(value, bool):
                try:
                    return canonical(str(value).strip())
                except ValueError:
                    pass
        raise DecodingError(self._words.mismatch(schema, value, path, owner))


def _is_moment(text: str) -> bool:
    try:
        return "T" in text and datetime.fromisoformat(text) is not None
    except ValueError:
        return False


def _fits(value: Any, format: str) -> bool:
    bits = INTEGER_BITS.get(format, 63)
    return isinstance(value, int) and not isinstance(value, bool) and -(1 << bits) <= value < 1 << bits


def _no_base64(text: str) -> str:
    """Return why a text is no base64, "" where it is."""
    illegal = re.search(r"[^A-Za-z0-9+/=\r\n]", text)
    if illegal:
        return f"illegal base64 data at input byte {illegal.start()}"
    try:
        base64.b64decode(text, validate=False)
    except ValueError:
        return f"illegal base64 data at input byte {len(text) // 4 * 4}"
    return ""
