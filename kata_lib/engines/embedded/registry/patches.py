"""JSON patches (RFC 6902) and merge patches (RFC 7386): an object and a patch in, a new object out.

`patched` chooses by content type; the strategic merge patch, which needs a schema, is in `strategic`. None of
them changes what it is given.
"""

import copy
from typing import Any

from kata_lib.engines.embedded.registry.decoding_words import json_type
from kata_lib.engines.embedded.registry.resources import Resource
from kata_lib.engines.embedded.registry.schemas import Schema, schema_for
from kata_lib.engines.embedded.registry.status import bad_request, rejected_request, unsupported_patch
from kata_lib.engines.embedded.registry.strategic import strategic_merge_patch
from kata_lib.engines.embedded.registry.subresources import scale_of
from kata_lib.engines.embedded.store import Obj

__all__ = ["json_patch", "merge_patch", "patched", "strategic_merge_patch"]

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_MERGE_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"

_VALUE_NEEDED = ("add", "replace", "test")


def patched(kind: Resource, schema: Schema, old: Obj, body: Any, content_type: str, subresource: str) -> Obj:
    """Return what a patch of the given content type makes of an object, or of its scale.

    Raises StatusError: 400 where no object is left, 415 for a patch that the kind does not take.
    """
    scaled = subresource == "scale"
    base = scale_of(kind, old) if scaled else old
    if content_type == JSON_PATCH:
        new = json_patch(base, body)
    elif content_type == MERGE_PATCH:
        new = merge_patch(base, body)
    elif content_type == STRATEGIC_MERGE_PATCH and not kind.custom:
        new = strategic_merge_patch(base, body, schema_for("scales") if scaled else schema)
    else:
        strategic = () if kind.custom else (STRATEGIC_MERGE_PATCH,)
        raise unsupported_patch(content_type, [JSON_PATCH, MERGE_PATCH, *strategic, APPLY_PATCH])
    if not isinstance(new, dict) or not isinstance(new.get("metadata"), dict):
        raise bad_request("the patch leaves no object")
    return new


def json_patch(obj: Any, operations: Any) -> Any:
    """Return `obj` with a JSON patch applied.

    Raises StatusError: 400 when the patch is none, 422 when an operation does not apply (a path that does not
    exist, a test that fails); the real server says no more than that of either.
    """
    if not isinstance(operations, list):
        raise bad_request(
            f"error decoding patch: json: cannot unmarshal {json_type(operations)}"
            " into Go value of type []handlers.jsonPatchOp"
        )
    result = copy.deepcopy(obj)
    for operation in operations:
        result = _apply(result, operation)
    return result


def merge_patch(obj: Any, patch: Any) -> Any:
    """Return `obj` with a JSON merge patch applied: maps are merged, null removes, all else replaces."""
    return _merge(copy.deepcopy(obj), copy.deepcopy(patch))


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


def _apply(document: Any, operation: Any) -> Any:
    if not isinstance(operation, dict) or not isinstance(operation.get("path"), str):
        raise bad_request("error decoding patch: every operation needs an op and a path")
    kind, path = operation.get("op"), _tokens(operation["path"])
    if kind in _VALUE_NEEDED and "value" not in operation:
        raise rejected_request()
    match kind:
        case "add":
            return _add(document, path, copy.deepcopy(operation["value"]))
        case "remove":
            return _remove(document, path)
        case "replace":
            _read(document, path[:-1])
            return _replace(document, path, copy.deepcopy(operation["value"]))
        case "test":
            if not _same(_read(document, path), operation["value"]):
                raise rejected_request()
            return document
        case "move" | "copy" if isinstance(operation.get("from"), str):
            source = _tokens(operation["from"])
            value = copy.deepcopy(_read(document, source))
            if kind == "move":
                if path[: len(source)] == source and path != source:
                    raise rejected_request()
                document = _remove(document, source)
            return _add(document, path, value)
    raise rejected_request()


def _tokens(pointer: str) -> list[str]:
    """Split a JSON pointer (RFC 6901) into its reference tokens."""
    if pointer and not pointer.startswith("/"):
        raise rejected_request()
    return [token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:]]


def _read(document: Any, path: list[str]) -> Any:
    for token in path:
        match document:
            case dict() if token in document:
                document = document[token]
            case list():
                document = document[_index(document, token)]
            case _:
                raise rejected_request()
    return document


def _index(items: list[Any], token: str, *, past_end: int = 0) -> int:
    """Return the position that a token names; as in the real server, -1 is the last."""
    size = len(items) + past_end
    digits = token.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()) or (len(digits) > 1 and digits.startswith("0")):
        raise rejected_request()
    position = int(token)
    if not -size <= position < size:
        raise rejected_request()
    return position + size if position < 0 else position


def _add(document: Any, path: list[str], value: Any) -> Any:
    if not path:
        return value
    parent, last = _read(document, path[:-1]), path[-1]
    if isinstance(parent, dict):
        parent[last] = value
    elif isinstance(parent, list):
        parent.insert(len(parent) if last == "-" else _index(parent, last, past_end=1), value)
    else:
        raise rejected_request()
    return document


def _replace(document: Any, path: list[str], value: Any) -> Any:
    if not path:
        return value
    parent, last = _read(document, path[:-1]), path[-1]
    parent[last if isinstance(parent, dict) else _index(parent, last)] = value
    return document


def _remove(document: Any, path: list[str]) -> Any:
    if not path:
        raise rejected_request()
    parent, last = _read(document, path[:-1]), path[-1]
    _read(parent, [last])
    del parent[last if isinstance(parent, dict) else _index(parent, last)]
    return document


def _same(one: Any, other: Any) -> bool:
    """Return whether two JSON values are equal; unlike in Python, true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)
