"""The OpenAPI v3 documents, one per group version, made on demand from definitions and resources.

kubectl reads them to explain fields, to make its strategic merge patches (`x-kubernetes-patch-...`), and to
learn from the parameters of PATCH whether it may leave validation to the server. The definitions are those of
OpenAPI v2 without paths; what v3 writes otherwise, references above all, is rewritten here.
"""

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from kata_lib import versions
from kata_lib.engines.embedded.registry import definitions, openapi_paths
from kata_lib.engines.embedded.registry.openapi_paths import COMPONENTS, component, kind_of, path_of, paths_of
from kata_lib.engines.embedded.registry.resources import Resource
from kata_lib.engines.embedded.registry.served import Resources

Json = dict[str, Any]

_SERVICE = definitions.DEFINITIONS["services"]
_EITHER: dict[str, Json] = {
    "IntOrString": {"format": "int-or-string", "oneOf": [{"type": "integer"}, {"type": "string"}]},
    "Quantity": {"oneOf": [{"type": "string"}, {"type": "number"}]},
}
"""What v2 calls a string although it may be a number."""


def openapi_v3_index(resources: Resources) -> Json:
    """Return the paths of all documents; each with a hash, by which clients may keep what they have."""
    documents = {(row.group, version) for row in resources if not row.unsupported for version in row.versions}
    return {
        "paths": {
            path_of(group, version): {
                "serverRelativeURL": f"/openapi/v3/{path_of(group, version)}"
                f"?hash={_edition(_rows(resources, group, version))}"
            }
            for group, version in sorted(documents, key=lambda document: path_of(*document))
        }
    }


def openapi_v3(resources: Resources, group_version: str) -> bytes:
    """Return the document of "v1", "apps/v1" and so on, as JSON. Raises KeyError where nothing is served."""
    group, _, version = group_version.rpartition("/")
    rows = _rows(resources, group, version)
    if not rows:
        raise KeyError(group_version)
    paths: Json = {}
    for row in rows:
        paths |= paths_of(row, version)
    document = {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": f"v{versions.KUBERNETES}"},
        "paths": paths,
        "components": {"schemas": _components(resources, rows, version)},
    }
    return json.dumps(document, separators=(",", ":")).encode()


def openapi_v2_edition(resources: Resources) -> str:
    """Return a hash of all that the older document is made from."""
    return _edition([row for row in resources if not row.unsupported])


def openapi_v2_definitions(resources: Resources) -> Json:
    """Return the definitions of all kinds that are served, and of what they are made of, in OpenAPI's v2."""
    rows = [row for row in resources if not row.unsupported]
    own = definitions.raw_definitions(
        definitions.DEFINITIONS[resources.get(row.key, version).shape]
        for row in rows
        if not row.custom
        for version in row.versions
    )
    common = _common(own)
    custom = {
        component(row, version): _custom(resources, row, version, common)
        for row in rows
        if row.custom
        for version in row.versions
    }
    return own | custom


def _rows(resources: Resources, group: str, version: str) -> list[Resource]:
    return [row for row in resources.in_version(group, version) if not row.unsupported]


def _edition(rows: list[Resource]) -> str:
    """Return a hash of all that a document is made from; a row's edition stands for its definition."""
    digest = hashlib.sha256(_sources())
    digest.update(repr(rows).encode())
    return digest.hexdigest().upper()


@cache
def _sources() -> bytes:
    own = (Path(__file__), Path(openapi_paths.__file__))
    return hashlib.sha256(definitions.sources() + b"".join(file.read_bytes() for file in own)).digest()


def _components(resources: Resources, rows: list[Resource], version: str) -> Json:
    own = [definitions.DEFINITIONS[row.shape] for row in rows if not row.custom]
    custom = [row for row in rows if row.custom]
    found = definitions.raw_definitions([*own, _SERVICE] if custom else own)
    components = {name: _openapi(node, name) for name, node in found.items()}
    for resource in custom:
        common = {key: _openapi(node) for key, node in _common(found).items()}
        components[component(resource, version)] = _custom(resources, resource, version, common)
    return components


def _common(found: Json) -> Json:
    """Return what every object has, as one of Kubernetes' own kinds has it."""
    properties: Json = found[_SERVICE]["properties"]
    return {key: properties[key] for key in ("apiVersion", "kind", "metadata")}


def _custom(resources: Resources, resource: Resource, version: str, common: Json) -> Json:
    """Return the definition of a custom kind in one version."""
    schema = (
        resources.raw_schema(resource)
        if resource.defined
        else definitions.custom_definition(resource.kind)["schema"]
    )
    return schema | {
        "properties": common | schema.get("properties", {}),
        "x-kubernetes-group-version-kind": [kind_of(resource, version)],
    }


def _openapi(node: Json, name: str = "") -> Json:
    """Return one definition, or one part of it, as OpenAPI v3 writes it."""
    if either := _EITHER.get(name.rpartition(".")[2]):
        return {"description": node["description"], **either}
    result: Json = {}
    for key, value in node.items():
        if key == "$ref":
            result["allOf"] = [{"$ref": COMPONENTS + definitions.referenced(value)}]
        elif key == "properties":
            result["properties"] = {field: _openapi(inner) for field, inner in value.items()}
        elif key in ("items", "additionalProperties") and isinstance(value, dict):
            result[key] = _openapi(value)
        else:
            result[key] = value
    return result
