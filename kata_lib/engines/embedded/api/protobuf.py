"""Bodies in Kubernetes' protobuf form, which kubectl's typed commands (`create namespace`) send.

A body is the bytes `k8s\\0` and a runtime.Unknown message: apiVersion, kind and the object's own message
(https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding). The numbers and types of the
fields are in protobuf_fields.json, which scripts/generate_protobuf_fields.py writes: each is "name:type"; []
marks a list, {} a map from strings, * a pointer (of which zero is a value, not absence), ~ a message whose
fields JSON shows in place.
"""

import base64
import json
import struct
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from kata_lib.engines.embedded.registry.status import bad_request
from kata_lib.engines.embedded.store import Obj

CONTENT_TYPE = "application/vnd.kubernetes.protobuf"

MAGIC = b"k8s\x00"
VARINT, FIXED64, LENGTH_DELIMITED, FIXED32 = 0, 1, 2, 5
NESTING_LIMIT = 64

Field = tuple[int, int | bytes]
"""A field's number and its value: a whole number, or the bytes of everything else."""


def decode(body: bytes) -> Obj:
    """Return the object of a body; raise StatusError 400 for what is malformed or of an unknown kind."""
    if not body.startswith(MAGIC):
        raise bad_request("the body of the request is not in Kubernetes' protobuf form")
    try:
        unknown = dict(_fields(body[len(MAGIC) :]))
        type_meta = {number: _bytes(value).decode() for number, value in _fields(_bytes(unknown.get(1, b"")))}
        api_version, kind = type_meta.get(1, ""), type_meta.get(2, "")
        known = _tables()["kinds"]
        message = known.get(f"meta.k8s.io/v1 {kind}") or known.get(f"{api_version} {kind}")
        if message is None:
            raise bad_request(f"{kind} of {api_version} is not understood as protobuf: send it as JSON")
        obj = _message(message, _bytes(unknown.get(2, b"")), NESTING_LIMIT)
    except (IndexError, ValueError, struct.error) as error:
        raise bad_request(f"the body of the request is no valid protobuf: {error}") from error
    return {"apiVersion": api_version, "kind": kind, **obj}


@cache
def _tables() -> dict[str, Any]:
    tables: dict[str, Any] = json.loads(Path(__file__).with_name("protobuf_fields.json").read_text())
    return tables


def _fields(body: bytes) -> Iterator[Field]:
    position = 0
    while position < len(body):
        tag, position = _varint(body, position)
        number, wire_type = tag >> 3, tag & 7
        if wire_type == VARINT:
            value, position = _varint(body, position)
            yield number, value
            continue
        if wire_type == LENGTH_DELIMITED:
            length, position = _varint(body, position)
        elif wire_type in (FIXED64, FIXED32):
            length = 8 if wire_type == FIXED64 else 4
        else:
            raise ValueError(f"wire type {wire_type}")
        if position + length > len(body):
            raise ValueError("a field is longer than its message")
        yield number, body[position : position + length]
        position += length


def _varint(body: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = body[position]
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:
            return value, position
        if shift > 63:
            raise ValueError("a number has more than 64 bits")


def _message(name: str, body: bytes, depth: int) -> Obj:
    if not depth:
        raise ValueError("messages are nested too deeply")
    obj: Obj = {}
    fields = _tables()["messages"][name]
    for number, raw in _fields(body):
        if str(number) not in fields:
            raise ValueError(f"{name} has no field {number}")
        field, _, kind = fields[str(number)].partition(":")
        if kind.startswith("~"):
            obj.update(_message(kind.lstrip("~*"), _bytes(raw), depth - 1))
        elif kind.startswith("[]"):
            obj.setdefault(field, []).append(_value(kind[2:], raw, depth))
        elif kind.startswith("{}"):
            entry = dict(_fields(_bytes(raw)))
            value = _value(kind[2:], entry.get(2, b""), depth)
            obj.setdefault(field, {})[_bytes(entry.get(1, b"")).decode()] = value
        else:
            value = _value(kind.lstrip("*"), raw, depth)
            if value or (kind.startswith("*") and value is not None):
                obj[field] = value
    return obj


def _value(kind: str, raw: int | bytes, depth: int) -> Any:
    match kind:
        case "int":
            return _signed(raw)
        case "bool":
            return bool(raw)
        case "double":
            return struct.unpack("<d", _bytes(raw))[0]
        case "string":
            return _bytes(raw).decode()
        case "bytes":
            return base64.b64encode(_bytes(raw)).decode()
        case "time":
            parts = dict(_fields(_bytes(raw)))
            return _time(_signed(parts[1])) if parts.get(1) else None
        case "quantity":
            return _bytes(dict(_fields(_bytes(raw))).get(1, b"")).decode()
        case "int-or-string":
            parts = dict(_fields(_bytes(raw)))
            return _bytes(parts.get(3, b"")).decode() if parts.get(1) else _signed(parts.get(2, 0))
        case "raw-json":
            return json.loads(_bytes(dict(_fields(_bytes(raw))).get(1, b"")) or b"null")
    return _message(kind, _bytes(raw), depth - 1)


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _signed(raw: int | bytes) -> int:
    if not isinstance(raw, int):
        raise ValueError("text where a number was expected")
    return raw - (1 << 64) if raw >> 63 else raw


def _bytes(raw: int | bytes) -> bytes:
    if not isinstance(raw, bytes):
        raise ValueError("a number where text was expected")
    return raw
