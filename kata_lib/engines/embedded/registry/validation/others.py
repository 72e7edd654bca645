"""Rules of the smaller kinds: ConfigMaps, Secrets, EndpointSlices, Events."""

import base64
import json
from collections.abc import Iterator, Sequence

from kata_lib.engines.embedded.registry import names
from kata_lib.engines.embedded.registry.status import Cause
from kata_lib.engines.embedded.registry.validation.addresses import FAMILIES, address, family_of
from kata_lib.engines.embedded.registry.validation.causes import (
    duplicate,
    forbidden,
    invalid,
    not_supported,
    required,
    too_long,
)
from kata_lib.engines.embedded.store import Obj

DATA_BYTES = 1024 * 1024

_ADDRESS_TYPES = ("FQDN", "IPv4", "IPv6")
_PROTOCOLS = ("SCTP", "TCP", "UDP")
_ACCOUNT = "kubernetes.io/service-account.name"
_JSON_KEYS = {
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
}
_KEYS = {
    **_JSON_KEYS,
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
}


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
    yield from _typed_secret(obj)
    yield from _sealed(obj, old, ("data",))


def endpoint_slice(obj: Obj, old: Obj | None) -> Iterator[Cause]:
    """Return what is wrong with an EndpointSlice."""
    kind = obj.get("addressType", "")
    if not kind:
        yield required("addressType")
    elif kind not in _ADDRESS_TYPES:
        yield not_supported("addressType", kind, _ADDRESS_TYPES)
    known = (old or {}).get("endpoints")
    for position, endpoint in enumerate(obj.get("endpoints") or ()):
        if known and endpoint in known:
            continue
        yield from _endpoint(f"endpoints[{position}].addresses", endpoint.get("addresses") or (), kind)
    seen: set[str] = set()
    for position, port in enumerate(obj.get("ports") or ()):
        path, name = f"ports[{position}]", port.get("name", "")
        if name:
            yield from (invalid(f"{path}.name", name, why) for why in names.dns_label(name))
        if name in seen:
            yield duplicate(f"{path}.name", name)
        seen.add(name)
        if port.get("protocol") not in _PROTOCOLS:
            yield not_supported(f"{path}.protocol", port.get("protocol", ""), _PROTOCOLS)


def event(obj: Obj, old: Obj | None) -> Iterator[Cause]:
    """Return what is wrong with an Event: it is kept where its object is."""
    namespace = obj["metadata"].get("namespace", "")
    involved = obj.get("involvedObject", {}).get("namespace", "")
    if namespace != involved and (involved or namespace != "default"):
        yield invalid("involvedObject.namespace", involved, "does not match event.namespace")


def _endpoint(path: str, found: Sequence[str], kind: str) -> Iterator[Cause]:
    if not found:
        yield required(path, "must contain at least 1 address")
    for position, text in enumerate(found if kind in FAMILIES else ()):
        family = family_of(text)
        if not family:
            yield from address(f"{path}[{position}]", text)
        elif family != kind:
            yield invalid(path, text, f"must be an {kind} address")


def _typed_secret(obj: Obj) -> Iterator[Cause]:
    """Check that a Secret of a known type has the keys that belong to it."""
    data, kind = obj.get("data", {}), obj.get("type", "")
    if kind == "kubernetes.io/service-account-token":
        if not obj["metadata"].get("annotations", {}).get(_ACCOUNT):
            yield required(f"metadata.annotations[{_ACCOUNT}]")
    elif kind == "kubernetes.io/basic-auth":
        if not {"username", "password"} & data.keys():
            yield required("data[username]")
            yield required("data[password]")
    else:
        yield from (required(f"data[{key}]") for key in _KEYS.get(kind, ()) if key not in data)
    for key in set(_JSON_KEYS.get(kind, ())) & data.keys():
        try:
            json.loads(base64.b64decode(data[key]))
        except ValueError as error:
            yield invalid(f"data[{key}]", "<secret contents redacted>", _go_words(error))


def _go_words(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError) and error.doc.strip() and error.msg == "Expecting value":
        return f"invalid character '{error.doc[error.pos]}' looking for beginning of value"
    return "unexpected end of JSON input"


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
