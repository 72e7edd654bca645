"""A server on this machine's loopback that asks for a token alone, by the standard library.

Such is the embedded engine's. Each command and each kernel asks it first, and lightkube would take longer to
load than all else that they need.
"""

import base64
import http.client
import json
import select
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from kata_lib.cluster.connections.connection import CONNECT_SECONDS, NoAnswer, Request

_NEEDED = {"http": set[str](), "https": {"certificate-authority-data"}}
"""What is known of a server beside its address."""


@dataclass(frozen=True)
class Access:
    """A server's address, the certificate (PEM) of its authority, and its user's token and namespace.

    authority: "" where the server is asked by plain HTTP.
    """

    server: str
    authority: str
    token: str
    namespace: str


def access(file: Path, context: str | None = None) -> Access | None:
    """Return what a context of a kubeconfig says, None where that is more than is known here, or unusable.

    The file is JSON, as the engine writes it: quicker to read, and YAML as well.
    """
    try:
        text = file.read_text()
        return _access(json.loads(text), context) if text.startswith("{") else None
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None


def _access(config: Mapping[str, Any], context: str | None) -> Access | None:
    chosen = _named(config, "context", context or config["current-context"])
    cluster, user = _named(config, "cluster", chosen["cluster"]), _named(config, "user", chosen["user"])
    address = urlsplit(cluster["server"])
    if (
        cluster.keys() - {"server"} != _NEEDED.get(address.scheme)
        or user.keys() != {"token"}
        or address.path
        or not (address.hostname or "").startswith("127.")
    ):
        return None
    authority = base64.b64decode(cluster.get("certificate-authority-data", "")).decode()
    return Access(cluster["server"], authority, user["token"], chosen.get("namespace") or "default")


def _named(config: Mapping[str, Any], kind: str, name: str) -> Mapping[str, Any]:
    named: dict[str, Mapping[str, Any]] = {entry["name"]: entry[kind] for entry in config[f"{kind}s"]}
    return named[name]


class Loopback:
    """The connections to such a server; an idle one is taken for the next request."""

    def __init__(self, access: Access) -> None:
        self.server, self.namespace = access.server, access.namespace
        self._trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if access.authority:
            self._trust.load_verify_locations(cadata=access.authority)
        self._login = f"Bearer {access.token}"
        self._idle: list[HTTPConnection] = []

    def send(self, request: Request) -> "_Answer":
        """Send one request, as Connection says."""
        connection = self._idle_one() or self._new()
        with _failing(connection):
            if connection.sock is None:
                connection.connect()
            connection.sock.settimeout(request.seconds)
            headers = {**request.headers, "Authorization": self._login}
            connection.request(request.method, request.target, request.body, headers)
            return _Answer(connection, connection.getresponse(), self._idle)

    def websocket(self, path: str) -> tuple[str, list[str], ssl.SSLContext]:
        """Return what a websocket needs, as Connection says."""
        return self.server.replace("http", "ws", 1) + path, [f"Authorization: {self._login}"], self._trust

    def _idle_one(self) -> HTTPConnection | None:
        """Return a connection that the server has not closed meanwhile, if there is one."""
        while self._idle:
            try:
                connection = self._idle.pop()
            except IndexError:  # another thread took the last one
                break
            if not _was_closed(connection):
                return connection
            connection.close()
        return None

    def _new(self) -> HTTPConnection:
        address = urlsplit(self.server)
        host, port = address.hostname or "", address.port
        if address.scheme == "http":
            return HTTPConnection(host, port, timeout=CONNECT_SECONDS)
        return HTTPSConnection(host, port, timeout=CONNECT_SECONDS, context=self._trust)


class _Answer:
    """An answer of a server, as Answer says; its connection is idle once it is read."""

    def __init__(self, connection: HTTPConnection, answer: HTTPResponse, idle: list[HTTPConnection]) -> None:
        self._connection, self._answer, self._idle = connection, answer, idle
        self.status: int = answer.status
        self.retry_after = answer.getheader("Retry-After", "")

    def read(self) -> bytes:
        with _failing(self._connection):
            body = self._answer.read()
        if not self._answer.will_close:
            self._idle.append(self._connection)
        return body

    def lines(self) -> Iterator[str]:
        try:
            with _failing(self._connection):
                begun = b""
                while data := self._answer.read1():
                    *lines, begun = (begun + data).split(b"\n")
                    yield from (line.decode(errors="replace") for line in lines)
                if self._answer.length:  # of an answer whose length was told, what did not come
                    raise http.client.IncompleteRead(begun, self._answer.length)
                if begun:
                    yield begun.decode(errors="replace")
        finally:
            self.close()

    def close(self) -> None:
        self._connection.close()


@contextmanager
def _failing(connection: HTTPConnection) -> Iterator[None]:
    """Give a connection up that fails, and say how."""
    try:
        yield
    except (OSError, http.client.HTTPException) as error:
        connection.close()
        raise NoAnswer(str(error) or type(error).__name__) from error


def _was_closed(connection: HTTPConnection) -> bool:
    """Return whether something came on an idle connection: only its end can."""
    said = select.poll()
    said.register(connection.sock, select.POLLIN)
    return bool(said.poll(0))
