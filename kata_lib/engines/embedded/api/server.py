"""The API server: an aiohttp application whose requests end at the registry.

Flows in: HTTPS requests with the cluster's bearer token. Flows out: what kubectl and every other client of a
Kubernetes 1.34 expects, refusals as Status objects with the real server's words.
"""

import asyncio
import hmac
import logging
import socket
import ssl

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from kata_lib.engines.embedded.api import discovery, reads, writes
from kata_lib.engines.embedded.api.logs import Logs, stream_log
from kata_lib.engines.embedded.api.query import flag
from kata_lib.engines.embedded.api.respond import answer, refusal
from kata_lib.engines.embedded.api.reviews import REVIEWS, review
from kata_lib.engines.embedded.api.target import Target, parse
from kata_lib.engines.embedded.api.watch import Watch
from kata_lib.engines.embedded.registry import openapi
from kata_lib.engines.embedded.registry.custom_resources import ensure_definitions
from kata_lib.engines.embedded.registry.registry import Registry
from kata_lib.engines.embedded.registry.status import (
    StatusError,
    bad_request,
    internal,
    method_not_allowed,
    no_such_path,
    unauthorized,
)
from kata_lib.engines.embedded.registry.subresources import scale_of

logger = logging.getLogger(__name__)

OPEN_PATHS = ("/healthz", "/livez", "/readyz", "/version")
"""What a real cluster too tells anyone who asks."""

SHUTDOWN_SECONDS = 5.0

VERSION = {
    "major": "1",
    "minor": "34",
    "gitVersion": "v1.34.0",
    "gitCommit": "",
    "gitTreeState": "clean",
    "buildDate": "2025-08-27T00:00:00Z",
    "goVersion": "none",
    "compiler": "none",
    "platform": "embedded/python",
}

OPENAPI_V2_PROTOBUF_TYPE = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
OPENAPI_V2_PROTOBUF = b"\x0a\x032.0"
"""A Document message that holds nothing but the version of its format."""

LOOK_INSIDE = "a container is a process of this machine: look at it with the machine's own tools"
REACH = "pods, services and node ports are on this machine: kata url NAME says where"

NOT_OFFERED = {
    "attach": "kubectl logs -f shows what the container writes",
    "ephemeralcontainers": LOOK_INSIDE,
    "exec": LOOK_INSIDE,
    "portforward": REACH,
    "proxy": REACH,
    "eviction": "kubectl delete pod has the same effect",
}


def make_app(registry: Registry, *, token: str, logs: Logs) -> web.Application:
    """Return the application; `token` is the administrator's, `logs` reads a container's log."""
    ensure_definitions(registry)
    server = Server(registry, logs)
    app = web.Application(
        client_max_size=writes.BODY_LIMIT, middlewares=[_errors_as_status, _authentication(token)]
    )
    app.router.add_get("/version", server.version)
    for path in ("/healthz", "/livez", "/readyz"):
        app.router.add_get(path + "{check:.*}", server.healthy)
    app.router.add_get("/openapi/v2", server.openapi_v2)
    app.router.add_get("/openapi/v3", server.openapi_index)
    app.router.add_get("/openapi/v3/{group_version:.+}", server.openapi_document)
    app.router.add_get("/api", server.core_discovery)
    app.router.add_get("/apis", server.groups_discovery)
    app.router.add_route("*", "/api/{version:v1}{rest:(/.*)?}", server.resources)
    app.router.add_get("/apis/{group}", server.group)
    app.router.add_route("*", "/apis/{group}/{version}{rest:(/.*)?}", server.resources)
    app.on_shutdown.append(server.end_watches)
    return app


async def serve(app: web.Application, sock: socket.socket, tls: ssl.SSLContext) -> web.AppRunner:
    """Serve the application on a bound socket; the caller ends it with `cleanup()` of what is returned."""
    runner = web.AppRunner(
        app,
        access_log=None,
        handler_cancellation=True,
        shutdown_timeout=SHUTDOWN_SECONDS,
        keepalive_timeout=90,
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


class Server:
    """The handlers, over one registry."""

    def __init__(self, registry: Registry, logs: Logs) -> None:
        self._registry = registry
        self._logs = logs
        self._watches: set[Watch] = set()

    async def version(self, request: web.Request) -> web.Response:
        """Answer which Kubernetes this stands for."""
        return answer(VERSION)

    async def healthy(self, request: web.Request) -> web.Response:
        """Answer that the server serves."""
        return web.Response(text="ok")

    async def openapi_v2(self, request: web.Request) -> web.Response:
        """Answer with a document without schemas: kubectl asks for it when version 3 does not know a kind."""
        if "protobuf" in request.headers.get("Accept", ""):
            return web.Response(body=OPENAPI_V2_PROTOBUF, content_type=OPENAPI_V2_PROTOBUF_TYPE)
        info = {"title": "Kubernetes", "version": VERSION["gitVersion"]}
        return answer({"swagger": "2.0", "info": info, "paths": {}, "definitions": {}})

    async def openapi_index(self, request: web.Request) -> web.Response:
        """Answer where each group's OpenAPI document is."""
        return answer(openapi.openapi_v3_index())

    async def openapi_document(self, request: web.Request) -> web.Response:
        """Answer with one group's OpenAPI document."""
        name = request.match_info["group_version"]
        if f"{name}" not in openapi.openapi_v3_index()["paths"]:
            raise no_such_path()
        group_version = name.removeprefix("apis/").removeprefix("api/")
        return web.Response(body=openapi.openapi_v3(group_version), content_type="application/json")

    async def core_discovery(self, request: web.Request) -> web.Response:
        """Answer what the core group serves."""
        if discovery.wants_aggregated(request.headers.get("Accept", "")):
            return _aggregated(core=True)
        return answer(discovery.core_versions(request.host))

    async def groups_discovery(self, request: web.Request) -> web.Response:
        """Answer what the named groups serve."""
        if discovery.wants_aggregated(request.headers.get("Accept", "")):
            return _aggregated(core=False)
        return answer(discovery.group_list())

    async def group(self, request: web.Request) -> web.Response:
        """Answer which versions one group has."""
        return answer(discovery.group(request.match_info["group"]))

    async def resources(self, request: web.Request) -> web.StreamResponse:
        """Answer everything about objects, by method and target."""
        match = request.match_info
        group, version, rest = match.get("group", ""), match["version"], match["rest"].strip("/")
        if request.method == "POST" and f"{group}/{version}/{rest}" in REVIEWS:
            body = await writes.read_body(request)
            return answer(review(f"{group}/{version}/{rest}", body), status=201)
        if not rest:
            return answer(discovery.resource_list(group, version))
        target = parse(group, version, rest)
        if target.subresource:
            return await self._subresource(request, target)
        if target.name:
            return await self._object(request, target)
        return await self._collection(request, target)

    async def _collection(self, request: web.Request, target: Target) -> web.StreamResponse:
        match request.method:
            case "GET" if flag(request, "watch"):
                return await self._watch(request, target)
            case "GET":
                return reads.list_objects(request, self._registry, target)
            case "POST" if _allows(target, "create"):
                return await writes.create(request, self._registry, target)
            case "DELETE" if _allows(target, "deletecollection"):
                return await writes.delete_collection(request, self._registry, target)
        raise method_not_allowed(target.resource)

    async def _object(self, request: web.Request, target: Target) -> web.StreamResponse:
        match request.method:
            case "GET":
                return reads.get(request, self._registry, target)
            case "PUT" if _allows(target, "update"):
                return await writes.update(request, self._registry, target)
            case "PATCH" if _allows(target, "patch"):
                return await writes.patch(request, self._registry, target)
            case "DELETE" if _allows(target, "delete"):
                return await writes.delete(request, self._registry, target)
        raise method_not_allowed(target.resource)

    async def _subresource(self, request: web.Request, target: Target) -> web.StreamResponse:
        name = target.subresource
        if name in NOT_OFFERED:
            raise bad_request(f"the embedded engine has no {name}; {NOT_OFFERED[name]}")
        if name not in target.resource.subresources:
            raise no_such_path()
        match request.method:
            case "GET" if name == "log":
                return await stream_log(request, self._registry, target, self._logs)
            case "GET" if name == "scale":
                obj = self._registry.get(target.resource.plural, target.namespace, target.name or "")
                return answer(scale_of(obj))
            case "GET" if name == "status":
                return reads.get(request, self._registry, target)
            case "PUT" if name != "log":
                return await writes.update(request, self._registry, target)
            case "PATCH" if name in ("scale", "status"):
                return await writes.patch(request, self._registry, target)
        raise method_not_allowed(target.resource)

    async def _watch(self, request: web.Request, target: Target) -> web.StreamResponse:
        watch = Watch(request, self._registry, target)
        self._watches.add(watch)
        try:
            return await watch.stream()
        finally:
            watch.close()
            self._watches.discard(watch)

    async def end_watches(self, app: web.Application) -> None:
        """End every stream, so that the server can stop."""
        for watch in self._watches:
            watch.end()


def _allows(target: Target, verb: str) -> bool:
    return verb in target.resource.verbs


def _aggregated(*, core: bool) -> web.Response:
    response = answer(discovery.aggregated(core=core))
    response.headers["Content-Type"] = discovery.AGGREGATED
    return response
