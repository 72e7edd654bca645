"""A Kubernetes API by HTTP: what a kubeconfig says goes in, plain JSON objects come out.

The official `kubernetes` package does the same for 100 MB of memory and half a second in every kernel and
every command; the workshop needs eight verbs of one API, so it speaks to it directly. Used by `cluster`.
"""

import base64
import json
import ssl
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import urllib3
import yaml

from kata_lib.errors import ClusterError

Obj = dict[str, Any]
"""A Kubernetes object as its JSON says it."""

FIELD_MANAGER = "kubectl-client-side-apply"
"""kubectl's own name in managedFields: what the library and a hand with kubectl apply has one owner."""


class ApiRefused(ClusterError):
    """The API answered with a Status: `code` is the HTTP status, `reason` its word such as NotFound."""

    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason


class KubeClient:
    """One connection to one API server; safe to share between threads.

    kubeconfig: file to read. context: its context to use, by default the current one.
    Raises ClusterError where the file or the context cannot be used.
    """

    def __init__(self, kubeconfig: Path, context: str | None = None) -> None:
        config = _read(kubeconfig)
        chosen = context or config.get("current-context", "")
        place = _named(config, "contexts", "context", chosen, kubeconfig)
        cluster = _named(config, "clusters", "cluster", place["cluster"], kubeconfig)
        user = _named(config, "users", "user", place["user"], kubeconfig)
        self.server: str = cluster["server"].rstrip("/")
        self.namespace: str = place.get("namespace", "default")
        self._headers = {"Accept": "application/json", **_bearer(user, kubeconfig)}
        self._pool = urllib3.PoolManager(
            ssl_context=_tls(cluster, user), retries=urllib3.Retry(connect=2, redirect=0, other=0, read=0)
        )
        self._plurals: dict[tuple[str, str], str] = {}

    def path(self, api_version: str, kind: str, name: str = "", namespace: str | None = None) -> str:
        """Return the path of a namespaced kind's collection, or of one object where a name is given."""
        prefix = f"/{'apis' if '/' in api_version else 'api'}/{api_version}"
        plural = self._plural(prefix, kind)
        return f"{prefix}/namespaces/{namespace or self.namespace}/{plural}" + (f"/{name}" if name else "")

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
        answer = self._send(method, path, body, content_type, query)
        parsed: Obj = json.loads(answer.data)
        return parsed

    def text(self, path: str, query: Mapping[str, str] | None = None) -> str:
        """Return the answer to a GET as text: logs, or what a pod answers through the API server."""
        return self._send("GET", path, None, "", query).data.decode(errors="replace")

    def lines(self, path: str, query: Mapping[str, str] | None = None) -> Iterator[str]:
        """Yield the lines of a streamed answer, such as followed logs, until the server ends it."""
        with self._send("GET", path, None, "", query, stream=True) as answer:
            rest = b""
            for piece in answer.stream(65536):
                *whole, rest = (rest + piece).split(b"\n")
                yield from (line.decode(errors="replace") for line in whole)
            if rest:
                yield rest.decode(errors="replace")

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
            raise ClusterError(
                f'no matches for kind "{kind}" in version "{version}" on this cluster'
            ) from None

    def _send(
        self,
        method: str,
        path: str,
        body: Any,
        content_type: str,
        query: Mapping[str, str] | None,
        stream: bool = False,
    ) -> urllib3.BaseHTTPResponse:
        headers = dict(self._headers)
        if body is not None:
            headers["Content-Type"] = content_type
        url = self.server + path + (f"?{urlencode(query)}" if query else "")
        try:
            answer = self._pool.request(
                method,
                url,
                body=None if body is None else json.dumps(body),
                headers=headers,
                timeout=urllib3.Timeout(connect=3, read=None if stream else 30),
                preload_content=not stream,
            )
        except urllib3.exceptions.HTTPError as error:
            cause = getattr(error, "reason", None) or error
            raise ClusterError(
                f"The cluster does not answer at {self.server}: {cause}. `kata up` starts or finds it."
            ) from error
        if answer.status >= 400:
            raise _refusal(answer.status, answer.data)
        return answer


def _read(kubeconfig: Path) -> Obj:
    try:
        config = yaml.safe_load(kubeconfig.read_text())
    except OSError as error:
        raise ClusterError(f"The kubeconfig {kubeconfig} cannot be read: {error.strerror}.") from error
    except yaml.YAMLError as error:
        raise ClusterError(f"The kubeconfig {kubeconfig} is not YAML: {error}") from error
    if not isinstance(config, dict):
        raise ClusterError(f"The kubeconfig {kubeconfig} holds no configuration.")
    return config


def _named(config: Obj, section: str, part: str, name: str, kubeconfig: Path) -> Obj:
    entries = config.get(section) or []
    for entry in entries:
        if entry["name"] == name:
            found: Obj = entry[part]
            return found
    known = ", ".join(entry["name"] for entry in entries) or "none"
    raise ClusterError(f"The kubeconfig {kubeconfig} has no {part} {name!r}; it has: {known}.")


def _bearer(user: Obj, kubeconfig: Path) -> dict[str, str]:
    if token := user.get("token"):
        return {"Authorization": f"Bearer {token}"}
    if "client-certificate-data" in user or "client-certificate" in user:
        return {}
    ways = ", ".join(sorted(user)) or "nothing"
    raise ClusterError(
        f"The kubeconfig {kubeconfig} logs in by {ways}; a token or client certificate is needed."
    )


def _tls(cluster: Obj, user: Obj) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=cluster.get("certificate-authority"))
    if authority := cluster.get("certificate-authority-data"):
        context.load_verify_locations(cadata=base64.b64decode(authority).decode())
    if "client-certificate" in user:
        context.load_cert_chain(user["client-certificate"], user["client-key"])
    elif "client-certificate-data" in user:
        # ssl reads a client's key from a file only; NamedTemporaryFile makes it 0600 and removes it.
        with tempfile.NamedTemporaryFile() as pair:
            pair.write(base64.b64decode(user["client-certificate-data"]))
            pair.write(base64.b64decode(user["client-key-data"]))
            pair.flush()
            context.load_cert_chain(pair.name)
    return context


def _refusal(code: int, data: bytes) -> ApiRefused:
    try:
        status = json.loads(data)
        return ApiRefused(code, status.get("reason", ""), status["message"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return ApiRefused(code, "", f"the API server answered {code}: {data[:200].decode(errors='replace')}")
