"""What a pod answers on a port of its own loopback, such as Envoy's administrator: one GET in, its text out.

The API server passes the connection on to the pod, as for `kubectl port-forward`: a websocket, whose messages
begin with a channel, 0 for data and 1 for errors (v4.channel.k8s.io). Used by `cluster`.
"""

import http.client
import io
import socket
import time
from typing import TYPE_CHECKING, cast

from kata_lib.cluster.client import KubeClient
from kata_lib.errors import ClusterError

if TYPE_CHECKING:
    import websocket

_PROTOCOL = "v4.channel.k8s.io"
_DATA, _ERROR = b"\x00", b"\x01"


def get(api: KubeClient, pod: str, port: int, path: str, seconds: float = 10.0) -> str:
    """Return the answer to GET /`path` on a pod's port; `pod` is the pod's path at the API.

    Raises ClusterError where the API server or the pod refuses, or the answer takes longer than `seconds`.
    """
    import websocket

    address, headers, context = api.websocket(f"{pod}/portforward?ports={port}")
    request = f"GET /{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
    try:
        link = websocket.create_connection(
            address, header=headers, subprotocols=[_PROTOCOL], sslopt={"context": context}, timeout=seconds
        )
        try:
            link.send_binary(_DATA + request)
            answer = _received(link, time.monotonic() + seconds)
        finally:
            link.shutdown()  # type: ignore[no-untyped-call]
    except (websocket.WebSocketException, OSError) as error:
        raise ClusterError(f"Port {port} of {pod.rpartition('/')[2]} does not answer: {error}") from error
    return _text(answer, port)


def _received(link: "websocket.WebSocket", end: float) -> bytes:
    """Return the data of one answer; each channel's first message only repeats the port.

    The answer's own end is looked for: the API server takes a second to pass on that the pod has closed.
    """
    import websocket

    begun: set[bytes] = set()
    data = bytearray()
    while time.monotonic() < end and not _is_whole(data):
        try:
            message = cast(bytes, link.recv())
        except websocket.WebSocketConnectionClosedException:
            break
        if not message:
            break
        channel, content = message[:1], message[1:]
        if channel not in begun:
            begun.add(channel)
        elif channel == _ERROR and content:
            raise ClusterError(f"The pod refuses the connection: {content.decode(errors='replace').strip()}")
        elif channel == _DATA:
            data += content
    return bytes(data)


def _is_whole(data: bytearray) -> bool:
    head, found, body = bytes(data).partition(b"\r\n\r\n")
    if not found:
        return False
    headers = http.client.parse_headers(io.BytesIO(head.partition(b"\r\n")[2] + b"\r\n\r\n"))
    if headers.get("Transfer-Encoding") == "chunked":
        return body.endswith(b"0\r\n\r\n")
    return len(body) >= int(headers.get("Content-Length", len(body) + 1))


class _Received(socket.socket):
    """What http.client reads an answer from."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, *_: object, **__: object) -> io.BytesIO:  # type: ignore[override]
        return io.BytesIO(self._data)


def _text(data: bytes, port: int) -> str:
    answer = http.client.HTTPResponse(_Received(data))
    try:
        answer.begin()
        text = answer.read().decode()
    except (http.client.HTTPException, UnicodeDecodeError) as error:
        raise ClusterError(f"Port {port} gave no whole answer by HTTP: {error!r}") from error
    if answer.status != 200:
        raise ClusterError(f"Port {port} answered {answer.status}: {text[:200]}")
    return text
