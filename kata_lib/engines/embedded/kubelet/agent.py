"""A pod's port 15020, where Istio's agent answers for the sidecar: its counters and its configuration.

And whether every sidecar has what the API holds: as text, none where that is so.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from kata_lib.engines.embedded import envoy
from kata_lib.engines.embedded.addresses import Address
from kata_lib.engines.embedded.mesh.metrics import prometheus
from kata_lib.errors import MeshError

log = logging.getLogger(__name__)

READ_TIMEOUT = 5.0
OWN_LIMIT = aiohttp.ClientTimeout(total=3.0)
SETTLE_TIMEOUT = 2.0


@dataclass
class Agent:
    """Answers GET /stats/prometheus, /config_dump and /clusters, asking the pod's Envoy, and /debug/syncz.

    settled: returns once every Envoy acknowledged what the registry holds; MeshError after so many seconds.
    own_metrics: the URL of the application's, which are told after the sidecar's.
    """

    admin: Path
    settled: Callable[[float], Awaitable[None]]
    own_metrics: str | None = None
    _server: asyncio.Server | None = None

    async def start(self, address: Address) -> None:
        """Listen; a port that is another's is logged, because a pod runs without it."""
        if self._server:
            return
        try:
            self._server = await asyncio.start_server(self._serve, *address)
        except OSError as error:
            log.warning("no agent at %s:%d: %s", *address, error)

    async def stop(self) -> None:
        """Listen no longer."""
        if self._server:
            self._server.close()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(READ_TIMEOUT):
                request = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                status, body = await self._answer(request.split(" ")[1])
                head = f"HTTP/1.1 {status}\r\ncontent-type: text/plain; version=0.0.4\r\n"
                head += f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
                writer.write(head.encode() + body)
                await writer.drain()
        except (OSError, EOFError, TimeoutError, asyncio.LimitOverrunError) as error:
            log.info("a request to the agent ended early: %r", error)
        finally:
            writer.close()

    async def _answer(self, path: str) -> tuple[str, bytes]:
        try:
            match path.partition("?")[0]:
                case "/stats/prometheus" | "/metrics":
                    counted = prometheus(await envoy.statistics(self.admin)).encode()
                    return "200 OK", counted + await self._application()
                case "/debug/syncz":
                    return "200 OK", (await self._unacknowledged()).encode()
                case "/config_dump" | "/clusters":
                    return "200 OK", (await envoy.ask(self.admin, path)).encode()
        except envoy.AdminError as error:
            return "503 Service Unavailable", f"{error}\n".encode()
        return "404 Not Found", b"there are /stats/prometheus, /config_dump, /clusters and /debug/syncz\n"

    async def _application(self) -> bytes:
        """Return the application's own metrics; without an answer the sidecar's are told all the same."""
        if self.own_metrics is None:
            return b""
        try:
            async with (
                aiohttp.ClientSession(timeout=OWN_LIMIT) as session,
                session.get(self.own_metrics, raise_for_status=True) as answer,
            ):
                return await answer.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            log.info("the application's metrics at %s: %r", self.own_metrics, error)
            return b""

    async def _unacknowledged(self) -> str:
        try:
            await self.settled(SETTLE_TIMEOUT)
        except MeshError as error:
            return f"{error}\n"
        return ""
