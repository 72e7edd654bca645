"""Any API server that a kubeconfig names: lightkube logs in (certificates, tokens, plugins), httpx2 asks.

lightkube's typed objects stay unused: what kubectl shows and a manifest says are plain objects, and so are
those of the workshop.
"""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
from lightkube.core.exceptions import ConfigError

from kata_lib.cluster.connections import kubeconfig
from kata_lib.cluster.connections.connection import CONNECT_SECONDS, NoAnswer, Request
from kata_lib.errors import ClusterError

_LOGIN_FAILURES = (ConfigError, OSError, ValueError, KeyError)
"""What lightkube raises where a token's file or a plugin is not there, fails, or gives no token."""


class Anywhere:
    """The connections to the server of a kubeconfig's context, by default the current one.

    Raises ClusterError where the file or the context cannot be used.
    """

    def __init__(self, file: Path, context: str | None = None) -> None:
        config, parameters = kubeconfig.read(file, context)
        self.server: str = config.cluster.server
        self.namespace: str = config.namespace
        self._auth: httpx2.Auth | None = parameters["auth"]
        self._trust: ssl.SSLContext = parameters["verify"]
        self._http = httpx2.Client(**parameters)

    def send(self, request: Request) -> "_Answer":
        """Send one request, as Connection says."""
        method, target, headers, body, seconds = request
        limits = httpx2.Timeout(seconds, connect=CONNECT_SECONDS)
        built = self._http.build_request(method, target, content=body, headers=headers, timeout=limits)
        with _failing():
            return _Answer(self._http.send(built, stream=True))

    def websocket(self, path: str) -> tuple[str, list[str], ssl.SSLContext]:
        """Return what a websocket needs, as Connection says."""
        request = self._http.build_request("GET", path)
        if self._auth is not None:
            with _failing():
                request = next(self._auth.sync_auth_flow(request))
        login = request.headers.get("Authorization")
        headers = [f"Authorization: {login}"] if login else []
        return str(request.url).replace("http", "ws", 1), headers, self._trust


class _Answer:
    """An answer of a server, as Answer says."""

    def __init__(self, answer: httpx2.Response) -> None:
        self._answer = answer
        self.status = answer.status_code
        self.retry_after = answer.headers.get("Retry-After", "")

    def read(self) -> bytes:
        with _failing():
            return self._answer.read()

    def lines(self) -> Iterator[str]:
        try:
            with _failing():
                yield from self._answer.iter_lines()
        finally:
            self.close()

    def close(self) -> None:
        self._answer.close()


@contextmanager
def _failing() -> Iterator[None]:
    """Say what does not answer, or which login fails."""
    try:
        yield
    except httpx2.TransportError as error:
        raise NoAnswer(str(error)) from error
    except _LOGIN_FAILURES as error:
        raise ClusterError(f"The login that the kubeconfig names fails: {error}") from error
