"""Answers: JSON, Tables where the client asks for one, Status objects, and warnings in the header."""

import asyncio
import json
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from kata_lib.engines.embedded.api.tables import table
from kata_lib.engines.embedded.api.target import Target
from kata_lib.engines.embedded.registry.status import StatusError, bad_request
from kata_lib.engines.embedded.store import Obj

JSON = "application/json"
SEND_SECONDS = 30.0
INCLUDED = ("", "Metadata", "Object", "None")


def encoded(value: Any) -> bytes:
    """Return a value as compact JSON."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def answer(value: Any, *, status: int = 200, warnings: Sequence[str] = ()) -> web.Response:
    """Return a JSON response, with one Warning header for each warning."""
    response = web.Response(body=encoded(value), status=status, content_type=JSON)
    for warning in warnings:
        if not any(map(_is_control, warning)):  # which no header may have: the real server leaves it out, too
            response.headers.add("Warning", _header(warning))
    return response


def answer_list(head: Obj, name: str, parts: Iterable[bytes]) -> web.Response:
    """Return a JSON response with a list whose elements are encoded already, after the fields of its head."""
    begins = encoded(head).removesuffix(b"}")
    return web.Response(body=b'%s,"%s":[%s]}' % (begins, name.encode(), b",".join(parts)), content_type=JSON)


def _is_control(character: str) -> bool:
    return unicodedata.category(character) == "Cc"


def warned(response: web.StreamResponse, target: Target) -> web.StreamResponse:
    """Return the response with the warning of its version, if it has one, before all others."""
    if target.resource.deprecation and not response.prepared:
        others = response.headers.popall("Warning", [])
        for warning in (_header(target.resource.deprecation), *others):
            response.headers.add("Warning", warning)
    return response


def _header(warning: str) -> str:
    text = warning.replace("\\", "\\\\").replace('"', '\\"')
    return f'299 - "{text}"'


async def send(response: web.StreamResponse, piece: bytes) -> None:
    """Send a piece of a stream; raise ConnectionResetError if the client does not take it in time."""
    try:
        async with asyncio.timeout(SEND_SECONDS):
            await response.write(piece)
    except TimeoutError:
        raise ConnectionResetError("the client does not read") from None


def refusal(error: StatusError) -> web.Response:
    """Return the response of a request that is refused."""
    return answer(error.body(), status=error.code, warnings=error.warnings)


def wants_table(request: web.Request) -> bool:
    """Return whether the client asks for a Table before anything else that is served."""
    for accepted in request.headers.get("Accept", "").split(","):
        parts = {part.strip() for part in accepted.split(";")}
        if JSON in parts:
            return {"as=Table", "g=meta.k8s.io", "v=v1"} <= parts
    return False


def served(target: Target, obj: Obj) -> Obj:
    """Return the object under the apiVersion that the client asked for."""
    if target.version == target.resource.version and not target.resource.defined:
        return obj
    return {**target.coerce(obj), "apiVersion": target.api_version}


def as_table(
    request: web.Request, target: Target, objects: Iterable[Obj], list_metadata: Obj, *, headers: bool = True
) -> Obj:
    """Return objects as the Table that the request describes; raise StatusError 400 for what is none."""
    include = request.query.get("includeObject", "Metadata")
    if include not in INCLUDED:
        why = f"Invalid value: {json.dumps(include)}: must be 'Metadata', 'Object', 'None', or empty"
        raise bad_request(f"Unable to convert to Table as requested: includeObject: {why}")
    return table(
        target.resource,
        (served(target, obj) for obj in objects),
        list_metadata,
        now=datetime.now(UTC),
        include_object=include,
        headers=headers,
    )


def one(request: web.Request, target: Target, obj: Obj) -> web.Response:
    """Return the response that carries one object."""
    if wants_table(request):
        list_metadata = {"resourceVersion": obj["metadata"]["resourceVersion"]}
        return answer(as_table(request, target, [obj], list_metadata))
    return answer(served(target, obj))


def success(target: Target, obj: Obj) -> Obj:
    """Return the Status of a deletion that is done."""
    group = {"group": target.resource.group} if target.resource.group else {}
    metadata = obj["metadata"]
    details = {"name": metadata["name"], **group, "kind": target.resource.plural, "uid": metadata["uid"]}
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
