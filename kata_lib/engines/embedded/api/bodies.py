"""What requests bring: bodies in JSON, YAML or protobuf, and whether they hold what is expected there."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from aiohttp import web

from kata_lib.cluster.documents import TooMany, Unreadable, read_json, read_yaml
from kata_lib.engines.embedded.api import protobuf
from kata_lib.engines.embedded.api.target import Target
from kata_lib.engines.embedded.registry.decoding_words import json_type
from kata_lib.engines.embedded.registry.metadata import MAX_IN_DEFINITION, said_name
from kata_lib.engines.embedded.registry.patches import APPLY_PATCH, JSON_PATCH, MAX_OPERATIONS
from kata_lib.engines.embedded.registry.served import Resources
from kata_lib.engines.embedded.registry.status import (
    Cause,
    StatusError,
    bad_request,
    invalid,
    other_namespace,
    timed_out,
    too_large,
    too_many_values,
    unsupported_media_type,
)
from kata_lib.engines.embedded.registry.writing import unsupported
from kata_lib.engines.embedded.store import Obj

BODY_LIMIT = 3 * 1024 * 1024
"""Bytes; the same as a real API server's."""

VALUES_LIMIT = 3 * MAX_IN_DEFINITION
"""Values in a body: an object's own and, where a client sends back what it read, its managed fields."""

BODY_SECONDS = 30.0
SHOWN_BYTES = 30
_ASIDE_BYTES: dict[Callable[[bytes, float], Any], int] = {read_json: 256 * 1024, read_yaml: 4 * 1024}
"""From this size on a body is read in a thread of its own: YAML takes five seconds a megabyte."""

_TYPE_META = (
    r'struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }'
)
YAML = "application/yaml"
BODY_TYPES = ("application/json", YAML, protobuf.CONTENT_TYPE)


async def sent_object(request: web.Request, resources: Resources, target: Target) -> Obj:
    """Return the object that a request sends; raise StatusError 400 or 415 where it is not the target's."""
    if request.content_type not in BODY_TYPES and "Content-Type" in request.headers:
        raise unsupported_media_type(BODY_TYPES)
    if target.resource.unsupported and request.content_type == protobuf.CONTENT_TYPE:
        raise unsupported(target.resource, "")
    return _check_object(resources, target, await _read(request, target.resource.kind))


async def sent_patch(request: web.Request) -> Any:
    """Return what a patch says; raise StatusError 400 where it cannot be read."""
    raw = await _received(request)
    most = 5 * MAX_OPERATIONS if request.content_type == JSON_PATCH else VALUES_LIMIT
    try:
        if request.content_type != APPLY_PATCH:
            return await _aside(read_json, raw, most)
        return await _aside(read_yaml, raw)
    except TooMany:
        raise too_many_values(most) from None
    except Unreadable as error:
        form = "YAML" if request.content_type == APPLY_PATCH else "patch"
        raise bad_request(f"error decoding {form}: {error}") from error


async def sent_options(request: web.Request, kind: str) -> Obj:
    """Return the options or the review that a request sends, {} for none; raise StatusError 400."""
    if not (await _received(request)).strip():
        return {}
    options = await _read(request, kind)
    options = {} if options is None else options
    if not isinstance(options, dict):
        raise bad_request(f"the object provided is unrecognized (must be of type {kind})")
    return options


async def _received(request: web.Request) -> bytes:
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await request.read()
    except TimeoutError:
        raise timed_out(f"the body of the request did not come within {BODY_SECONDS:g} s") from None
    except web.HTTPRequestEntityTooLarge:
        raise too_large(BODY_LIMIT) from None


async def _read(request: web.Request, kind: str) -> Any:
    """Return what a body says in JSON, YAML or protobuf; raise StatusError 400 with its first bytes."""
    raw = await _received(request)
    if request.content_type == protobuf.CONTENT_TYPE:
        return protobuf.decode(raw)
    is_yaml = request.content_type == YAML
    try:
        return await _aside(read_yaml if is_yaml else read_json, raw)
    except TooMany:
        raise too_many_values(VALUES_LIMIT) from None
    except Unreadable as error:
        why = str(error).removeprefix("error converting YAML to JSON: ")
        if not is_yaml:
            why = f"couldn't get version/kind; json parse error: {why}"
        raise bad_request(
            f"the object provided is unrecognized (must be of type {kind}): {why} ({_beginning(raw)})"
        ) from error


async def _aside(read: Callable[[bytes, float], Any], raw: bytes, most: int = VALUES_LIMIT) -> Any:
    """Read a body so that others need not wait for it."""
    if len(raw) < _ASIDE_BYTES[read]:
        return read(raw, most)
    return await asyncio.to_thread(read, raw, most)


def _beginning(raw: bytes) -> str:
    """Return how a refusal shows a body: JSON as it is, all else as its bytes."""
    if not raw:
        return "<empty>"
    begins = raw[:SHOWN_BYTES]
    shown = begins.decode(errors="replace") if raw.startswith(b"{") else begins.hex()
    return f"{shown} ..." if len(raw) > SHOWN_BYTES else shown


def check_applied(target: Target, body: Any) -> None:
    """Raise 400 unless what is applied says itself that it is of the target's kind and version."""
    body = {} if body is None else body
    if not isinstance(body, dict):
        raise bad_request(
            "error decoding YAML: error unmarshaling JSON: while decoding JSON:"
            f" json: cannot unmarshal {json_type(body)} into Go value of type map[string]interface {{}}"
        )
    version, kind = body.get("apiVersion", ""), body.get("kind", "")
    if (version, kind) != (target.api_version, target.resource.kind):
        spoken = version if "/" in version else f"/{version}"
        raise bad_request(f"invalid object type: {spoken}, Kind={kind}")
    if not isinstance(body.get("metadata"), dict):
        raise bad_request(f"the object provided is unrecognized (must be of type {target.resource.kind})")
    if body["metadata"].get("namespace") not in (None, "", target.namespace):
        raise other_namespace()


def _check_object(resources: Resources, target: Target, body: Any) -> Obj:
    """Return the body if it is an object of the target's kind, version and namespace; else raise 400."""
    scale = target.subresource == "scale"
    kind = "Scale" if scale else target.resource.kind
    version = "autoscaling/v1" if scale else target.api_version
    body = {} if body is None else body
    if not isinstance(body, dict):
        raise _unrecognized(kind, f"{json_type(body)} into Go value of type {_TYPE_META}")
    for field in ("apiVersion", "kind"):
        if not isinstance(body.get(field, ""), str | None):
            raise _unrecognized(
                kind, f"{json_type(body[field])} into Go struct field .{field} of type string"
            )
    found = body.get("apiVersion", version), body.get("kind", kind)
    if found != (version, kind):
        if target.resource.custom and found[0] == version:
            why = f"Invalid value: {json.dumps(found[1])}: must be {kind}"
            causes = [Cause("kind", "FieldValueInvalid", why)]
            raise invalid(str(found[1]), target.resource.group, said_name(body), causes)
        is_known = resources.of_kind(*map(str, found)) is not None
        raise _wrong_kind(*found, version, kind, is_known=is_known)
    body.setdefault("metadata", {})
    if not isinstance(body["metadata"], dict):
        return body  # which its decoding refuses
    namespace = body["metadata"].get("namespace")
    if target.namespace and namespace and namespace != target.namespace:
        raise other_namespace()
    return body


def _unrecognized(kind: str, why: str) -> StatusError:
    return bad_request(
        f"the object provided is unrecognized (must be of type {kind}):"
        f" couldn't get version/kind; json parse error: json: cannot unmarshal {why}"
    )


def _wrong_kind(
    found_version: str, found_kind: str, version: str, kind: str, *, is_known: bool
) -> StatusError:
    """Return the refusal of an object of one kind and version where another is expected."""
    spoken = found_version.rpartition("/")[2]
    group = version.rpartition("/")[0].partition(".")[0] or "core"
    prefix = f'{found_kind} in version "{spoken}" cannot be handled as a {kind}'
    if found_kind == kind and found_version.rpartition("/")[0] == version.rpartition("/")[0] != "":
        return bad_request(
            f"the API version in the data ({found_version}) does not match"
            f" the expected API version ({version})"
        )
    if is_known:
        return bad_request(
            f"{prefix}: converting ({spoken}.{found_kind}) to ({group}.{kind}): unknown conversion"
        )
    return bad_request(
        f'{prefix}: no kind "{found_kind}" is registered for version "{found_version}"'
        ' in scheme "pkg/runtime/scheme.go:111"'
    )
