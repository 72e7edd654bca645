"""OpenAPI v2 in the protobuf form in which kubectl takes it: definitions in, the bytes of a Document out.

The fields' numbers are those of OpenAPIv2.proto (https://github.com/google/gnostic-models, Apache-2.0). What
kubectl reads of a schema is written: its texts, types, parts and extensions.
"""

import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

CONTENT_TYPE = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"

_SWAGGER, _INFO, _DEFINITIONS = 1, 2, 9
_TEXTS = {"$ref": 1, "format": 2, "description": 4}
_REQUIRED, _ENUM, _VALUES, _TYPE, _ITEMS, _ALL_OF, _PROPERTIES, _EXTENSION = 19, 20, 21, 22, 23, 24, 25, 31
_YAML = 2

Schema = Mapping[str, Any]


def document(info: Mapping[str, str], definitions: Mapping[str, Schema]) -> bytes:
    """Return a document of these definitions, without paths."""
    about = _field(1, info["title"]) + _field(2, info["version"])
    return _field(_SWAGGER, "2.0") + _field(_INFO, about) + _field(_DEFINITIONS, _named_schemas(definitions))


def _named_schemas(schemas: Mapping[str, Schema]) -> bytes:
    return b"".join(_field(1, _field(1, name) + _field(2, _schema(node))) for name, node in schemas.items())


def _schema(node: Schema) -> bytes:
    parts = [_field(number, node[key]) for key, number in _TEXTS.items() if key in node]
    parts += [_field(_REQUIRED, name) for name in node.get("required", ())]
    parts += [_field(_ENUM, _any(value)) for value in node.get("enum", ())]
    if isinstance(values := node.get("additionalProperties"), dict):
        parts.append(_field(_VALUES, _field(1, _schema(values))))
    if "type" in node:
        parts.append(_field(_TYPE, _field(1, node["type"])))
    if "items" in node:
        parts.append(_field(_ITEMS, _field(1, _schema(node["items"]))))
    parts += [_field(_ALL_OF, _schema(part)) for part in node.get("allOf", ())]
    if "properties" in node:
        parts.append(_field(_PROPERTIES, _named_schemas(node["properties"])))
    return b"".join([*parts, *_extensions(node)])


def _extensions(node: Schema) -> Iterable[bytes]:
    for key, value in node.items():
        if key.startswith("x-"):
            yield _field(_EXTENSION, _field(1, key) + _field(2, _any(value)))


def _any(value: Any) -> bytes:
    return _field(_YAML, json.dumps(value, ensure_ascii=False))  # JSON is YAML


def _field(number: int, value: str | bytes) -> bytes:
    """Return a field whose value has a length."""
    content = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(content)) + content


@lru_cache(256)  # tags, and the lengths of short texts: asked for 60,000 times a document
def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])
