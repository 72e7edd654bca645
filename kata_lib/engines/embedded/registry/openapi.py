"""The OpenAPI v3 documents, one per group version, made on demand from definitions and resources.

kubectl reads them to explain fields, to make its strategic merge patches (`x-kubernetes-patch-...`), and to
learn from the parameters of PATCH whether it may leave validation to the server. The definitions are JSON
schema without paths; what OpenAPI writes otherwise, references and nullable types, is rewritten here.
"""

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from kata_lib.engines.embedded.registry import definitions
from kata_lib.engines.embedded.registry.resources import Resource
from kata_lib.engines.embedded.registry.served import Resources

Json = dict[str, Any]

_COMPONENTS = "#/components/schemas/"
_META = definitions.META + "ObjectMeta"
_INT_OR_STRING = {"format": "int-or-string", "oneOf": [{"type": "integer"}, {"type": "string"}]}
_QUANTITY = {"oneOf": [{"type": "string"}, {"type": "number"}]}
_PATCH_TYPES = (
    "application/apply-patch+yaml",
    "application/json-patch+json",
    "application/merge-patch+json",
)
_STRATEGIC = "application/strategic-merge-patch+json"
_PARAMETERS = {
    "dryRun": "When present, says that the outcome is not to be stored; All is the only value.",
    "fieldManager": "The name of who makes the change.",
    "fieldValidation": "What becomes of unknown fields: Ignore, Warn (unless said otherwise), Strict.",
    "force": "Take fields over from other managers; for apply patches only.",
}


def openapi_v3_index(resources: Resources) -> Json:
    """Return the paths of all documents; each with a hash, by which clients may keep what they have."""
    documents = {(row.group, version) for row in resources if not row.unsupported for version in row.versions}
    return {
        "paths": {
            _path(group, version): {
                "serverRelativeURL": f"/openapi/v3/{_path(group, version)}"
                f"?hash={_edition(_rows(resources, group, version))}"
            }
            for group, version in sorted(documents, key=lambda document: _path(*document))
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
        paths |= _paths(row, version)
    document = {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": "v1.34.0"},
        "paths": paths,
        "components": {"schemas": _components(resources, rows, version)},
    }
    return json.dumps(document, separators=(",", ":")).encode()


def _rows(resources: Resources, group: str, version: str) -> list[Resource]:
    return [row for row in resources.in_version(group, version) if not row.unsupported]


def _path(group: str, version: str) -> str:
    return f"apis/{group}/{version}" if group else f"api/{version}"


def _edition(rows: list[Resource]) -> str:
    """Return a hash of all that a document is made from; a row's edition stands for its definition."""
    digest = hashlib.sha256(_sources())
    digest.update(repr(rows).encode())
    return digest.hexdigest().upper()


@cache
def _sources() -> bytes:
    return hashlib.sha256(definitions.sources() + Path(__file__).read_bytes()).digest()


def _component(resource: Resource, version: str) -> str:
    if resource.defined:
        return ".".join([*reversed(resource.group.split(".")), version, resource.kind])
    if resource.custom:
        return f"io.istio.networking.{version}.{resource.kind}"
    return definitions.DEFINITIONS[resource.plural]


def _kind(resource: Resource, version: str) -> Json:
    return {"group": resource.group, "kind": resource.kind, "version": version}


def _paths(resource: Resource, version: str) -> Json:
    """Return a resource's two paths and those of its subresources, with their operations."""
    scope = "/namespaces/{namespace}" if resource.namespaced else ""
    collection = f"/{_path(resource.group, version)}{scope}/{resource.plural}"
    item = collection + "/{name}"
    operations = {
        verb: _operation(resource, version, method, patched=method == "patch")
        for verb, method in (
            ("list", "get"),
            ("create", "post"),
            ("deletecollection", "delete"),
            ("get", "get"),
            ("update", "put"),
            ("patch", "patch"),
            ("delete", "delete"),
        )
        if verb in resource.verbs
    }
    on_collection = {"list": "get", "create": "post", "deletecollection": "delete"}
    on_item = {"get": "get", "update": "put", "patch": "patch", "delete": "delete"}
    paths = {
        path: {method: operations[verb] for verb, method in methods.items() if verb in operations}
        for path, methods in ((collection, on_collection), (item, on_item))
    }
    if "status" in resource.subresources:
        status = {verb: operations[verb] for verb in ("get", "update", "patch")}
        paths[f"{item}/status"] = {on_item[verb]: operation for verb, operation in status.items()}
    return paths


def _operation(resource: Resource, version: str, method: str, *, patched: bool) -> Json:
    schema = {"$ref": _COMPONENTS + _component(resource, version)}
    operation: Json = {
        "responses": {"200": {"description": "OK", "content": {"application/json": {"schema": schema}}}},
        "x-kubernetes-group-version-kind": _kind(resource, version),
    }
    if method in ("post", "put", "patch"):
        kinds = (*_PATCH_TYPES, *(() if resource.custom else (_STRATEGIC,)))
        body = {"type": "object"} if patched else schema
        content = {kind: {"schema": body} for kind in (kinds if patched else ("application/json",))}
        operation["requestBody"] = {"content": content, "required": True}
        operation["parameters"] = [
            {
                "name": name,
                "in": "query",
                "description": description,
                "schema": {"type": "boolean" if name == "force" else "string", "uniqueItems": True},
            }
            for name, description in _PARAMETERS.items()
            if patched or name != "force"
        ]
    return operation


def _components(resources: Resources, rows: list[Resource], version: str) -> Json:
    own = [definitions.DEFINITIONS[row.plural] for row in rows if not row.custom]
    custom = [row for row in rows if row.custom]
    found = definitions.raw_definitions([*own, _META] if custom else own)
    components = {name: _openapi(node, name) for name, node in found.items()}
    for resource in custom:
        schema = (
            resources.raw_schema(resource)
            if resource.defined
            else definitions.custom_definition(resource.kind)["schema"]
        )
        text = {"type": "string"}
        common = {"apiVersion": text, "kind": text, "metadata": {"allOf": [{"$ref": _COMPONENTS + _META}]}}
        components[_component(resource, version)] = schema | {
            "properties": common | schema.get("properties", {}),
            "x-kubernetes-group-version-kind": [_kind(resource, version)],
        }
    return components


def _openapi(node: Json, name: str = "") -> Json:
    """Return one definition, or one part of it, as OpenAPI v3 writes it."""
    if name.endswith(".IntOrString"):
        return node | _INT_OR_STRING
    if name.endswith(".Quantity"):
        return node | _QUANTITY
    result: Json = {}
    for key, value in node.items():
        if key == "$ref":
            result["allOf"] = [{"$ref": _COMPONENTS + definitions.referenced(value)}]
        elif key == "type" and isinstance(value, list):
            result["type"] = next(kind for kind in value if kind != "null")
        elif key == "properties":
            result["properties"] = {field: _openapi(inner) for field, inner in value.items()}
        elif key in ("items", "additionalProperties") and isinstance(value, dict):
            result[key] = _openapi(value)
        elif key != "enum":  # only apiVersion and kind have one, and only in this package
            result[key] = value
    return result
