"""GET of one object and of lists, in pages where a limit is set."""

import asyncio
import base64
import binascii
import json
from typing import Any

from aiohttp import web

from kata_lib.engines.embedded.api.query import check_list_options, number, resource_version
from kata_lib.engines.embedded.api.respond import answer_list, as_table, encoded, one, served, wants_table
from kata_lib.engines.embedded.api.target import Target
from kata_lib.engines.embedded.api.turns import in_turns
from kata_lib.engines.embedded.registry.registry import Registry
from kata_lib.engines.embedded.registry.resources import Resource
from kata_lib.engines.embedded.registry.selectors import Predicate, combined
from kata_lib.engines.embedded.registry.status import bad_request, expired, version_from_the_future
from kata_lib.engines.embedded.store import Obj

ASIDE_CHARACTERS = 4096
"""From this length on selectors are read in a thread of their own: a real server takes a megabyte of them."""


def get(request: web.Request, registry: Registry, target: Target) -> web.Response:
    """Answer with one object."""
    obj = registry.get(target.resource.key, target.namespace, target.name or "")
    return one(request, target, obj)


async def list_objects(request: web.Request, registry: Registry, target: Target) -> web.Response:
    """Answer with the list that the selectors choose, `limit` at a time."""
    objects, list_metadata = await _page(request, registry, target)
    if wants_table(request):
        return await _table(request, target, objects, list_metadata)
    head = {
        "kind": target.resource.list_kind or f"{target.resource.kind}List",
        "apiVersion": target.api_version,
        "metadata": list_metadata,
    }
    items = [encoded(served(target, obj)) async for obj in in_turns(objects)]
    return answer_list(head, "items", items)


async def _table(
    request: web.Request, target: Target, objects: list[Obj], list_metadata: Obj
) -> web.Response:
    head = as_table(request, target, [], list_metadata)
    del head["rows"]
    tables = (as_table(request, target, [obj], list_metadata, headers=False) for obj in objects)
    return answer_list(head, "rows", [encoded(table["rows"][0]) async for table in in_turns(tables)])


async def selected(request: web.Request, resource: Resource) -> Predicate:
    """Return the predicate of the request's selectors; raise StatusError 400 where one is none."""
    labels, fields = request.query.get("labelSelector"), request.query.get("fieldSelector")
    if len(labels or "") + len(fields or "") < ASIDE_CHARACTERS:
        return combined(resource, labels, fields)
    return await asyncio.to_thread(combined, resource, labels, fields)


async def chosen(registry: Registry, target: Target, chooses: Predicate) -> list[Obj]:
    """Return the objects of a collection that a predicate chooses, as of this moment."""
    objects = registry.store.each(target.resource.key, target.namespace)
    return [obj async for obj in in_turns(objects) if chooses(obj)]


async def _page(request: web.Request, registry: Registry, target: Target) -> tuple[list[Obj], Obj]:
    check_list_options(request)
    chooses = await selected(request, target.resource)
    revision = str(registry.store.revision)
    objects = await chosen(registry, target, chooses)
    if (asked := resource_version(request)) and asked > registry.store.revision:
        raise version_from_the_future(asked, registry.store.revision)
    exact = request.query.get("resourceVersionMatch") == "Exact"
    if exact and request.query.get("resourceVersion") != revision:
        raise expired("The resourceVersion for the provided list is too old.")
    if "continue" in request.query:
        revision, after = _read_token(request.query["continue"])
        objects = [obj for obj in objects if _key(obj) > after]
    number(request, "timeoutSeconds")
    limit = number(request, "limit")
    if not limit or limit < 0 or len(objects) <= limit:
        return objects, {"resourceVersion": revision}
    page = objects[:limit]
    list_metadata: Obj = {"resourceVersion": revision, "continue": _token(revision, _key(page[-1]))}
    if not request.query.get("labelSelector") and not request.query.get("fieldSelector"):
        list_metadata["remainingItemCount"] = len(objects) - limit
    return page, list_metadata


def _key(obj: Obj) -> list[str]:
    return [obj["metadata"].get("namespace", ""), obj["metadata"]["name"]]


def _token(revision: str, after: list[str]) -> str:
    return base64.urlsafe_b64encode(json.dumps([revision, *after]).encode()).decode()


def _read_token(token: str) -> tuple[str, list[str]]:
    try:
        parts: Any = json.loads(base64.urlsafe_b64decode(token))
    except (binascii.Error, ValueError) as error:
        raise bad_request(
            "invalid continue token: continue key is not valid: it is not of this server"
        ) from error
    if not isinstance(parts, list) or len(parts) != 3 or not all(isinstance(part, str) for part in parts):
        raise bad_request("invalid continue token: continue key is not valid: it is not of this server")
    return parts[0], parts[1:]
