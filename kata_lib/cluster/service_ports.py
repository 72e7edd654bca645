"""What a Service's port speaks to Istio: a port goes in, the word that declares its protocol comes out.

https://istio.io/latest/docs/ops/configuration/traffic-management/protocol-selection/
"""

from collections.abc import Mapping
from typing import Any, Literal, get_args

Protocol = Literal[
    "grpc", "grpc-web", "http", "http2", "https", "mongo", "mysql", "redis", "tcp", "tls", "udp"
]
HTTP: frozenset[Protocol] = frozenset({"grpc", "grpc-web", "http", "http2"})
"""Those whose requests Istio routes; connections of the others it passes on as they are."""

_WORDS: dict[str, Protocol] = {word: word for word in get_args(Protocol)} | {"http_proxy": "http"}
_OF_KUBERNETES: dict[str, Protocol] = {
    "kubernetes.io/h2c": "http2",
    "kubernetes.io/ws": "http",
    "kubernetes.io/wss": "https",
}
_TCP_PORTS = frozenset({25, 53, 3306, 27017})
"""Of these the server speaks first, so that Istio would wait in vain for bytes to look at."""


def protocol(port: Mapping[str, Any]) -> Protocol | None:
    """Return what a Service's port is declared to speak; None where Istio looks at the bytes themselves.

    appProtocol goes before the name; the first word of either counts.
    Source: istio/istio, pkg/config/kube/conversion.go (ConvertProtocol).
    """
    if port.get("protocol") == "UDP":
        return "udp"
    declared = str(port.get("appProtocol") or port.get("name") or "")
    if declared in _OF_KUBERNETES:
        return _OF_KUBERNETES[declared]
    if declared.lower().startswith("grpc-web"):
        return "grpc-web"
    return _WORDS.get(declared.lower().partition("-")[0], "tcp" if port["port"] in _TCP_PORTS else None)


def routed(declared: Protocol | None) -> bool:
    """Return whether HTTP rules hold at a port: one of HTTP, or one where Istio looks and sees HTTP."""
    return declared is None or declared in HTTP


def url(port: Mapping[str, Any], host: str, reached: int) -> str:
    """Return the URL of a Service's port that is reached at a port of a host."""
    return f"{'https' if protocol(port) == 'https' else 'http'}://{host}:{reached}/"
