"""POST, PUT, PATCH and DELETE: the registry asked, its answer sent."""

from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

from kata_lib.engines.embedded.api.bodies import check_applied, sent_object, sent_patch
from kata_lib.engines.embedded.api.delete_options import delete_options
from kata_lib.engines.embedded.api.query import write_options
from kata_lib.engines.embedded.api.reads import chosen, selected
from kata_lib.engines.embedded.api.respond import answer, answer_list, encoded, served, success
from kata_lib.engines.embedded.api.target import Target
from kata_lib.engines.embedded.api.turns import in_turns
from kata_lib.engines.embedded.registry.patches import APPLY_PATCH
from kata_lib.engines.embedded.registry.registry import Registry
from kata_lib.engines.embedded.registry.status import (
    StatusError,
)
from kata_lib.engines.embedded.registry.subresources import scale_of
from kata_lib.engines.embedded.store import Obj

RETURNED_WHEN_DELETED = ("pods", "serviceaccounts", "services")


async def create(request: web.Request, registry: Registry, target: Target) -> web.Response:
    """Create an object of a collection."""
    options = write_options(request)
    obj = await sent_object(request, registry.resources, target)
    with _told() as warnings:
        made = registry.create(
            target.resource.key,
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
    obj = await sent_object(request, registry.resources, target)
    with _told() as warnings:
        made = registry.update(
            target.resource.key,
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
    content_type = request.content_type
    body = await sent_patch(request)
    if content_type == APPLY_PATCH:
        check_applied(target, body)
    existed = registry.store.get(target.resource.key, target.namespace or "", target.name or "")
    with _told() as warnings:
        made = registry.patch(
            target.resource.key,
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
    arguments = await delete_options(request)
    obj = registry.delete(target.resource.key, target.namespace, target.name or "", **arguments)
    stays = registry.store.get(target.resource.key, target.namespace or "", target.name or "")
    if stays or target.resource.key in RETURNED_WHEN_DELETED:
        return answer(served(target, obj))
    return answer(success(target, obj))


async def delete_collection(request: web.Request, registry: Registry, target: Target) -> web.Response:
    """Delete every object of the collection that the selectors choose; answer with their list."""
    arguments = await delete_options(request)
    objects = await chosen(registry, target, await selected(request, target.resource))
    deleted = []
    async for obj in in_turns(objects):
        place = target.resource.key, obj["metadata"].get("namespace"), obj["metadata"]["name"]
        with _there_or_gone():
            deleted.append(encoded(served(target, registry.delete(*place, **arguments))))
    head = {
        "kind": target.resource.list_kind or f"{target.resource.kind}List",
        "apiVersion": target.api_version,
        "metadata": {"resourceVersion": str(registry.store.revision)},
    }
    return answer_list(head, "items", deleted)


@contextmanager
def _there_or_gone() -> Iterator[None]:
    """Pass over what somebody else has deleted meanwhile."""
    try:
        yield
    except StatusError as error:
        if error.code != 404:
            raise


@contextmanager
def _told() -> Iterator[list[str]]:
    """Give the list of a request's warnings, which a refusal brings as well."""
    warnings: list[str] = []
    try:
        yield warnings
    except StatusError as error:
        error.warnings = warnings
        raise


def _shown(target: Target, obj: Obj) -> Obj:
    return scale_of(target.resource, obj) if target.subresource == "scale" else served(target, obj)
