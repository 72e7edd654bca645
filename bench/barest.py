"""The barest servers that give an Envoy a route table, over a unix socket, by REST or by gRPC.

    python -m bench.barest REST|gRPC SOCKET

Each line of stdin is a table as JSON, served from then on; its end is the server's. It speaks Envoy's
discovery protocol (xDS, transport V3) as far as one Envoy needs it that asks for one table.
https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol
"""

import asyncio
import dataclasses
import json
import struct
import sys
from collections.abc import Mapping
from typing import Any

import uvloop
from aiohttp import web
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived

from kata_lib.engines.embedded.api.wire import field, varint

TYPE_URL = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration"
Table = Mapping[str, Any]

# The numbers of the fields of Envoy's messages that a table here has.
_FIELDS = {
    **{"name": 1, "virtual_hosts": 2},  # RouteConfiguration; the name of each other message, too
    **{"domains": 2, "routes": 3},  # VirtualHost
    **{"match": 1, "route": 2, "prefix": 1},  # Route, RouteMatch
    **{"weighted_clusters": 3, "clusters": 1, "weight": 2},  # RouteAction, WeightedCluster, its clusters
}


def encoded(message: Table) -> bytes:
    """Return a table, or a part of one, in protobuf's wire format; a number in it is a UInt32Value.

    https://protobuf.dev/programming-guides/encoding/
    """
    parts = (
        field(_FIELDS[name], _content(one))
        for name, content in message.items()
        for one in (content if isinstance(content, list) else [content])
    )
    return b"".join(parts)


def _content(one: Any) -> bytes:
    match one:
        case str():
            return one.encode()
        case int():
            return b"\x08" + varint(one)
        case _:
            return encoded(one)


@dataclasses.dataclass
class Published:
    """The newest table and its version; `news` is set when there is another."""

    version: int = 0
    table: Table = dataclasses.field(default_factory=dict)
    news: asyncio.Event = dataclasses.field(default_factory=asyncio.Event)

    def publish(self, table: Table) -> None:
        """Serve a table from now on."""
        self.version, self.table = self.version + 1, table
        self.news.set()
        self.news = asyncio.Event()

    def as_json(self) -> bytes:
        """Return a DiscoveryResponse for REST."""
        resource = {"@type": TYPE_URL, **self.table}
        answer = {"version_info": str(self.version), "type_url": TYPE_URL, "resources": [resource]}
        return json.dumps(answer).encode()

    def as_protobuf(self) -> bytes:
        """Return a DiscoveryResponse for gRPC: version_info, resources (each an Any), type_url, nonce."""
        version, type_url = str(self.version).encode(), TYPE_URL.encode()
        resource = field(1, type_url) + field(2, encoded(self.table))
        return field(1, version) + field(2, resource) + field(4, type_url) + field(5, version)


async def by_rest(published: Published, socket: str) -> object:
    """Answer each poll as soon as there is another table than the one that it names.

    What is returned serves as long as it is kept.
    """

    async def poll(request: web.Request) -> web.Response:
        known = json.loads(await request.content.read()).get("version_info", "")
        while known == str(published.version):
            await published.news.wait()
        return web.Response(body=published.as_json(), content_type="application/json")

    application = web.Application()
    application.router.add_post("/v3/discovery:routes", poll)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.UnixSite(runner, socket).start()
    return runner


async def by_grpc(published: Published, socket: str) -> object:
    """Send each table to who has opened a stream. What is returned serves as long as it is kept."""
    return await asyncio.get_running_loop().create_unix_server(lambda: Stream(published), socket)


class Stream(asyncio.Protocol):
    """The server's end of a connection with one call on it: RouteDiscoveryService.StreamRoutes."""

    transport: asyncio.Transport
    _sending: asyncio.Task[None]

    def __init__(self, published: Published) -> None:
        self._published = published
        self._http = H2Connection(H2Configuration(client_side=False))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]
        self._http.initiate_connection()

    def data_received(self, data: bytes) -> None:
        for event in self._http.receive_data(data):
            match event:
                case RequestReceived(stream_id=stream):
                    headers = [(":status", "200"), ("content-type", "application/grpc")]
                    self._http.send_headers(stream, headers)
                    self._sending = asyncio.ensure_future(self._send(stream))
                case DataReceived(stream_id=stream, flow_controlled_length=length):
                    self._http.acknowledge_received_data(length, stream)
        self.transport.write(self._http.data_to_send())

    async def _send(self, stream: int) -> None:
        """Send each table: a byte that says that it is not compressed, its length, and itself."""
        while True:
            message = self._published.as_protobuf()
            self._http.send_data(stream, struct.pack(">BI", 0, len(message)) + message)
            self.transport.write(self._http.data_to_send())
            await self._published.news.wait()


async def main(by: str, socket: str) -> None:
    """Serve until stdin ends."""
    published = Published()
    server = await {"REST": by_rest, "gRPC": by_grpc}[by](published, socket)
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        published.publish(json.loads(line))
    del server


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
