"""Connections to one API server, kept open for the next request and shared by threads. Used by `client`."""

import http.client
import select
from collections.abc import Iterator, Mapping
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from urllib.parse import unquote, urlsplit

from kata_lib.cluster.kubeconfig import Access

CONNECT_SECONDS, ANSWER_SECONDS = 3.0, 30.0

FAILURES = (OSError, http.client.HTTPException)
"""What a request raises that got no whole answer."""


class Answer:
    """An answer whose head has come: its status and headers, and its body as it is read."""

    def __init__(self, connection: HTTPConnection, answer: HTTPResponse, idle: list[HTTPConnection]) -> None:
        self._connection, self._answer, self._idle = connection, answer, idle
        self.status, self.headers = answer.status, answer.headers

    def read(self) -> bytes:
        """Return the whole body; the connection is free for another request."""
        try:
            body = self._answer.read()
        except FAILURES:
            self.close()
            raise
        if not self._answer.will_close:
            self._idle.append(self._connection)
        return body

    def lines(self) -> Iterator[str]:
        """Yield the body's lines as they come."""
        try:
            for line in self._answer:
                yield line.decode(errors="replace").rstrip("\r\n")
        finally:
            self.close()

    def close(self) -> None:
        """Take no more of the answer, and give the connection up."""
        self._connection.close()


class Connections:
    """Connections to a kubeconfig's server, through the proxy that it names, or the environment."""

    def __init__(self, access: Access) -> None:
        self._access = access
        server = urlsplit(access.server)
        self._encrypted = server.scheme == "https"
        self._host, self._port = server.hostname or "", server.port or (443 if self._encrypted else 80)
        self._prefix = server.path.rstrip("/")
        self._proxy = access.proxy or _proxy(server.scheme, self._host)
        self._idle: list[HTTPConnection] = []

    def send(
        self,
        method: str,
        target: str,
        body: bytes | None,
        headers: Mapping[str, str],
        seconds: float | None,
        login_was_refused: bool = False,
    ) -> Answer:
        """Send one request; `target` is its path with its query, `seconds` how long the server may be silent.

        login_was_refused: the last one's. Raises one of FAILURES where no answer comes.
        """
        login = self._access.login(login_was_refused)
        headers = {**headers, "Authorization": login} if login else headers
        connection = self._open()
        try:
            assert connection.sock is not None
            connection.sock.settimeout(seconds)
            connection.request(method, self._prefix + target, body, headers)
            return Answer(connection, connection.getresponse(), self._idle)
        except FAILURES:
            connection.close()
            raise

    def _open(self) -> HTTPConnection:
        while self._idle:
            try:
                connection = self._idle.pop()
            except IndexError:  # another thread took the last one
                break
            if not _was_closed(connection):
                return connection
            connection.close()
        connection = self._new()
        connection.connect()
        return connection

    def _new(self) -> HTTPConnection:
        proxy = urlsplit(self._proxy) if self._proxy else None
        host, port = (proxy.hostname or "", proxy.port or 80) if proxy else (self._host, self._port)
        connection: HTTPConnection
        if self._encrypted:
            connection = _Encrypted(host, port, self._access)
        else:
            connection = HTTPConnection(host, port, timeout=CONNECT_SECONDS)
        if proxy:
            connection.set_tunnel(self._host, self._port, _known_as(proxy.username, proxy.password))
        return connection


class _Encrypted(HTTPSConnection):
    """By TLS, where the server may be known by another name than its host's."""

    def __init__(self, host: str, port: int, access: Access) -> None:
        super().__init__(host, port, timeout=CONNECT_SECONDS, context=access.trust)
        self._trust, self._name = access.trust, access.server_name

    def connect(self) -> None:
        if not self._name:
            return super().connect()
        HTTPConnection.connect(self)
        self.sock = self._trust.wrap_socket(self.sock, server_hostname=self._name)


def _was_closed(connection: HTTPConnection) -> bool:
    """Return whether something was said on an idle connection: only its end can be."""
    assert connection.sock is not None
    said = select.poll()
    said.register(connection.sock, select.POLLIN)
    return bool(said.poll(0))


def _proxy(scheme: str, host: str) -> str:
    """Return the environment's proxy for a host, or ""; this machine is asked without one, as by kubectl."""
    if host in ("localhost", "::1") or host.startswith("127."):
        return ""
    from urllib.request import getproxies, proxy_bypass

    return "" if proxy_bypass(host) else getproxies().get(scheme, "")


def _known_as(name: str | None, password: str | None) -> dict[str, str]:
    if name is None:
        return {}
    import base64

    pair = f"{unquote(name)}:{unquote(password or '')}"
    return {"Proxy-Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
