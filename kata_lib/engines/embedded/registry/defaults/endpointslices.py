"""EndpointSlices: a port is TCP and has the empty name."""

from kata_lib.engines.embedded.store import Obj

IMMUTABLE = ("addressType",)


def fill(obj: Obj) -> None:
    """Add an EndpointSlice's defaults in place."""
    for port in obj.get("ports", ()):
        port.setdefault("name", "")
        port.setdefault("protocol", "TCP")
