"""Rules of Services."""

from collections.abc import Iterator, Mapping
from typing import Any

from kata_lib.engines.embedded.registry import names
from kata_lib.engines.embedded.registry.status import Cause
from kata_lib.engines.embedded.registry.validation import metadata
from kata_lib.engines.embedded.registry.validation.addresses import addresses
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
    if kind == "NodePort" and spec.get("clusterIP") == "None":
        yield invalid("spec.clusterIPs[0]", "None", "may not be set to 'None' for NodePort services")
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
    yield from _client_affinity(spec)
    if kind not in _TYPES:
        yield not_supported("spec.type", kind, _TYPES)
    yield from _same_ports(ports)
    if kind == "ClusterIP":
        for position, port in enumerate(ports):
            if port.get("nodePort"):
                words = "may not be used when `type` is 'ClusterIP'"
                yield forbidden(f"spec.ports[{position}].nodePort", words)
    yield from _outside(spec)
    for field in ("externalTrafficPolicy", "internalTrafficPolicy"):
        if field in spec and spec[field] not in _POLICIES:
            yield not_supported(f"spec.{field}", spec[field], _POLICIES)
    yield from addresses(spec, old["spec"] if old else None)


def status(obj: Obj) -> Iterator[Cause]:
    """Return what is wrong with a Service's status."""
    if obj.get("status", {}).get("loadBalancer", {}).get("ingress") and obj["spec"]["type"] != "LoadBalancer":
        words = "may only be used when `spec.type` is 'LoadBalancer'"
        yield forbidden("status.loadBalancer.ingress", words)


def _client_affinity(spec: Mapping[str, Any]) -> Iterator[Cause]:
    client = spec.get("sessionAffinityConfig", {}).get("clientIP", {})
    seconds = client.get("timeoutSeconds")
    if spec.get("sessionAffinity") == "ClientIP" and seconds is not None and not 0 < seconds <= 86400:
        path = "spec.sessionAffinityConfig.clientIP.timeoutSeconds"
        yield invalid(path, seconds, "must be greater than 0 and less than 86400")


def _outside(spec: Mapping[str, Any]) -> Iterator[Cause]:
    """Check what belongs to Services that are reached from outside, or through a load balancer."""
    kind = spec.get("type")
    if kind != "LoadBalancer":
        for field in ("loadBalancerClass", "allocateLoadBalancerNodePorts"):
            if field in spec:
                yield forbidden(f"spec.{field}", "may only be used when `type` is 'LoadBalancer'")
    policy = spec.get("externalTrafficPolicy")
    if policy and kind not in ("NodePort", "LoadBalancer") and not spec.get("externalIPs"):
        words = "may only be set for externally-accessible services"
        yield invalid("spec.externalTrafficPolicy", policy, words)
    check = spec.get("healthCheckNodePort")
    if check and (kind, policy) != ("LoadBalancer", "Local"):
        words = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
        yield invalid("spec.healthCheckNodePort", check, words)


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
    if protocol := port.get("appProtocol"):
        yield from (invalid(f"{path}.appProtocol", protocol, why) for why in names.qualified_name(protocol))


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
