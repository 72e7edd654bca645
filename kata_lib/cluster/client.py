"""A Kubernetes API by HTTP: what a kubeconfig says goes in, plain JSON objects come out.

lightkube reads the kubeconfig and logs in (certificates, tokens, plugins). Its typed objects stay unused:
what kubectl shows and a manifest says are plain objects, and so are those of the workshop. Used by `cluster`.
"""

import copy
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx2
from lightkube.core.exceptions import ConfigError

from kata_lib.cluster import kubeconfig
from kata_lib.errors import ClusterError

RETRIES, LONGEST_PAUSE = 10, 5.0
"""How often a request is sent again that the server was not ready for, and after how many seconds at most."""

_LOGIN_FAILURES = (ConfigError, OSError, ValueError, KeyError)
"""What lightkube raises where a token's file or a plugin is not there, fails, or gives no token."""

Obj = dict[str, Any]
"""A Kubernetes object as its JSON says it."""


class ApiRefused(ClusterError):
    """The API answered with a Status: `code` is the HTTP status, `reason` its word such as NotFound."""

    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason


class UnknownKind(ClusterError):
    """The API server has no such kind."""


class KubeClient:
    """One connection to one API server; safe to share between threads.

    file: the kubeconfig to read. context: its context to use, by default the current one.
    Raises ClusterError where the file or the context cannot be used.
    """

    def __init__(self, file: Path, context: str | None = None) -> None:
        config, parameters = kubeconfig.read(file, context)
        self.server: str = config.cluster.server
        self.namespace: str = config.namespace
        self._auth: httpx2.Auth | None = parameters["auth"]
        self._trust: ssl.SSLContext = parameters["verify"]
        self._http = httpx2.Client(**parameters, headers={"Accept": "application/json"})
        self._plurals: dict[tuple[str, str], str] = {}

    def within(self, namespace: str) -> "KubeClient":
        """Return the same connection with another namespace."""
        other = copy.copy(self)
        other.namespace = namespace
        return other

    def path(self, api_version: str, kind: str, name: str = "", namespace: str | None = None) -> str:
        """Return the path of a namespaced kind's collection, or of one object where a name is given."""
        prefix = f"/{'apis' if '/' in api_version else 'api'}/{api_version}"
        plural = self._plural(prefix, kind)
        return f"{prefix}/namespaces/{namespace or self.namespace}/{plural}" + (f"/{name}" if name else "")

    def serves(self, api_version: str, kind: str) -> bool:
        """Return whether the server serves this kind."""
        try:
            self.path(api_version, kind)
        except UnknownKind:
            return False
        return True

    def kinds(self) -> list[tuple[str, str]]:
        """Return apiVersion and kind of what a namespace can hold and a person can list and delete.

        Of a group its preferred version; a group whose server does not answer is left out.
        """
        groups = self.request("GET", "/apis")["groups"]
        versions = ["v1", *(group["preferredVersion"]["groupVersion"] for group in groups)]
        return [(version, kind) for version in versions for kind in self._namespaced(version)]

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content_type: str = "application/json",
        query: Mapping[str, str] | None = None,
    ) -> Obj:
        """Send one request and return the answer's JSON; ApiRefused carries the server's words."""
        request = self._http.build_request(
            method, _target(path, query), json=body, headers={"Content-Type": content_type} if body else None
        )
        answer: Obj = self._send(request).json()
        return answer

    def text(self, path: str, query: Mapping[str, str] | None = None) -> str:
        """Return the answer to a GET as text: logs, or what a pod answers through the API server."""
        return self._send(self._http.build_request("GET", _target(path, query))).text

    def lines(self, path: str, query: Mapping[str, str] | None = None) -> Iterator[str]:
        """Yield the lines of a streamed answer, such as followed logs, until the server ends it."""
        unlimited = httpx2.Timeout(None, connect=3)
        request = self._http.build_request("GET", _target(path, query), timeout=unlimited)
        answer = self._send(request, stream=True)
        try:
            with self._answering():
                yield from answer.iter_lines()
        finally:
            answer.close()

    def websocket(self, path: str) -> tuple[str, list[str], ssl.SSLContext]:
        """Return for a websocket at a path its address, its headers and whom to trust."""
        request = self._http.build_request("GET", path)
        if self._auth is not None:
            with self._answering():
                request = next(self._auth.sync_auth_flow(request))
        login = request.headers.get("Authorization")
        headers = [f"Authorization: {login}"] if login else []
        return str(request.url).replace("http", "ws", 1), headers, self._trust

    def _namespaced(self, version: str) -> list[str]:
        try:
            served = self.request("GET", f"/{'apis' if '/' in version else 'api'}/{version}")["resources"]
        except ApiRefused as refused:
            if refused.code not in (404, 503):
                raise
            return []
        return [
            resource["kind"]
            for resource in served
            if resource["namespaced"]
            and "/" not in resource["name"]
            and {"list", "delete"} <= set(resource["verbs"])
        ]

    def _plural(self, prefix: str, kind: str) -> str:
        if (prefix, kind) not in self._plurals:
            try:
                served = self.request("GET", prefix)["resources"]
            except ApiRefused as refused:
                if refused.code != 404:
                    raise
                served = []
            for resource in served:
                if "/" not in resource["name"]:
                    self._plurals[prefix, resource["kind"]] = resource["name"]
        try:
            return self._plurals[prefix, kind]
        except KeyError:
            version = prefix.split("/", 2)[2]
            raise UnknownKind(
                f'no matches for kind "{kind}" in version "{version}" on this cluster'
            ) from None

    def _send(self, request: httpx2.Request, stream: bool = False) -> httpx2.Response:
        with self._answering():
            answer = self._http.send(request, stream=stream)
            for _ in range(RETRIES):
                if (seconds := _asks_again(answer)) is None:
                    break
                answer.close()
                time.sleep(seconds)
                answer = self._http.send(request, stream=stream)
            if answer.is_error:
                answer.read()
                raise _refusal(answer)
        return answer

    @contextmanager
    def _answering(self) -> Iterator[None]:
        """Say where to look if the server does not answer, or not to the end."""
        try:
            yield
        except httpx2.TransportError as error:
            raise ClusterError(
                f"The cluster does not answer at {self.server}: {error}. `kata up` starts or finds it."
            ) from error
        except _LOGIN_FAILURES as error:
            raise ClusterError(f"The login that the kubeconfig names fails: {error}") from error


def _asks_again(answer: httpx2.Response) -> float | None:
    """Return after how many seconds a server that was not ready wants the request again, None if it answered.

    As client-go does: 429 or a failure of the server's, with Retry-After. A kind that was just defined
    answers so until its storage is made.
    """
    after = answer.headers.get("Retry-After", "")
    if after.isdecimal() and (answer.status_code == 429 or answer.is_server_error):
        return min(float(after), LONGEST_PAUSE)
    return None


def _target(path: str, query: Mapping[str, str] | None) -> str:
    return f"{path}?{urlencode(query)}" if query else path


def _refusal(answer: httpx2.Response) -> ApiRefused:
    try:
        status = answer.json()
        return ApiRefused(answer.status_code, status.get("reason", ""), status["message"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return ApiRefused(
            answer.status_code, "", f"the API server answered {answer.status_code}: {answer.text[:200]}"
        )
