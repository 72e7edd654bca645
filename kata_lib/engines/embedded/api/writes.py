"""POST, PUT, PATCH and DELETE: bodies read and checked, the registry asked, its answer sent."""

import asyncio
import json
from typing import Any

from aiohttp import web

from kata_lib.engines.embedded.api import protobuf
from kata_lib.engines.embedded.api.query import write_options
from kata_lib.engines.embedded.api.reads import chosen
from kata_lib.engines.embedded.api.respond import answer, served, success
from kata_lib.engines.embedded.api.target import Target
from kata_lib.engines.embedded.registry.deletion import PROPAGATIONS
from kata_lib.engines.embedded.registry.registry import APPLY_PATCH, Registry
from kata_lib.engines.embedded.registry.resources import of_kind
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
from kata_lib.engines.embedded.registry.subresources import scale_of
from kata_lib.engines.embedded.registry.writing import unsupported
from kata_lib.engines.embedded.store import Obj

BODY_LIMIT = 3 * 1024 * 1024
"""Bytes; the same as a real API server's."""

BODY_SECONDS = 30.0
SHOWN_BYTES = 30

BODY_TYPES = ("application/json", "application/yaml", protobuf.CONTENT_TYPE)
RETURNED_WHEN_DELETED = ("pods", "serviceaccounts", "services")


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


async def create(request: web.Request, registry: Registry, target: Target) -> web.Response:
    """Create an object of a collection."""
    options = write_options(request)
    warnings: list[str] = []
    obj = await _object(request, target)
    made = registry.create(
        target.resource.plural,
        target.namespace,
        obj,
        manager=options.manager,
        version=target.version,
        field_validation=options.field_validation,
        warnings=warnings,
        dry_run=options.dry_run,
    )
    return answer(served(target, made), status=201, warnings=warnings)


async def update(request: web.Request, registry: Registry, target: Target) -> web.Response:
    """Replace an object or what its subresource shows of it."""
    options = write_options(request)
    warnings: list[str] = []
    obj = await _object(request, target)
    made = registry.update(
        target.resource.plural,
        target.namespace,
        target.name or "",
        obj,
        manager=options.manager,
        subresource=target.subresource,
        version=target.version,
        field_validation=options.field_validation,
        warnings=warnings,
        dry_run=options.dry_run,
    )
    return answer(_shown(target, made), warnings=warnings)


async def patch(request: web.Request, registry: Registry, target: Target) -> web.Response:
    """Patch an object or what its subresource shows of it; an apply patch may create it."""
    options = write_options(request)
    warnings: list[str] = []
    content_type = request.content_type
    body = await read_body(request)
    if content_type == APPLY_PATCH:
        _check_applied(target, body)
    existed = registry.store.get(target.resource.plural, target.namespace or "", target.name or "")
    made = registry.patch(
        target.resource.plural,
        target.namespace,
        target.name or "",
        body,
        content_type,
        manager=options.manager,
        force=options.force,
        subresource=target.subresource,
        version=target.version,
        field_validation=options.field_validation,
        warnings=warnings,
        dry_run=options.dry_run,
    )
    return answer(_shown(target, made), status=200 if existed else 201, warnings=warnings)


async def delete(request: web.Request, registry: Registry, target: Target) -> web.Response:
    """Delete one object: answer with it where it is still held, else with a Status."""
    arguments = await _delete_arguments(request)
    obj = registry.delete(target.resource.plural, target.namespace, target.name or "", **arguments)
    stays = registry.store.get(target.resource.plural, target.namespace or "", target.name or "")
    if stays or target.resource.plural in RETURNED_WHEN_DELETED:
        return answer(served(target, obj))
    return answer(success(target, obj))


async def delete_collection(request: web.Request, registry: Registry, target: Target) -> web.Response:
    """Delete every object of the collection that the selectors choose; answer with their list."""
    arguments = await _delete_arguments(request)
    deleted = [
        registry.delete(
            target.resource.plural, obj["metadata"].get("namespace"), obj["metadata"]["name"], **arguments
        )
        for obj in chosen(request, registry, target)
    ]
    return answer(
        {
            "kind": f"{target.resource.kind}List",
            "apiVersion": target.api_version,
            "metadata": {"resourceVersion": str(registry.store.revision)},
            "items": [served(target, obj) for obj in deleted],
        }
    )


async def _delete_arguments(request: web.Request) -> dict[str, Any]:
    body = await read_body(request) or {}
    if not isinstance(body, dict):
        raise bad_request("the body of a deletion must be a DeleteOptions object")
    query = request.query
    if body.get("dryRun", ["All"]) != ["All"]:
        raise _unsupported_option("dryRun", body["dryRun"], "All")
    orphan = body.get("orphanDependents")
    policy = body.get("propagationPolicy") or query.get("propagationPolicy")
    if policy not in (None, *PROPAGATIONS):
        raise _unsupported_option("propagationPolicy", policy, *PROPAGATIONS, "nil")
    grace = body.get("gracePeriodSeconds", query.get("gracePeriodSeconds"))
    try:
        grace = grace if grace is None else int(grace)
    except (TypeError, ValueError):
        raise bad_request(
            f"gracePeriodSeconds: Invalid value: {json.dumps(grace)}: no whole number"
        ) from None
    return {
        "propagation": policy or ("Orphan" if orphan else "Background"),
        "grace_seconds": grace,
        "preconditions": body.get("preconditions"),
        "dry_run": "dryRun" in body or write_options(request).dry_run,
    }


def _unsupported_option(name: str, value: Any, *supported: str) -> StatusError:
    why = f"Unsupported value: {json.dumps(value)}: supported values: {', '.join(map(json.dumps, supported))}"
    return invalid("DeleteOptions", "meta.k8s.io", "", [Cause(name, "FieldValueNotSupported", why)])


async def _object(request: web.Request, target: Target) -> Obj:
    if request.content_type not in BODY_TYPES and "Content-Type" in request.headers:
        raise unsupported_media_type(BODY_TYPES)
    if target.resource.unsupported and request.content_type == protobuf.CONTENT_TYPE:
        raise unsupported(target.resource, "")
    return _check_object(target, await read_body(request, target.resource.kind))


def _check_applied(target: Target, body: Any) -> None:
    """Raise 400 unless what is applied says itself that it is of the target's kind and version."""
    if not isinstance(body, dict) or not isinstance(body.get("metadata"), dict):
        raise bad_request(f"the object provided is unrecognized (must be of type {target.resource.kind})")
    version, kind = body.get("apiVersion", ""), body.get("kind", "")
    if (version, kind) != (target.api_version, target.resource.kind):
        spoken = version if "/" in version else f"/{version}"
        raise bad_request(f"invalid object type: {spoken}, Kind={kind}")
    if body["metadata"].get("namespace") not in (None, "", target.namespace):
        raise other_namespace()


def _check_object(target: Target, body: Any) -> Obj:
    """Return the body if it is an object of the target's kind, version and namespace; else raise 400."""
    scale = target.subresource == "scale"
    kind = "Scale" if scale else target.resource.kind
    version = "autoscaling/v1" if scale else target.api_version
    if not isinstance(body, dict):
        raise bad_request(f"the object provided is unrecognized (must be of type {kind})")
    found = body.get("apiVersion", version), body.get("kind", kind)
    if found != (version, kind):
        raise _wrong_kind(*found, version, kind)
    body.setdefault("metadata", {})
    if not isinstance(body["metadata"], dict):
        return body  # which its decoding refuses
    namespace = body["metadata"].get("namespace")
    if target.namespace and namespace and namespace != target.namespace:
        raise other_namespace()
    return body


def _wrong_kind(found_version: str, found_kind: str, version: str, kind: str) -> StatusError:
    """Return the refusal of an object of one kind and version where another is expected."""
    spoken = found_version.rpartition("/")[2]
    group = version.rpartition("/")[0].partition(".")[0] or "core"
    prefix = f'{found_kind} in version "{spoken}" cannot be handled as a {kind}'
    if found_kind == kind and found_version.rpartition("/")[0] == version.rpartition("/")[0] != "":
        return bad_request(
            f"the API version in the data ({found_version}) does not match"
            f" the expected API version ({version})"
        )
    if of_kind(found_version, found_kind):
        return bad_request(
            f"{prefix}: converting ({spoken}.{found_kind}) to ({group}.{kind}): unknown conversion"
        )
    return bad_request(
        f'{prefix}: no kind "{found_kind}" is registered for version "{found_version}"'
        ' in scheme "pkg/runtime/scheme.go:110"'
    )


def _shown(target: Target, obj: Obj) -> Obj:
    return scale_of(obj) if target.subresource == "scale" else served(target, obj)
