"""http.redirect: an answer that sends the client elsewhere."""

from collections.abc import Mapping
from typing import Any

from kata_lib.engines.embedded.mesh.translate.fields import LEAF, OneOf, Tree
from kata_lib.engines.embedded.mesh.translate.model import Envoy

_CODES = {
    301: "",  # Envoy's own
    302: "FOUND",
    303: "SEE_OTHER",
    307: "TEMPORARY_REDIRECT",
    308: "PERMANENT_REDIRECT",
}
_TARGETS = {
    "uri": "path_redirect",
    "prefixRewrite": "prefix_rewrite",
    "authority": "host_redirect",
    "scheme": "scheme_redirect",
}

FIELDS: Tree = {
    "uri": LEAF,
    "prefixRewrite": LEAF,
    "authority": LEAF,
    "scheme": LEAF,
    "port": LEAF,
    "derivePort": OneOf(("FROM_PROTOCOL_DEFAULT", "FROM_REQUEST_PORT")),
    "redirectCode": OneOf(tuple(_CODES)),
}

_DEFAULT_PORTS = {("http", 80), ("https", 443)}


def envoy(redirect: Mapping[str, Any], port: int, *, tls: bool = False) -> Envoy:
    """Return Envoy's redirect of requests to a port, encrypted ones or not."""
    action: Envoy = {name: redirect[field] for field, name in _TARGETS.items() if redirect.get(field)}
    if "prefix_rewrite" not in action:
        action.setdefault("path_redirect", "")
    if code := _CODES[redirect.get("redirectCode") or 301]:
        action["response_code"] = code
    if target := _port(redirect, port, tls):
        action["port_redirect"] = target
    return action


def _port(redirect: Mapping[str, Any], port: int, tls: bool) -> int:
    """Return the port that the client is sent to; 0 where its scheme says it."""
    target = int(redirect.get("port", 0))
    if redirect.get("derivePort") == "FROM_REQUEST_PORT":
        target = port
    return 0 if (redirect.get("scheme") or ("https" if tls else "http"), target) in _DEFAULT_PORTS else target
