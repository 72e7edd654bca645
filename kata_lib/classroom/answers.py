"""What a request brings and gets: bodies that are read, refusals that say why, headers of every answer."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import msgspec
from aiohttp import web

PAGES = Path(__file__).parent / "page"
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_KINDS: dict[int, type[web.HTTPException]] = {
    400: web.HTTPBadRequest,
    401: web.HTTPUnauthorized,
    403: web.HTTPForbidden,
    404: web.HTTPNotFound,
    429: web.HTTPTooManyRequests,
    502: web.HTTPBadGateway,
}

Body = TypeVar("Body")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def read(request: web.Request, type_: type[Body]) -> Body:
    """Return a request's body; 400 says what is wrong with it."""
    try:
        return msgspec.json.decode(await request.read(), type=type_)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise refused(400, f"This cannot be read: {error}.") from error


def of(content: object) -> web.Response:
    """Return an answer in JSON."""
    return web.Response(body=msgspec.json.encode(content), content_type="application/json")


def page(name: str) -> web.FileResponse:
    """Return one of the board's pages."""
    return web.FileResponse(PAGES / f"{name}.html")


def refused(code: int, why: str) -> web.HTTPException:
    """Return the answer that refuses a request, as JSON."""
    return _KINDS[code](text=msgspec.json.encode({"error": why}).decode(), content_type="application/json")


@web.middleware
async def with_headers(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give every answer its headers, and refuse what another site has a browser write."""
    try:
        if request.method not in ("GET", "HEAD") and _is_from_elsewhere(request):
            raise refused(403, "Another site asked for this.")
        answer = await handler(request)
    except web.HTTPException as error:
        _head(error)
        raise
    if not answer.prepared:
        _head(answer)
    return answer


def _is_from_elsewhere(request: web.Request) -> bool:
    """Return whether a browser says that another site's page made the request: https://www.w3.org/TR/fetch-metadata."""
    return request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none")


def _head(answer: web.StreamResponse) -> None:
    for name, value in HEADERS.items():
        answer.headers.setdefault(name, value)
