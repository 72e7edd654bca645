"""The pods' subresource proxy, for GET: what a pod answers on a port, through the API server.

    GET /api/v1/namespaces/NAMESPACE/pods/POD:PORT/proxy/PATH

So a client that knows only the API reaches a pod's metrics port wherever the engine has put it.
"""

from collections.abc import Awaitable, Callable

import aiohttp
from aiohttp import web

from kata_lib.engines.embedded.registry.registry import Registry
from kata_lib.engines.embedded.registry.status import StatusError

PATH = "/api/v1/namespaces/{namespace}/pods/{pod}:{port:[0-9]+}/proxy/{path:.*}"

Reach = Callable[[str, int], tuple[str, int]]
"""Where a pod, by its uid, listens for a port: the address plan's listen_at."""

LIMIT = aiohttp.ClientTimeout(total=10)


def handler(registry: Registry, reach: Reach) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Return the handler of PATH; a pod that does not answer is a StatusError 503, as on a real server."""

    async def ask(request: web.Request) -> web.Response:
        match = request.match_info
        pod = registry.get("pods", match["namespace"], match["pod"])
        host, port = reach(pod["metadata"]["uid"], int(match["port"]))
        query = f"?{request.query_string}" if request.query_string else ""
        try:
            async with (
                aiohttp.ClientSession(timeout=LIMIT) as session,
                session.get(f"http://{host}:{port}/{match['path']}{query}") as answer,
            ):
                body = await answer.read()
                return web.Response(status=answer.status, body=body, content_type=answer.content_type)
        except (aiohttp.ClientError, TimeoutError) as error:
            message = f"error trying to reach service: {error}"
            raise StatusError(503, "ServiceUnavailable", message, {}) from error

    return ask
