"""The paths of the OpenAPI v3 documents: each resource's operations, with their parameters and bodies."""

from collections.abc import Iterable
from typing import Any

from kata_lib.engines.embedded.registry import definitions
from kata_lib.engines.embedded.registry.resources import Resource

Json = dict[str, Any]

COMPONENTS = "#/components/schemas/"
_PATCH_TYPES = (
    "application/apply-patch+yaml",
    "application/json-patch+json",
    "application/merge-patch+json",
)
_STRATEGIC = "application/strategic-merge-patch+json"
_BODY_TYPES = ("application/json", "application/yaml")
_TEXT, _WHOLE, _FLAG = {"type": "string"}, {"type": "integer"}, {"type": "boolean"}

_WRITING = {
    "dryRun": (_TEXT, "When present, says that the outcome is not to be stored; All is the only value."),
    "fieldManager": (_TEXT, "The name of who makes the change."),
    "fieldValidation": (
        _TEXT,
        "What becomes of unknown fields: Ignore, Warn (unless said otherwise), Strict.",
    ),
}
_FORCE = {"force": (_FLAG, "Take fields over from other managers; for apply patches only.")}
_CHOOSING = {
    "labelSelector": (_TEXT, "Which objects, by their labels."),
    "fieldSelector": (_TEXT, "Which objects, by their fields."),
}
_LISTING = _CHOOSING | {
    "limit": (_WHOLE, "How many objects at most; continue asks for the next."),
    "continue": (_TEXT, "Where the list before ended, as its metadata say."),
    "resourceVersion": (_TEXT, "From which version on."),
    "resourceVersionMatch": (_TEXT, "How that version is meant: Exact or NotOlderThan."),
    "timeoutSeconds": (_WHOLE, "How long a watch lasts at most."),
    "watch": (_FLAG, "Send what changes, not the list."),
    "allowWatchBookmarks": (_FLAG, "Send the version reached, too."),
    "sendInitialEvents": (_FLAG, "Begin a watch with the objects that are there."),
}
_DELETING = {
    "dryRun": _WRITING["dryRun"],
    "gracePeriodSeconds": (_WHOLE, "How long a pod has to end."),
    "propagationPolicy": (_TEXT, "What becomes of what is owned: Background, Foreground, Orphan."),
}
_LOG = {
    "container": (_TEXT, "Whose log, where a pod has several containers."),
    "limitBytes": (_WHOLE, "How many bytes at most."),
    "previous": (_FLAG, "The log of the container before."),
    "sinceSeconds": (_WHOLE, "Lines of the last seconds only."),
    "tailLines": (_WHOLE, "So many of the last lines."),
}
_PARAMETERS = {
    "list": _LISTING,
    "create": _WRITING,
    "deletecollection": _CHOOSING | _DELETING,
    "get": {},
    "update": _WRITING,
    "patch": _WRITING | _FORCE,
    "delete": _DELETING,
}
_METHODS = {
    "list": "get",
    "create": "post",
    "deletecollection": "delete",
    "get": "get",
    "update": "put",
    "patch": "patch",
    "delete": "delete",
}
_OF_COLLECTIONS = ("list", "create", "deletecollection")


def paths_of(resource: Resource, version: str) -> Json:
    """Return a resource's two paths and those of its subresources, with their operations."""
    scope = "/namespaces/{namespace}" if resource.namespaced else ""
    collection = f"/{path_of(resource.group, version)}{scope}/{resource.plural}"
    item = collection + "/{name}"
    verbs = [verb for verb in _METHODS if verb in resource.verbs]
    paths = {
        path: _operations(
            resource, version, path, [verb for verb in verbs if (verb in _OF_COLLECTIONS) == all_of]
        )
        for path, all_of in ((collection, True), (item, False))
    }
    if "status" in resource.subresources:
        paths[f"{item}/status"] = _operations(resource, version, item, ["get", "update", "patch"])
    if "log" in resource.subresources:
        log = {"responses": {"200": {"description": "OK", "content": {"text/plain": {"schema": _TEXT}}}}}
        paths[f"{item}/log"] = {"get": log | {"parameters": [*_of_path(item), *_of_query(_LOG)]}}
    return paths


def path_of(group: str, version: str) -> str:
    """Return where a group's version is served."""
    return f"apis/{group}/{version}" if group else f"api/{version}"


def component(resource: Resource, version: str) -> str:
    """Return the name of a kind's definition."""
    if resource.defined:
        return ".".join([*reversed(resource.group.split(".")), version, resource.kind])
    if resource.custom:
        return f"io.istio.networking.{version}.{resource.kind}"
    return definitions.DEFINITIONS[resource.shape]


def kind_of(resource: Resource, version: str) -> Json:
    """Return a kind's group, version and name."""
    return {"group": resource.group, "kind": resource.kind, "version": version}


def _operations(resource: Resource, version: str, path: str, verbs: Iterable[str]) -> Json:
    return {_METHODS[verb]: _operation(resource, version, path, verb) for verb in verbs}


def _operation(resource: Resource, version: str, path: str, verb: str) -> Json:
    schema = {"$ref": COMPONENTS + component(resource, version)}
    operation: Json = {
        "responses": {"200": {"description": "OK", "content": {"application/json": {"schema": schema}}}},
        "parameters": [*_of_path(path), *_of_query(_PARAMETERS[verb])],
        "x-kubernetes-group-version-kind": kind_of(resource, version),
    }
    if verb in ("create", "update", "patch"):
        patches = (*_PATCH_TYPES, *(() if resource.custom else (_STRATEGIC,)))
        body = {"type": "object"} if verb == "patch" else schema
        content = {kind: {"schema": body} for kind in (patches if verb == "patch" else _BODY_TYPES)}
        operation["requestBody"] = {"content": content, "required": True}
    return operation


def _of_path(path: str) -> list[Json]:
    names = [name for name in ("namespace", "name") if f"{{{name}}}" in path]
    return [{"name": name, "in": "path", "required": True, "schema": _TEXT} for name in names]


def _of_query(parameters: Json) -> list[Json]:
    return [
        {"name": name, "in": "query", "description": description, "schema": {**schema, "uniqueItems": True}}
        for name, (schema, description) in parameters.items()
    ]
