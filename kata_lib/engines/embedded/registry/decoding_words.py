"""How the real server says that a value does not fit its field: in the words of Go's decoders."""

import re
from typing import Any

from kata_lib.engines.embedded.registry.schemas import ANY, Schema

_QUANTITY = re.compile(r"^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$")
INTEGER_BITS = {"int32": 31, "int64": 63}
_GO_TYPES = {"string": "string", "boolean": "bool", "integer": "int64", "number": "float64"}


class JsonWords:
    """Go's encoding/json."""

    of_bytes = ""

    def mismatch(self, schema: Schema, value: Any, path: tuple[str, ...], owner: str) -> str:
        if schema.type == "quantity":
            return f"quantities must match the regular expression '{_QUANTITY.pattern}'"
        target = "int32" if schema.type == "int-or-string" else _go_type(schema)
        found = json_type(value)
        if schema.type in ("integer", "int-or-string") and found == "number":
            found = f"number {value}"
        field = f"{owner}.{'.'.join(path)}"
        return f"json: cannot unmarshal {found} into Go struct field {field} of type {target}"


class MapWords:
    """apimachinery's converter from maps, through which a strategic merge patch's result goes."""

    of_bytes = "error decoding from json: "

    def mismatch(self, schema: Schema, value: Any, path: tuple[str, ...], owner: str) -> str:
        target, found = _go_type(schema), _go_kind(value)
        if schema.type == "object":
            return (
                f"cannot restore struct from: {found}"
                if schema.properties
                else f"cannot restore map from {found}"
            )
        if schema.type == "array":
            return f"cannot restore slice from {found}"
        convertible = (found == "int64" and target == "string") or (
            found == "float64" and target.startswith("int")
        )
        return f"cannot convert {found} to {target}" if convertible else f"unrecognized type: {target}"


def _go_type(schema: Schema) -> str:
    if schema.type == "object":
        return f"map[string]{_go_type(schema.values)}" if schema.values else f"v1.{schema.name}"
    if schema.type == "array":
        return f"[]{_go_type(schema.items or ANY)}"
    return schema.format if schema.format in INTEGER_BITS else _GO_TYPES.get(schema.type, schema.type)


def json_type(value: Any) -> str:
    """Return what Go's decoder calls a value that it cannot take."""
    names = {dict: "object", list: "array", str: "string", bool: "bool"}
    return names.get(type(value), "number")


def _go_kind(value: Any) -> str:
    names = {dict: "map", list: "slice", str: "string", bool: "bool", int: "int64"}
    return names.get(type(value), "float64")


def go_quoted(text: str) -> str:
    """Return a text as Go quotes it with %q."""
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(character: str) -> str:
    short = {"\n": r"\n", "\t": r"\t", "\r": r"\r", '"': r"\"", "\\": r"\\"}
    if known := short.get(character):
        return known
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def go_text(value: Any) -> str:
    """Return a value as Go prints it with %v: maps in the order of their keys."""
    if isinstance(value, dict):
        return f"map[{' '.join(f'{key}:{go_text(value[key])}' for key in sorted(value))}]"
    if isinstance(value, list):
        return f"[{' '.join(map(go_text, value))}]"
    if value is None or isinstance(value, bool):
        return {None: "<nil>", True: "true", False: "false"}[value]
    return str(value)
