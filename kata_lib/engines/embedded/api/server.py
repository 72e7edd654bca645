"""The API server: an aiohttp application whose requests end at the registry.

Flows in: HTTPS requests with the cluster's bearer token. Flows out: what kubectl and every other client of a
Kubernetes expects, refusals as Status objects with the real server's words.
"""

import asyncio
import hmac
import logging
import socket
import ssl
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from kata_lib.engines.embedded.api import about, pod_proxy, scrape
from kata_lib.engines.embedded.api.bodies import BODY_LIMIT
from kata_lib.engines.embedded.api.logs import Logs
from kata_lib.engines.embedded.api.objects import Objects
from kata_lib.engines.embedded.api.pod_proxy import Reach
from kata_lib.engines.embedded.api.respond import refusal
from kata_lib.engines.embedded.registry.registry import Registry
from kata_lib.engines.embedded.registry.status import (
    StatusError,
    internal,
    method_not_allowed,
    no_such_path,
    unauthorized,
)
from kata_lib.engines.embedded.state import SCRAPE_TARGETS
from kata_lib.engines.embedded.store import DiskFull

logger = logging.getLogger(__name__)

OPEN_PATHS = ("/healthz", "/livez", "/readyz", "/version")
"""What a real cluster too tells anyone who asks."""

SLASH = "{slash:/?}"
"""What may end a path of discovery: the official clients write it."""

SHUTDOWN_SECONDS = 5.0
HEADER_LIMIT = 1024 * 1024
"""Bytes of a request's line, and of one header; the same as of a real API server's headers together."""

PROTOCOL: dict[str, Any] = {
    "auto_decompress": False,  # a real API server takes no compressed body
    "max_line_size": HEADER_LIMIT,
    "max_field_size": HEADER_LIMIT,
}
"""How requests are read."""


def make_app(registry: Registry, *, token: str, logs: Logs, reach: Reach) -> web.Application:
    """Return the application.

    `token` is the administrator's; `logs` reads a container's log; `reach` says where a pod has a port.
    """
    objects = Objects(registry, logs)
    app = web.Application(client_max_size=BODY_LIMIT, middlewares=[_errors_as_status, _authentication(token)])
    app.router.add_get("/version" + SLASH, about.version)
    for path in ("/healthz", "/livez", "/readyz"):
        app.router.add_get(path + "{check:(/(ping|log|etcd)?)?}", about.healthy)
    served = about.Served(registry.resources)
    app.router.add_get("/openapi/v2", served.openapi_v2)
    app.router.add_get("/openapi/v3", served.openapi_index)
    app.router.add_get("/openapi/v3/{group_version:.+}", served.openapi_document)
    app.router.add_get("/api" + SLASH, served.core_discovery)
    app.router.add_get("/apis" + SLASH, served.groups_discovery)
    app.router.add_get(SCRAPE_TARGETS, scrape.ScrapeTargets(registry).targets)
    app.router.add_get(pod_proxy.PATH, pod_proxy.handler(registry, reach))
    app.router.add_route("*", "/api/{version:v1}{rest:(/.*)?}", objects.resources)
    app.router.add_get("/apis/{group}" + SLASH, served.group)
    app.router.add_route("*", "/apis/{group}/{version}{rest:(/.*)?}", objects.resources)
    app.on_shutdown.append(objects.end_streams)
    return app


async def serve(app: web.Application, sock: socket.socket, tls: ssl.SSLContext) -> web.AppRunner:
    """Serve the application on a bound socket; the caller ends it with `cleanup()` of what is returned."""
    runner = web.AppRunner(
        app,
        access_log=None,
        handler_cancellation=True,
        shutdown_timeout=SHUTDOWN_SECONDS,
        keepalive_timeout=90,
        **PROTOCOL,
    )
    await runner.setup()
    await web.SockSite(runner, sock, ssl_context=tls).start()
    return runner


@web.middleware
async def _errors_as_status(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except StatusError as error:
        return refusal(error)
    except web.HTTPMethodNotAllowed:
        return refusal(method_not_allowed())
    except web.HTTPNotFound:
        return refusal(no_such_path())
    except (asyncio.CancelledError, ConnectionResetError):
        raise
    except DiskFull as error:
        return refusal(internal(f"{error} Free some space and try again."))
    except Exception as error:
        logger.exception("%s %s", request.method, request.path)
        return refusal(internal(f"{type(error).__name__}: {error}"))


def _authentication(token: str) -> Middleware:
    wanted = f"Bearer {token}".encode()

    @web.middleware
    async def authenticate(request: web.Request, handler: Handler) -> web.StreamResponse:
        given = request.headers.get("Authorization")
        if given is not None and not hmac.compare_digest(given.encode(errors="replace"), wanted):
            raise unauthorized()
        if given is None and not request.path.startswith(OPEN_PATHS):
            raise _anonymous(request)
        return await handler(request)

    return authenticate


def _anonymous(request: web.Request) -> StatusError:
    message = f'User "system:anonymous" cannot {request.method.lower()} path "{request.path}"'
    return StatusError(403, "Forbidden", f"forbidden: {message}", {})
