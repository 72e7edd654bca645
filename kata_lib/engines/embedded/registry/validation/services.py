"""Rules of Services."""

from collections.abc import Iterator, Mapping
from typing import Any

from kata_lib.engines.embedded.registry.status import Cause
from kata_lib.engines.embedded.registry.validation import metadata, names
from kata_lib.engines.embedded.registry.validation.causes import (
    duplicate,
    forbidden,
    invalid,
    not_supported,
    required,
)
from kata_lib.engines.embedded.registry.validation.probes import port_reference
from kata_lib.engines.embedded.store import Obj

_TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
_AFFINITIES = ("ClientIP", "None")
_POLICIES = ("Cluster", "Local")
_PROTOCOLS = ("SCTP", "TCP", "UDP")


def service(obj: Obj, old: Obj | None) -> Iterator[Cause]:
    """Return what is wrong with a Service's specification; addresses are the allocator's matter."""
    spec = obj.get("spec", {})
    kind, ports = spec.get("type", ""), spec.get("ports", ())
    if not ports and kind != "ExternalName" and spec.get("clusterIP") != "None":
        yield required("spec.ports")
    if kind == "ExternalName":
        name = spec.get("externalName", "").rstrip(".")
        if not name:
            yield required("spec.externalName")
        else:
            yield from (invalid("spec.externalName", name, why) for why in names.dns_subdomain(name))
    seen: set[str] = set()
    for position, port in enumerate(ports):
        path = f"spec.ports[{position}]"
        yield from _port(path, port, seen, must_be_named=len(ports) > 1)
    yield from metadata.labels("spec.selector", spec.get("selector", {}))
    if spec.get("sessionAffinity") not in _AFFINITIES:
        yield not_supported("spec.sessionAffinity", spec.get("sessionAffinity", ""), _AFFINITIES)
    if kind not in _TYPES:
        yield not_supported("spec.type", kind, _TYPES)
    yield from _same_ports(ports)
    if kind == "ClusterIP":
        for position, port in enumerate(ports):
            if port.get("nodePort"):
                words = "may not be used when `type` is 'ClusterIP'"
                yield forbidden(f"spec.ports[{position}].nodePort", words)
    for field in ("externalTrafficPolicy", "internalTrafficPolicy"):
        if field in spec and spec[field] not in _POLICIES:
            yield not_supported(f"spec.{field}", spec[field], _POLICIES)


def _port(path: str, port: Mapping[str, Any], seen: set[str], *, must_be_named: bool) -> Iterator[Cause]:
    name = port.get("name", "")
    if name:
        yield from (invalid(f"{path}.name", name, why) for why in names.dns_label(name))
        if name in seen:
            yield duplicate(f"{path}.name", name)
        seen.add(name)
    elif must_be_named:
        yield required(f"{path}.name")
    number = port.get("port", 0)
    yield from (invalid(f"{path}.port", number, why) for why in names.port_number(number))
    if port.get("protocol") not in _PROTOCOLS:
        yield not_supported(f"{path}.protocol", port.get("protocol", ""), _PROTOCOLS)
    yield from port_reference(f"{path}.targetPort", port.get("targetPort", number))


def _same_ports(ports: Any) -> Iterator[Cause]:
    seen = set()
    for position, port in enumerate(ports):
        key = (port.get("protocol"), port.get("port"))
        if key in seen:
            protocol, number = key
            internal = {
                "Name": "",
                "Protocol": protocol,
                "AppProtocol": None,
                "Port": number,
                "TargetPort": 0,
                "NodePort": 0,
            }
            yield duplicate(f"spec.ports[{position}]", internal)
        seen.add(key)
