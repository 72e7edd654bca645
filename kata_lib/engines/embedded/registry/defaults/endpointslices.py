"""EndpointSlices: a port is TCP and has the empty name."""

from kata_lib.engines.embedded.store import Obj

IMMUTABLE = ("addressType",)


def fill(obj: Obj) -> None:
    """Add an EndpointSlice's defaults in place."""
    for port in obj.get("ports", ()):
        port.setdefault("name", "")
        port.setdefault("protocol", "TCP")


def complete(obj: Obj) -> None:
    """Add in place the fields that an EndpointSlice always has."""
    obj.setdefault("endpoints", None)
    obj.setdefault("ports", None)
    for endpoint in obj["endpoints"] or ():
        endpoint.setdefault("conditions", {})
