"""Rules of the smaller kinds: ConfigMaps, Secrets, EndpointSlices."""

from collections.abc import Iterator

from kata_lib.engines.embedded.registry.status import Cause
from kata_lib.engines.embedded.registry.validation import names
from kata_lib.engines.embedded.registry.validation.causes import (
    forbidden,
    invalid,
    not_supported,
    required,
    too_long,
)
from kata_lib.engines.embedded.store import Obj

DATA_BYTES = 1024 * 1024

_ADDRESS_TYPES = ("FQDN", "IPv4", "IPv6")


def config_map(obj: Obj, old: Obj | None) -> Iterator[Cause]:
    """Return what is wrong with a ConfigMap."""
    for field in ("data", "binaryData"):
        for key in obj.get(field, {}):
            yield from (invalid(f"{field}[{key}]", key, why) for why in names.config_key(key))
            if field == "binaryData" and key in obj.get("data", {}):
                yield invalid(f"data[{key}]", key, "duplicate of key present in binaryData")
    yield from _size("", obj, ("data", "binaryData"))
    yield from _sealed(obj, old, ("data", "binaryData"))


def secret(obj: Obj, old: Obj | None) -> Iterator[Cause]:
    """Return what is wrong with a Secret."""
    for key in obj.get("data", {}):
        yield from (invalid(f"data[{key}]", key, why) for why in names.config_key(key))
    yield from _size("data", obj, ("data",))
    yield from _sealed(obj, old, ("data",))


def endpoint_slice(obj: Obj, old: Obj | None) -> Iterator[Cause]:
    """Return what is wrong with an EndpointSlice."""
    kind = obj.get("addressType", "")
    if not kind:
        yield required("addressType")
    elif kind not in _ADDRESS_TYPES:
        yield not_supported("addressType", kind, _ADDRESS_TYPES)
    for position, endpoint in enumerate(obj.get("endpoints") or ()):
        if not endpoint.get("addresses"):
            yield required(f"endpoints[{position}].addresses", "must contain at least 1 address")
    for position, port in enumerate(obj.get("ports") or ()):
        if name := port.get("name"):
            yield from (invalid(f"ports[{position}].name", name, why) for why in names.dns_label(name))


def _size(path: str, obj: Obj, fields: tuple[str, ...]) -> Iterator[Cause]:
    if sum(len(value.encode()) for field in fields for value in obj.get(field, {}).values()) > DATA_BYTES:
        yield too_long(path, DATA_BYTES)


def _sealed(obj: Obj, old: Obj | None, fields: tuple[str, ...]) -> Iterator[Cause]:
    if old is None or not old.get("immutable"):
        return
    words = "field is immutable when `immutable` is set"
    if not obj.get("immutable"):
        yield forbidden("immutable", words)
    for field in fields:
        if obj.get(field, {}) != old.get(field, {}):
            yield forbidden(field, words)
