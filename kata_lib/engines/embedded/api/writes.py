"""POST, PUT, PATCH and DELETE: bodies read and checked, the registry asked, its answer sent."""

import asyncio
import json
from typing import Any

from aiohttp import web

from kata_lib.engines.embedded.api import protobuf
from kata_lib.engines.embedded.api.query import number, write_options
from kata_lib.engines.embedded.api.reads import chosen
from kata_lib.engines.embedded.api.respond import answer, served, success
from kata_lib.engines.embedded.api.target import Target
from kata_lib.engines.embedded.registry.registry import APPLY_PATCH, Registry
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

BODY_TYPES = ("application/json", "application/yaml", protobuf.CONTENT_TYPE)
RETURNED_WHEN_DELETED = ("pods", "serviceaccounts", "services")


async def read_body(request: web.Request) -> Any:
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
            raise bad_request(
                f"the object provided is unrecognized: couldn't get version/kind; json parse error: {error}"
            ) from error
    return _read_yaml(text)


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
    if content_type == APPLY_PATCH and not request.query.get("fieldManager"):
        cause = Cause("fieldManager", "FieldValueRequired", "Required value: is required for apply patch")
        raise invalid("PatchOptions", "meta.k8s.io", "", [cause])
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
        raise bad_request(f"dryRun: Unsupported value: {json.dumps(body['dryRun'])}")
    orphan = body.get("orphanDependents")
    policy = body.get("propagationPolicy") or query.get("propagationPolicy")
    grace = body.get("gracePeriodSeconds", number(request, "gracePeriodSeconds"))
    if grace is not None and (not isinstance(grace, int) or grace < 0):
        raise bad_request("gracePeriodSeconds must be a whole number that is not negative")
    return {
        "propagation": policy or ("Orphan" if orphan else "Background"),
        "grace_seconds": grace,
        "preconditions": body.get("preconditions"),
        "dry_run": "dryRun" in body or write_options(request).dry_run,
    }


async def _object(request: web.Request, target: Target) -> Obj:
    if request.content_type not in BODY_TYPES:
        raise unsupported_media_type(BODY_TYPES)
    if target.resource.unsupported and request.content_type == protobuf.CONTENT_TYPE:
        raise unsupported(target.resource, "")
    return _check_object(target, await read_body(request))


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
    if not isinstance(body, dict) or not isinstance(body.get("metadata") or {}, dict):
        raise bad_request(f"the object provided is unrecognized (must be of type {kind})")
    body.setdefault("metadata", {})
    found = body.get("apiVersion", version), body.get("kind", kind)
    if found != (version, kind):
        raise bad_request(
            f"the API version in the data ({', Kind='.join(found)}) does not match"
            f" the expected API version ({version}, Kind={kind})"
        )
    namespace = (body["metadata"] or {}).get("namespace")
    if target.namespace and namespace and namespace != target.namespace:
        raise other_namespace()
    return body


def _shown(target: Target, obj: Obj) -> Obj:
    return scale_of(obj) if target.subresource == "scale" else served(target, obj)
