"""A Gateway's status: whether it is programmed, where it is reached, and of each listener what holds.

Source: istio/istio, pilot/pkg/config/kube/gateway/conversion.go (reportGatewayStatus) and gatewaycommon.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kata_lib.cluster.hosts import of_object, of_service
from kata_lib.engines.embedded.mesh.translate.gateway_api import attachment
from kata_lib.engines.embedded.mesh.translate.gateway_api.conditions import Condition, Status, written
from kata_lib.engines.embedded.mesh.translate.gateway_api.listeners import Gateways, Listener, services
from kata_lib.engines.embedded.mesh.translate.gateway_api.problems import Problem
from kata_lib.engines.embedded.store import Obj

_NO_ERRORS = "No errors found"
_ADDRESS_TYPE = "networking.istio.io/address-type"
_HOSTNAME, _IP_ADDRESS = "Hostname", "IPAddress"


@dataclass(frozen=True)
class Instance:
    """A Service as a Gateway meets it: addresses, and the ports that have an endpoint."""

    internal: Sequence[str]
    external: Sequence[str]
    awaits_address: bool
    ports: Mapping[int, bool]


@dataclass
class _Reach:
    """Where a Gateway is reached, and what is in the way."""

    internal: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    unusable: bool = False


def status(
    gateway: Obj, among: Gateways, routes: Iterable[Obj], instances: Mapping[str, Instance], now: str
) -> Status:
    """Return a Gateway's status as istiod writes it over what stands there.

    instances: the Services by full name that are there. An address that was found once stays.
    """
    metadata, before = gateway["metadata"], gateway.get("status", {})
    listeners = among.listeners[f"{metadata['namespace']}/{metadata['name']}"]
    ports = {entry.spec["port"] for entry in listeners if entry.serves}
    wanted = metadata.get("annotations", {}).get(_ADDRESS_TYPE, _HOSTNAME)
    reach = _reach(services(gateway), ports, instances, wanted)
    generation = metadata.get("generation", 1)
    addresses = [{"type": _type(address), "value": address} for address in reach.addresses]
    conditions = [_accepted(listeners), _programmed(services(gateway), reach), _RESOLVED]
    made: Status = {"conditions": written(conditions, generation, before.get("conditions", ()), now)}
    if found := addresses or before.get("addresses"):
        made["addresses"] = found
    known = {entry["name"]: entry.get("conditions", ()) for entry in before.get("listeners", ())}
    attached = [listener.internal for route in routes for listener, _ in attachment.attached(route, among)]
    made["listeners"] = [
        {
            "name": listener.name,
            "attachedRoutes": attached.count(listener.internal),
            "supportedKinds": listener.kinds,
            "conditions": written(_of(listener), generation, known.get(listener.name, ()), now),
        }
        for listener in listeners
    ]
    return made


_RESOLVED = Condition("ResolvedRefs", "ResolvedRefs", "All references resolved")


def _of(listener: Listener) -> list[Condition]:
    if listener.conflict:
        why = "Listener has a conflict with another listener attached to the same Gateway"
        return _excluded(Problem(listener.conflict, why))
    bad = Problem("Invalid", "Bad TLS configuration") if listener.problem else None
    refs = Condition("ResolvedRefs", "ResolvedRefs", _NO_ERRORS, listener.problem)
    if listener.asks_for_other_kinds:
        refs = Condition("ResolvedRefs", "InvalidRouteKinds", "Invalid route kinds", status="False")
    return [
        Condition("Accepted", "Accepted", _NO_ERRORS),
        Condition("Conflicted", "NoConflicts", _NO_ERRORS, status="False"),
        Condition("Programmed", "Programmed", _NO_ERRORS, bad),
        refs,
    ]


def _excluded(problem: Problem) -> list[Condition]:
    return [
        Condition("Accepted", "", "", problem),
        Condition("Conflicted", problem.reason, problem.message),
        Condition("Programmed", "", "", problem),
    ]


def _accepted(listeners: Sequence[Listener]) -> Condition:
    valid = [listener for listener in listeners if not listener.problem and not listener.conflict]
    if listeners and not valid:
        problem = Problem("ListenersNotValid", "None of the Gateway's listeners are valid")
        return Condition("Accepted", "", "", problem)
    if len(valid) < len(listeners):
        why = "One or more of the Gateway's listeners are invalid"
        return Condition("Accepted", "ListenersNotValid", why)
    return Condition("Accepted", "Accepted", "Resource accepted")


def _programmed(named: Sequence[str], reach: _Reach) -> Condition:
    message, problem = "Resource programmed", None
    assigned = _joined(reach.internal)
    if reach.internal:
        message = f"Resource programmed, assigned to service(s) {assigned}"
    if not named:
        problem = Problem("UnsupportedAddress", "Failed to assign to any requested addresses")
    elif reach.warnings:
        said = "; ".join(sorted(reach.warnings))
        why = f"Failed to assign to any requested addresses: {said}"
        if reach.internal:
            why = (
                f"Assigned to service(s) {assigned}, but failed to assign to all requested addresses: {said}"
            )
        problem = Problem("AddressNotUsable" if reach.unusable else "AddressNotAssigned", why)
    return Condition("Programmed", "Programmed", message, problem)


def _reach(
    named: Sequence[str], ports: Collection[int], instances: Mapping[str, Instance], wanted: str
) -> _Reach:
    """Return where Services are reached; wanted: the type of address where none is external."""
    found = _Reach()
    external: list[str] = []
    inside: list[str] = []
    for host in named:
        instance = instances.get(host)
        if instance is None:
            found.warnings.append(f'hostname "{host}" not found')
            found.unusable = True
            continue
        for port in sorted(ports):
            if instance.ports.get(port):
                found.internal.append(f"{host}:{port}")
                external += instance.external
                inside += instance.internal if wanted != _HOSTNAME else ()
                inside += [host] if wanted != _IP_ADDRESS and not instance.awaits_address else []
                if instance.awaits_address:
                    found.warnings.append(f'address pending for hostname "{host}"')
            elif not any(instance.ports.values()):
                found.warnings.append(f'no instances found for hostname "{host}"')
            elif port not in instance.ports:
                found.warnings.append(f'port {port} not found for hostname "{host}"')
                found.unusable = True
    found.addresses = list(dict.fromkeys(external or inside))
    return found


def _joined(names: Sequence[str]) -> str:
    if len(names) > 2:
        return f"{', '.join(names[:-1])}, and {names[-1]}"
    return " and ".join(names)


def _type(address: str) -> str:
    return _IP_ADDRESS if address.replace(".", "").isdigit() or ":" in address else _HOSTNAME


def instances(found: Iterable[Obj], slices: Iterable[Obj]) -> dict[str, Instance]:
    """Return Services as Gateways meet them, by full name."""
    ready = list(_ready(slices))
    return {host: _instance(service, host, ready) for service in found for host in [of_object(service)]}


def _instance(service: Obj, host: str, ready: Sequence[tuple[str, str]]) -> Instance:
    spec = service["spec"]
    ingress = service.get("status", {}).get("loadBalancer", {}).get("ingress") or []
    external = [str(entry.get("ip") or entry.get("hostname")) for entry in ingress]
    ports = {port["port"]: (host, port.get("name") or "") in ready for port in spec.get("ports") or ()}
    inside = [spec["clusterIP"]] if spec.get("clusterIP") not in (None, "", "None") else []
    awaits = spec.get("type") == "LoadBalancer" and not external
    return Instance(inside, [*external, *spec.get("externalIPs", ())], awaits, ports)


def _ready(slices: Iterable[Obj]) -> Iterator[tuple[str, str]]:
    for found in slices:
        metadata: Mapping[str, Any] = found["metadata"]
        name = metadata.get("labels", {}).get("kubernetes.io/service-name")
        if any(e.get("conditions", {}).get("ready") is not False for e in found.get("endpoints") or ()):
            for port in found.get("ports") or ():
                yield of_service(name, metadata["namespace"]), port.get("name") or ""
