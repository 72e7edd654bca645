"""What a connection to an API server is: requests go in, answers come out, by whatever library."""

import ssl
from collections.abc import Iterator, Mapping
from typing import NamedTuple, Protocol

CONNECT_SECONDS, ANSWER_SECONDS = 3.0, 30.0


class NoAnswer(Exception):
    """The server did not answer, or not to the end; the text says what happened."""


class Request(NamedTuple):
    """What is asked. target: a path with its query; seconds: how long the server may be silent."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes | None = None
    seconds: float | None = ANSWER_SECONDS


class Answer(Protocol):
    """An answer whose head has come. What takes its body raises NoAnswer where that breaks off.

    status: HTTP's. retry_after: what the header of that name says, "" where there is none.
    """

    status: int
    retry_after: str

    def read(self) -> bytes:
        """Return the whole body; the connection is free for another request."""

    def lines(self) -> Iterator[str]:
        """Yield the body's lines as they come."""

    def close(self) -> None:
        """Take no more of the answer."""


class Connection(Protocol):
    """The way of one user to one API server; safe to share between threads.

    server: its address. namespace: the one that the kubeconfig's context means.
    """

    server: str
    namespace: str

    def send(self, request: Request) -> Answer:
        """Send one request; raises NoAnswer, and ClusterError where the login fails."""

    def websocket(self, path: str) -> tuple[str, list[str], ssl.SSLContext]:
        """Return for a websocket at a path its address, its headers and whom to trust."""
