"""Rules of probes and of the ports that they, and services, refer to by number or name."""

from collections.abc import Iterator, Mapping
from typing import Any

from kata_lib.engines.embedded.registry import names
from kata_lib.engines.embedded.registry.status import Cause
from kata_lib.engines.embedded.registry.validation.causes import forbidden, invalid, not_supported, required

_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc")
_COUNTS = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")


def probe(path: str, found: Mapping[str, Any], *, must_succeed_once: bool) -> Iterator[Cause]:
    """Return what is wrong with a probe; liveness and startup probes succeed at the first success."""
    handlers = [name for name in _HANDLERS if name in found]
    if not handlers:
        yield required(path, "must specify a handler type")
    for extra in handlers[1:]:
        yield forbidden(f"{path}.{extra}", "may not specify more than 1 handler type")
    yield from _handler(path, found)
    for name in _COUNTS:
        if found.get(name, 0) < 0:
            yield invalid(f"{path}.{name}", found[name], "must be greater than or equal to 0")
    if must_succeed_once and found.get("successThreshold", 1) != 1:
        yield invalid(f"{path}.successThreshold", found["successThreshold"], "must be 1")


def port_reference(path: str, port: Any) -> Iterator[Cause]:
    """Return what is wrong with a port that is given by its number or its name."""
    rules = names.port_name(port) if isinstance(port, str) else names.port_number(port)
    yield from (invalid(path, port, why) for why in rules)


def _handler(path: str, found: Mapping[str, Any]) -> Iterator[Cause]:
    if "httpGet" in found:
        get = found["httpGet"]
        if not get.get("path"):
            yield required(f"{path}.httpGet.path")
        yield from port_reference(f"{path}.httpGet.port", get.get("port", 0))
        if get.get("scheme") not in ("HTTP", "HTTPS"):
            yield not_supported(f"{path}.httpGet.scheme", get.get("scheme", ""), ("HTTP", "HTTPS"))
    if "tcpSocket" in found:
        yield from port_reference(f"{path}.tcpSocket.port", found["tcpSocket"].get("port", 0))
    if "exec" in found and not found["exec"].get("command"):
        yield required(f"{path}.exec.command")
