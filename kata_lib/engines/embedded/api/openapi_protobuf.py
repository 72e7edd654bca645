"""OpenAPI v2 in the protobuf form in which kubectl takes it: definitions in, the bytes of a Document out.

The fields' numbers are those of OpenAPIv2.proto (https://github.com/google/gnostic-models, Apache-2.0). What
kubectl reads of a schema is written: its texts, types, parts and extensions.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from kata_lib.engines.embedded.api.wire import field

CONTENT_TYPE = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"

_SWAGGER, _INFO, _DEFINITIONS = 1, 2, 9
_TEXTS = {"$ref": 1, "format": 2, "description": 4}
_REQUIRED, _ENUM, _VALUES, _TYPE, _ITEMS, _ALL_OF, _PROPERTIES, _EXTENSION = 19, 20, 21, 22, 23, 24, 25, 31
_YAML = 2

Schema = Mapping[str, Any]


def document(info: Mapping[str, str], definitions: Mapping[str, Schema]) -> bytes:
    """Return a document of these definitions, without paths."""
    about = field(1, info["title"]) + field(2, info["version"])
    return field(_SWAGGER, "2.0") + field(_INFO, about) + field(_DEFINITIONS, _named_schemas(definitions))


def _named_schemas(schemas: Mapping[str, Schema]) -> bytes:
    return b"".join(field(1, field(1, name) + field(2, _schema(node))) for name, node in schemas.items())


def _schema(node: Schema) -> bytes:
    parts = [field(number, node[key]) for key, number in _TEXTS.items() if key in node]
    parts += [field(_REQUIRED, name) for name in node.get("required", ())]
    parts += [field(_ENUM, _any(value)) for value in node.get("enum", ())]
    if isinstance(values := node.get("additionalProperties"), dict):
        parts.append(field(_VALUES, field(1, _schema(values))))
    if "type" in node:
        parts.append(field(_TYPE, field(1, node["type"])))
    if "items" in node:
        parts.append(field(_ITEMS, field(1, _schema(node["items"]))))
    parts += [field(_ALL_OF, _schema(part)) for part in node.get("allOf", ())]
    if "properties" in node:
        parts.append(field(_PROPERTIES, _named_schemas(node["properties"])))
    return b"".join([*parts, *_extensions(node)])


def _extensions(node: Schema) -> Iterable[bytes]:
    for key, value in node.items():
        if key.startswith("x-"):
            yield field(_EXTENSION, field(1, key) + field(2, _any(value)))


def _any(value: Any) -> bytes:
    return field(_YAML, json.dumps(value, ensure_ascii=False))  # JSON is YAML
