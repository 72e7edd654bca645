"""A Kubernetes API by HTTP: what a kubeconfig says goes in, plain JSON objects come out.

What kubectl shows and a manifest says are plain objects, and so are those of the workshop. Used by `cluster`.
"""

import copy
import json
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from kata_lib.cluster.connections import connect
from kata_lib.cluster.connections.connection import ANSWER_SECONDS, Answer, NoAnswer, Request
from kata_lib.errors import ClusterError

RETRIES, LONGEST_PAUSE = 10, 5.0
"""How often a request is sent again that the server was not ready for, and after how many seconds at most."""

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
        self._connection = connect(file, context)
        self.server = self._connection.server
        self.namespace = self._connection.namespace
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
        content = None if body is None else json.dumps(body, separators=(",", ":")).encode()
        with self._answering():
            answer: Obj = json.loads(self._send(method, path, query, content, content_type).read())
        return answer

    def text(self, path: str, query: Mapping[str, str] | None = None) -> str:
        """Return the answer to a GET as text: logs, or what a pod answers through the API server."""
        with self._answering():
            return self._send("GET", path, query).read().decode(errors="replace")

    def lines(self, path: str, query: Mapping[str, str] | None = None) -> Iterator[str]:
        """Yield the lines of a streamed answer, such as followed logs, until the server ends it."""
        with self._answering():
            yield from self._send("GET", path, query, seconds=None).lines()

    def websocket(self, path: str) -> tuple[str, list[str], ssl.SSLContext]:
        """Return for a websocket at a path its address, its headers and whom to trust."""
        return self._connection.websocket(path)

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

    def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: bytes | None = None,
        content_type: str = "",
        seconds: float | None = ANSWER_SECONDS,
    ) -> Answer:
        """Send a request, again where the server wants that, and return an answer that is no refusal."""
        target = f"{path}?{urlencode(query)}" if query else path
        headers = {"Accept": "application/json"} | ({"Content-Type": content_type} if body else {})
        request = Request(method, target, headers, body, seconds)
        answer = self._connection.send(request)
        for _ in range(RETRIES):
            if (pause := _asks_again(answer)) is None:
                break
            answer.close()
            time.sleep(pause)
            answer = self._connection.send(request)
        if answer.status >= 400:
            raise _refusal(answer)
        return answer

    @contextmanager
    def _answering(self) -> Iterator[None]:
        """Say where to look if the server does not answer, or not to the end."""
        try:
            yield
        except NoAnswer as error:
            raise ClusterError(
                f"The cluster does not answer at {self.server}: {error}. `kata up` starts or finds it."
            ) from error


def _asks_again(answer: Answer) -> float | None:
    """Return after how many seconds a server that was not ready wants the request again, None if it answered.

    As client-go does: 429 or a failure of the server's, with Retry-After. A kind that was just defined
    answers so until its storage is made.
    """
    after = answer.retry_after
    if after.isdecimal() and (answer.status == 429 or answer.status >= 500):
        return min(float(after), LONGEST_PAUSE)
    return None


def _refusal(answer: Answer) -> ApiRefused:
    body = answer.read()
    try:
        said = json.loads(body)
        return ApiRefused(answer.status, said.get("reason", ""), said["message"])
    except (ValueError, KeyError, TypeError, AttributeError):
        text = body.decode(errors="replace")[:200]
        return ApiRefused(answer.status, "", f"the API server answered {answer.status}: {text}")
