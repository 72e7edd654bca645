"""What a Service's port is to Istio, and rules for HTTP at a port that is not HTTP."""

from collections.abc import Iterator

from kata_lib.cluster import service_ports
from kata_lib.cluster.client import Obj
from kata_lib.mesh.analyze import lines
from kata_lib.mesh.analyze.finding import Finding, finding
from kata_lib.mesh.analyze.objects import Objects, subsets

_BY_REQUEST = ("httpHeaderName", "httpCookie", "httpQueryParameterName")
_ENCRYPTED = ("https", "tls")


def findings(found: Objects) -> Iterator[Finding]:
    """Yield ports that leave Istio guessing, and rules for requests where it passes connections on."""
    for service in found.own(found.services):
        ports = service["spec"].get("ports") or []
        for index, port in enumerate(ports):
            if service_ports.protocol(port) is None:
                yield _not_declared(service, port, index)
        if ports and not any(service_ports.routed(service_ports.protocol(port)) for port in ports):
            for virtual_service in found.routing(service)[:1]:
                yield _without_effect(virtual_service, "spec.http", service)
            for rule in found.rules_for(service["metadata"]["name"]):
                for place in _for_requests(rule):
                    yield _without_effect(rule, place, service)


def _not_declared(service: Obj, port: Obj, index: int) -> Finding:
    name, target = port.get("name", ""), port.get("targetPort", port["port"])
    return finding(
        "IST0118",
        service,
        f"Port name {name} (port: {port['port']}, targetPort: {target}) doesn't follow the naming convention "
        "of Istio port.",
        seen=f"spec.ports[{index}].name",
        mend=_declared(service, index, "name", f"http-{name}" if name else "http"),
    )


def _for_requests(rule: Obj) -> Iterator[str]:
    """Yield where a DestinationRule speaks of requests: their limits, and hashes of what stands in them."""
    policies = {"spec.trafficPolicy": rule["spec"].get("trafficPolicy") or {}}
    for index, subset in enumerate(subsets(rule)):
        policies[f"spec.subsets[{index}].trafficPolicy"] = subset.get("trafficPolicy") or {}
    for place, policy in policies.items():
        if (policy.get("connectionPool") or {}).get("http"):
            yield f"{place}.connectionPool.http"
        hashed = (policy.get("loadBalancer") or {}).get("consistentHash") or {}
        if any(field in hashed for field in _BY_REQUEST):
            yield f"{place}.loadBalancer.consistentHash"


def _without_effect(obj: Obj, place: str, service: Obj) -> Finding:
    name, port = service["metadata"]["name"], service["spec"]["ports"][0]
    field = "appProtocol" if port.get("appProtocol") else "name"
    declared = service_ports.protocol(port)
    said = f"{field}: {port[field]}" if port.get(field) else f"port: {port['port']}"
    return finding(
        "KATA0105",
        obj,
        f"{place} is about HTTP requests, and port {port['port']} of {name} is {declared} to Istio ({said}): "
        "sidecars pass its connections on without a look at the requests, so this has no effect.",
        seen=f"{place}; Service {name}, spec.ports[0].{said}",
        mend="" if declared in _ENCRYPTED else _declared_http(service, field, port),
    )


def _declared_http(service: Obj, field: str, port: Obj) -> str:
    suffix = str(port.get("name", "")).partition("-")[2]
    return _declared(service, 0, field, "http" if field == "appProtocol" or not suffix else f"http-{suffix}")


def _declared(service: Obj, index: int, field: str, value: str) -> str:
    return lines.patch(service, {"op": "add", "path": f"/spec/ports/{index}/{field}", "value": value})
