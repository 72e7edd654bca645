"""Envoy's REST discovery service (xDS, transport V3, JSON) over a unix socket.

Each subscription of an Envoy is one POST of a DiscoveryRequest, held until there is news or HOLD_SECONDS have
passed (answered 304, which Envoy takes as "nothing new"). The next request carries the version that Envoy
accepted. Versions are hashes of the content, so a daemon that comes back finds nothing to send again.
Protocol: https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol#rest-json-polling-subscriptions
"""

import asyncio
from collections.abc import Collection
from pathlib import Path
from typing import get_args

import msgspec
from aiohttp import web

from kata_lib.engines.embedded.mesh.answers import Answers
from kata_lib.engines.embedded.mesh.envoy_log import EnvoyLog, LogPath
from kata_lib.engines.embedded.mesh.session import ProxySession, RejectionCallback
from kata_lib.engines.embedded.mesh.stages import Kind
from kata_lib.engines.embedded.mesh.translate import ProxyConfig
from kata_lib.errors import MeshError

HOLD_SECONDS = 1800.0
"""An answer makes Envoy send another 77 kB. A daemon that ends closes the socket: no poll waits in vain."""
_RECHECK_SECONDS = 0.5
_SHUTDOWN_SECONDS = 0.1
_KINDS: dict[str, Kind] = {kind: kind for kind in get_args(Kind)}


class Node(msgspec.Struct):
    """Who asks."""

    id: str


class DiscoveryRequest(msgspec.Struct):
    """What is read of Envoy's DiscoveryRequest; version_info: what it has in force, "" for nothing."""

    node: Node
    version_info: str = ""
    resource_names: tuple[str, ...] = ()


_read = msgspec.json.Decoder(DiscoveryRequest).decode


def _ignore(node_id: str, kind: Kind, version: str, reason: str) -> None:
    """Drop a rejection, which settled() reports in any case."""


class DiscoveryServer:
    """Serves each registered node its configuration; `on_rejection` hears what an Envoy refuses, and why."""

    def __init__(self, on_rejection: RejectionCallback = _ignore) -> None:
        self._on_rejection = on_rejection
        self._sessions: dict[str, ProxySession] = {}
        self._answers = Answers()
        self._changed = asyncio.Event()
        self._runner: web.AppRunner | None = None

    async def start(self, socket: Path) -> None:
        """Listen on a unix socket, replacing one that a dead daemon left."""
        application = web.Application()
        application.router.add_post("/v3/discovery:{kind}", self._poll)
        self._runner = web.AppRunner(
            application,
            handler_cancellation=True,
            access_log=None,
            keepalive_timeout=3600,
            shutdown_timeout=_SHUTDOWN_SECONDS,
        )
        await self._runner.setup()
        await web.UnixSite(self._runner, str(socket)).start()

    async def stop(self) -> None:
        """Close the socket and every poll; the Envoys keep what they have."""
        if self._runner:
            await self._runner.cleanup()

    def register(self, node_id: str, log: LogPath | None = None) -> None:
        """Expect an Envoy by this node id; `log` says where its own log goes, read for why it rejects."""
        if node_id not in self._sessions:
            envoy_log = EnvoyLog(log) if log else None
            self._sessions[node_id] = ProxySession(
                node_id, envoy_log, self._on_rejection, self._notify, self._answers
            )

    def set_config(self, node_id: str, config: ProxyConfig) -> None:
        """Aim a registered node at a configuration."""
        self._sessions[node_id].set_target(config)

    def forget(self, node_id: str) -> None:
        """Serve a node no longer; its Envoy keeps what it has."""
        self._sessions.pop(node_id, None)
        self._notify()

    async def connected(self, timeout: float) -> None:  # noqa: ASYNC109
        """Return once every registered node polls; raise MeshError after `timeout` s, naming the rest."""
        try:
            async with asyncio.timeout(timeout):
                while self._absent():
                    await self._changed.wait()
        except TimeoutError:
            raise MeshError(
                f"Expected every Envoy to ask for its configuration within {timeout:g} s. "
                f"Not heard of: {', '.join(self._absent())}"
            ) from None

    async def settled(
        self,
        timeout: float,  # noqa: ASYNC109
        node_ids: Collection[str] | None = None,
    ) -> None:
        """Return once every connected node (of `node_ids`, or of all) accepted its configuration.

        A node that does not poll has no say. Raise MeshError after `timeout` seconds, or as soon as one
        rejects what it was sent, with the last thing seen of each.
        """
        deadline = asyncio.get_running_loop().time() + timeout
        while open_sessions := self._unsettled(node_ids):
            remaining = deadline - asyncio.get_running_loop().time()
            if remaining <= 0 or any(session.rejection for session in open_sessions):
                seen = "; ".join(f"{session.node_id}: {session.last_seen()}" for session in open_sessions)
                raise MeshError(
                    f"Expected every Envoy to accept its configuration within {timeout:g} s. {seen}"
                )
            try:
                # a bound, since an Envoy that went away without a word stops counting without an event
                await asyncio.wait_for(self._changed.wait(), min(remaining, _RECHECK_SECONDS))
            except TimeoutError:
                continue

    def _absent(self) -> list[str]:
        return [session.node_id for session in self._sessions.values() if not session.connected]

    def _unsettled(self, node_ids: Collection[str] | None) -> list[ProxySession]:
        sessions = self._sessions.values() if node_ids is None else [self._sessions[i] for i in node_ids]
        return [session for session in sessions if session.connected and not session.settled]

    def _notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def _poll(self, request: web.Request) -> web.Response:
        kind = _KINDS.get(request.match_info["kind"])
        if kind is None:
            raise web.HTTPNotFound
        # Envoy lists its 516 extensions in every request: 77 kB, which aiohttp's own read() would keep
        asked = _read(await request.content.read())
        names = tuple(sorted(asked.resource_names))
        session = self._sessions.get(asked.node.id)
        if session is None:
            await asyncio.sleep(_RECHECK_SECONDS)
            return web.Response(status=304)
        body = await session.poll(kind, names, asked.version_info, HOLD_SECONDS)
        if body is None:
            return web.Response(status=304)
        return web.Response(body=body, content_type="application/json")
