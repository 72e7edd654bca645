"""A Gateway of Istio's: its servers, each with a port, hosts, and what of TLS belongs to its protocol."""

from collections.abc import Iterator, Mapping
from typing import Any

from kata_lib.engines.embedded.mesh.validation import names
from kata_lib.engines.embedded.store import Obj

_HTTP = ("http", "http2", "grpc", "grpc-web")
_TLS = ("https", "tls")

Server = Mapping[str, Any]


def problems(gateway: Obj) -> Iterator[str]:
    """Return what is wrong with a Gateway."""
    name, spec = gateway["metadata"].get("name", ""), gateway.get("spec") or {}
    if not names.is_label(name):
        yield f'invalid gateway name: "{name}"'
    servers = spec.get("servers") or []
    if not servers:
        yield "gateway must have at least one server"
    seen: set[str] = set()
    for server in servers:
        yield from _server(server)
    for server in servers:
        called = (server.get("port") or {}).get("name", "")
        if called in seen:
            yield f"port names in servers must be unique: duplicate name {called}"
        seen.add(called)


def _server(server: Server) -> Iterator[str]:
    for host in server.get("hosts") or ():
        yield from _host(host)
    if not server.get("hosts"):
        yield "server config must contain at least one host"
    port = server.get("port")
    if port is None:
        yield "port is required"
        return
    yield from names.port(port.get("number", 0))
    if not port.get("name"):
        yield "port name must be set"
    yield from _tls(server.get("tls"), port.get("protocol", "").lower())


def _host(written: str) -> Iterator[str]:
    place, slash, host = written.partition("/")
    if not slash:
        yield from names.domain(written)
        return
    if not place or not host:
        yield "config namespace and dnsName in host entry cannot be empty"
    if place not in ("*", ".") and not names.is_label(place):
        yield f'invalid namespace value "{place}" in gateway'
    yield from names.domain(host)


def _tls(tls: Mapping[str, Any] | None, protocol: str) -> Iterator[str]:
    simple = tls is not None and tls.get("mode") == "SIMPLE"
    if simple and tls is not None and not tls.get("credentialName"):
        yield from (f"SIMPLE TLS requires a {what}" for what in ("server certificate", "private key"))
    if protocol in _TLS and tls is None:
        yield "server must have TLS settings for HTTPS/TLS protocols"
    elif protocol in _HTTP and simple:
        yield "server cannot have TLS settings for plain text HTTP ports"
