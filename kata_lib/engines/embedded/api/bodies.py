"""What requests bring: bodies in JSON, YAML or protobuf, and whether they hold what is expected there."""

import asyncio
import json
from typing import Any

from aiohttp import web

from kata_lib.engines.embedded.api import protobuf
from kata_lib.engines.embedded.api.target import Target
from kata_lib.engines.embedded.registry.served import Resources
from kata_lib.engines.embedded.registry.status import (
    Cause,
    StatusError,
    bad_request,
    invalid,
    other_namespace,
    timed_out,
    too_large,
    unsupported_media_type,
)
from kata_lib.engines.embedded.registry.writing import unsupported
from kata_lib.engines.embedded.store import Obj

BODY_LIMIT = 3 * 1024 * 1024
"""Bytes; the same as a real API server's."""

BODY_SECONDS = 30.0
SHOWN_BYTES = 30

BODY_TYPES = ("application/json", "application/yaml", protobuf.CONTENT_TYPE)


async def read_body(request: web.Request, kind: str = "") -> Any:
    """Return what a request's body says in JSON, YAML or protobuf, None where there is none."""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            raw = await request.read()
        if request.content_type == protobuf.CONTENT_TYPE:
            return protobuf.decode(raw)
        text = raw.decode(request.charset or "utf-8")
    except TimeoutError:
        raise timed_out(f"the body of the request did not come within {BODY_SECONDS:g} s") from None
    except web.HTTPRequestEntityTooLarge:
        raise too_large(BODY_LIMIT) from None
    except (UnicodeDecodeError, LookupError):
        raise bad_request("the body of the request is not text") from None
    if not text.strip():
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        if "yaml" not in request.content_type:
            raise _not_json(text, error, kind) from error
    return _read_yaml(text)


def _not_json(text: str, error: Exception, kind: str) -> StatusError:
    """Return the refusal of a body that is no JSON, with the bytes with which it begins."""
    position = error.pos if isinstance(error, json.JSONDecodeError) else len(text)
    why = "unexpected end of JSON input"
    if position < len(text):
        why = f"invalid character {text[position]!r} looking for beginning of value"
    begins = text.encode()[:SHOWN_BYTES].hex()
    return bad_request(
        f"the object provided is unrecognized{f' (must be of type {kind})' if kind else ''}:"
        f" couldn't get version/kind; json parse error: {why} ({begins} ...)"
    )


def _read_yaml(text: str) -> Any:
    import yaml  # only server-side apply by other clients than kubectl sends it

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise bad_request(f"error decoding YAML: {error}") from error


async def sent_object(request: web.Request, resources: Resources, target: Target) -> Obj:
    """Return the object that a request sends; raise StatusError 400 or 415 where it is not the target's."""
    if request.content_type not in BODY_TYPES and "Content-Type" in request.headers:
        raise unsupported_media_type(BODY_TYPES)
    if target.resource.unsupported and request.content_type == protobuf.CONTENT_TYPE:
        raise unsupported(target.resource, "")
    return _check_object(resources, target, await read_body(request, target.resource.kind))


def check_applied(target: Target, body: Any) -> None:
    """Raise 400 unless what is applied says itself that it is of the target's kind and version."""
    if not isinstance(body, dict) or not isinstance(body.get("metadata"), dict):
        raise bad_request(f"the object provided is unrecognized (must be of type {target.resource.kind})")
    version, kind = body.get("apiVersion", ""), body.get("kind", "")
    if (version, kind) != (target.api_version, target.resource.kind):
        spoken = version if "/" in version else f"/{version}"
        raise bad_request(f"invalid object type: {spoken}, Kind={kind}")
    if body["metadata"].get("namespace") not in (None, "", target.namespace):
        raise other_namespace()


def _check_object(resources: Resources, target: Target, body: Any) -> Obj:
    """Return the body if it is an object of the target's kind, version and namespace; else raise 400."""
    scale = target.subresource == "scale"
    kind = "Scale" if scale else target.resource.kind
    version = "autoscaling/v1" if scale else target.api_version
    if not isinstance(body, dict):
        raise bad_request(f"the object provided is unrecognized (must be of type {kind})")
    found = body.get("apiVersion", version), body.get("kind", kind)
    if found != (version, kind):
        if target.resource.custom and found[0] == version:
            why = f"Invalid value: {json.dumps(found[1])}: must be {kind}"
            name = (body.get("metadata") or {}).get("name", "")
            raise invalid(
                str(found[1]), target.resource.group, name, [Cause("kind", "FieldValueInvalid", why)]
            )
        is_known = resources.of_kind(*map(str, found)) is not None
        raise _wrong_kind(*found, version, kind, is_known=is_known)
    body.setdefault("metadata", {})
    if not isinstance(body["metadata"], dict):
        return body  # which its decoding refuses
    namespace = body["metadata"].get("namespace")
    if target.namespace and namespace and namespace != target.namespace:
        raise other_namespace()
    return body


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
        ' in scheme "pkg/runtime/scheme.go:110"'
    )
