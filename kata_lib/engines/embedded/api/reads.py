"""GET of one object and of lists, in pages where a limit is set."""

import base64
import binascii
import json
from typing import Any

from aiohttp import web

from kata_lib.engines.embedded.api.query import number, resource_version
from kata_lib.engines.embedded.api.respond import answer, as_table, one, served, wants_table
from kata_lib.engines.embedded.api.target import Target
from kata_lib.engines.embedded.registry.registry import Registry
from kata_lib.engines.embedded.registry.status import bad_request, expired
from kata_lib.engines.embedded.store import Obj


def get(request: web.Request, registry: Registry, target: Target) -> web.Response:
    """Answer with one object."""
    obj = registry.get(target.resource.key, target.namespace, target.name or "")
    return one(request, target, obj)


def list_objects(request: web.Request, registry: Registry, target: Target) -> web.Response:
    """Answer with the list that the selectors choose, `limit` at a time."""
    objects, list_metadata = _page(request, registry, target)
    if wants_table(request):
        return answer(as_table(request, target, objects, list_metadata))
    return answer(
        {
            "kind": target.resource.list_kind or f"{target.resource.kind}List",
            "apiVersion": target.api_version,
            "metadata": list_metadata,
            "items": [served(target, obj) for obj in objects],
        }
    )


def chosen(request: web.Request, registry: Registry, target: Target) -> list[Obj]:
    """Return the objects of a collection that the request's selectors choose."""
    query = request.query
    return registry.list(
        target.resource.key,
        target.namespace,
        labels=query.get("labelSelector"),
        fields=query.get("fieldSelector"),
    )


def _page(request: web.Request, registry: Registry, target: Target) -> tuple[list[Obj], Obj]:
    objects, revision = chosen(request, registry, target), str(registry.store.revision)
    resource_version(request)
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
