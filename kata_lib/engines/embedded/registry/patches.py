"""JSON patches (RFC 6902) and merge patches (RFC 7386): an object and a patch in, a new object out.

`patched` chooses by content type; the strategic merge patch, which needs a schema, is in `strategic`. None of
them changes what it is given.
"""

import json
from itertools import groupby
from typing import Any

import jsonpatch

from kata_lib.engines.embedded.registry.decoding_words import json_type
from kata_lib.engines.embedded.registry.metadata import own_copy
from kata_lib.engines.embedded.registry.resources import Resource
from kata_lib.engines.embedded.registry.schemas import Schema, schema_for
from kata_lib.engines.embedded.registry.status import (
    Cause,
    StatusError,
    bad_request,
    invalid_request,
    rejected_request,
    too_many_operations,
    unsupported_patch,
)
from kata_lib.engines.embedded.registry.strategic import strategic_merge_patch
from kata_lib.engines.embedded.registry.subresources import scale_of
from kata_lib.engines.embedded.store import Obj

__all__ = ["json_patch", "merge_patch", "patched", "strategic_merge_patch"]

MAX_OPERATIONS = 10_000
"""As many as a real API server takes in one JSON patch (apiserver, endpoints/handlers/patch.go)."""

MAX_COPIED = 3 * 1024 * 1024
"""Bytes that the copies of one JSON patch may add."""

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_MERGE_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"


def patched(kind: Resource, schema: Schema, old: Obj, body: Any, content_type: str, subresource: str) -> Obj:
    """Return what a patch of the given content type makes of an object, or of its scale.

    Raises StatusError: 422 where no object of the kind is left, 415 for a patch that the kind does not take.
    """
    scaled = subresource == "scale"
    base = scale_of(kind, old) if scaled else old
    if content_type == JSON_PATCH:
        new = json_patch(base, body)
    elif content_type == MERGE_PATCH:
        new = merge_patch(base, body)
    elif content_type == STRATEGIC_MERGE_PATCH and not kind.custom:
        new = strategic_merge_patch(
            base, {} if body is None else body, schema_for("scales") if scaled else schema
        )
    else:
        strategic = () if kind.custom else (STRATEGIC_MERGE_PATCH,)
        raise unsupported_patch(content_type, [JSON_PATCH, MERGE_PATCH, *strategic, APPLY_PATCH])
    if not isinstance(new, dict) or not isinstance(new.get("metadata"), dict):
        raise rejected_request()
    if content_type != STRATEGIC_MERGE_PATCH:
        _check_kind(kind, base, new)
    return new


def _check_kind(kind: Resource, old: Obj, new: Obj) -> None:
    """Raise StatusError 422 where a patch makes an object one of another kind."""
    versions = {old["apiVersion"], *map(kind.api_version_of, kind.versions)}
    version, found = new.get("apiVersion", old["apiVersion"]), new.get("kind", old["kind"])
    if not kind.custom and (version not in versions or found != old["kind"]):
        shown = json.dumps(json.dumps(new, separators=(",", ":")))
        why = f'no kind "{found}" is registered for version "{version}" in scheme "pkg/runtime/scheme.go:111"'
        raise invalid_request([Cause("patch", "FieldValueInvalid", f"Invalid value: {shown}: {why}")])


def json_patch(obj: Any, operations: Any) -> Any:
    """Return `obj` with a JSON patch applied.

    Raises StatusError: 400 when the patch is no list, 422 when an operation is none or does not apply (a path
    that does not exist, a test that fails); the real server says no more than that of any.
    """
    operations = [] if operations is None else operations
    if not isinstance(operations, list):
        raise _no_operations(operations)
    if len(operations) > MAX_OPERATIONS:
        raise too_many_operations(MAX_OPERATIONS, len(operations))
    for one in operations:
        if one is not None and not isinstance(one, dict):
            raise _no_operations(one)
        for field in ("op", "from", "path"):
            if not isinstance(found := (one or {}).get(field, ""), str | None):
                raise _no_text(field, found)
        if not one or one.get("path") is None:
            raise rejected_request()
    operations = [{"value": None, **one} for one in operations]
    result, copied = own_copy(obj), 0
    try:
        for looks, group in groupby(operations, _looks):
            if not looks:
                result = jsonpatch.apply_patch(result, list(map(_added, group)), in_place=True)
                continue
            for operation in group:
                if operation.get("op") == "copy":
                    copied += _copied(operation, result)
                if copied > MAX_COPIED:
                    raise rejected_request()
                result = jsonpatch.apply_patch(result, [_as_taken(operation, result)], in_place=True)
        return result
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException) as error:
        raise rejected_request() from error


def _no_operations(found: Any) -> StatusError:
    return bad_request(
        f"error decoding patch: json: cannot unmarshal {json_type(found)}"
        " into Go value of type []handlers.jsonPatchOp"
    )


def _no_text(field: str, found: Any) -> StatusError:
    return bad_request(
        f"error decoding patch: json: cannot unmarshal {json_type(found)}"
        f" into Go struct field jsonPatchOp.{field} of type string"
    )


def _looks(operation: Obj) -> bool:
    """Return whether what an operation does depends on more than itself: a copy's size, a list's index."""
    last = operation["path"].rpartition("/")[2]
    return operation.get("op") == "copy" or (operation.get("op") == "replace" and last.isdigit())


def _added(operation: Obj) -> Obj:
    """Return an operation on a member: one that is not there is replaced, too."""
    return {**operation, "op": "add"} if operation.get("op") == "replace" else operation


def _copied(operation: Obj, document: Any) -> int:
    """Return how many bytes an operation copies."""
    return len(json.dumps(jsonpatch.JsonPointer(operation.get("from", "")).resolve(document)))


def _as_taken(operation: Obj, document: Any) -> Obj:
    """Return an operation as the real server takes it: a member that is not there is replaced, too."""
    if operation.get("op") == "replace":
        parent, _ = jsonpatch.JsonPointer(operation["path"]).to_last(document)
        if isinstance(parent, dict):
            return _added(operation)
    return operation


def merge_patch(obj: Any, patch: Any) -> Any:
    """Return `obj` with a JSON merge patch applied: maps are merged, null removes, all else replaces."""
    return _merge(own_copy(obj), own_copy(patch))


def _merge(target: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return patch
    result = target if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = _merge(result.get(key), value)
    return result
