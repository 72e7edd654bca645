"""kata_lib.cluster.port_forward: an answer by HTTP out of a websocket's messages."""

import time
from collections.abc import Iterator

import pytest
import websocket

from kata_lib.cluster import port_forward
from kata_lib.errors import ClusterError

PORT = b"\x98\x3a"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
COUNTED = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nabcde"


class Link:
    """A websocket that receives these messages, then is closed."""

    def __init__(self, *messages: bytes) -> None:
        self._messages: Iterator[bytes] = iter(messages)

    def recv(self) -> bytes:
        for message in self._messages:
            return message
        raise websocket.WebSocketConnectionClosedException("closed")


def received(*messages: bytes) -> bytes:
    return port_forward._received(Link(b"\x00" + PORT, b"\x01" + PORT, *messages), time.monotonic() + 5)  # type: ignore[arg-type]


@pytest.mark.parametrize("answer", [CHUNKED, COUNTED])
@pytest.mark.parametrize("cut", [1, 20, 45])
def test_an_answer_in_pieces(answer: bytes, cut: int) -> None:
    data = received(b"\x00" + answer[:cut], b"\x00" + answer[cut:], b"\x00 what would be too much")
    assert port_forward._text(data, 15000) == "abcde"


def test_an_answer_without_a_length_ends_with_the_connection() -> None:
    data = received(b"\x00HTTP/1.1 200 OK\r\n\r\nabc", b"\x00de")
    assert port_forward._text(data, 15000) == "abcde"


def test_a_pod_that_refuses_is_told() -> None:
    with pytest.raises(ClusterError, match="refuses the connection: dial tcp: refused"):
        received(b"\x01dial tcp: refused\n")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"HTTP/1.1 404 Not Found\r\ncontent-length: 4\r\n\r\nnone", "answered 404: none"),
        (b"SSH-2.0", "gave no whole answer by HTTP"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhalf", "gave no whole answer by HTTP"),
    ],
)
def test_what_is_no_whole_answer_is_told(answer: bytes, said: str) -> None:
    with pytest.raises(ClusterError, match=said):
        port_forward._text(received(b"\x00" + answer), 15000)
