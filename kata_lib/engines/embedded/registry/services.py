"""Cluster addresses and node ports of Services: allocated once, kept over updates."""

from collections.abc import Callable, Container, Iterable
from typing import Any, Protocol

from kata_lib.engines.embedded.registry.status import Cause, StatusError, internal, invalid
from kata_lib.engines.embedded.store import Obj

NODE_PORTS = range(30000, 32768)
NODE_PORT_TYPES = ("NodePort", "LoadBalancer")
ADDRESS_FIELDS = ("clusterIP", "clusterIPs")
BALANCER_FIELDS = ("allocateLoadBalancerNodePorts", "loadBalancerClass", "healthCheckNodePort")
FAMILY_FIELDS = ("ipFamilies", "ipFamilyPolicy")


class ServiceAddresses(Protocol):
    """Where cluster addresses come from."""

    def allocate_service(self, in_use: Container[str] = ()) -> str:
        """Return an address that is not in use."""

    def holds_service(self, address: str) -> bool:
        """Return whether an address is one of those that Services can have."""

    @property
    def service_range(self) -> str:
        """The addresses that Services can have, in words."""


class ServiceAllocator:
    """Gives Services what the cluster chooses for them, beside those that exist.

    `bindable` says whether this machine lets the node's proxy listen on a port.
    """

    def __init__(self, addresses: ServiceAddresses, bindable: Callable[[int], bool]) -> None:
        self._addresses = addresses
        self._bindable = bindable

    @staticmethod
    def keep(old: Obj, new: Obj) -> None:
        """Copy what an update left out and did not mean to change; drop what its new type has not."""
        before, after = old["spec"], new["spec"]
        if after.get("type") != "ExternalName":
            for key in (*ADDRESS_FIELDS, *FAMILY_FIELDS):
                if not after.get(key) and before.get(key):
                    after[key] = before[key]
        elif all(after.get(key) == before.get(key) for key in ADDRESS_FIELDS):
            for key in (*ADDRESS_FIELDS, *FAMILY_FIELDS):
                after.pop(key, None)
        if before.get("type") in NODE_PORT_TYPES and after.get("type") not in NODE_PORT_TYPES:
            known = {port.get("nodePort") for port in before.get("ports", [])}
            for port in after.get("ports", []):
                if port.get("nodePort") in known:
                    port.pop("nodePort", None)
            if after.get("externalTrafficPolicy") == before.get("externalTrafficPolicy"):
                after.pop("externalTrafficPolicy", None)
        if before.get("type") == "LoadBalancer" != after.get("type"):
            for key in BALANCER_FIELDS:
                if after.get(key) == before.get(key):
                    after.pop(key, None)

    def assign(self, service: Obj, old: Obj | None, others: Iterable[Obj]) -> None:
        """Set clusterIP, clusterIPs and nodePorts that are not set; raise StatusError where one is taken."""
        spec = service["spec"]
        others = list(others)
        if spec.get("type") != "ExternalName":
            self._assign_address(service, others)
        if spec.get("type") in NODE_PORT_TYPES:
            self._assign_ports(service, old, others)

    def _assign_address(self, service: Obj, others: list[Obj]) -> None:
        spec = service["spec"]
        taken = {other["spec"]["clusterIP"] for other in others if other["spec"].get("clusterIP")} - {"None"}
        address = spec.get("clusterIP")
        if not address:
            address = self._addresses.allocate_service(taken)
        elif address in taken:
            self._refuse_address(service, "provided IP is already allocated")
        elif address != "None" and not self._addresses.holds_service(address):
            known = f"The range of valid IPs is {self._addresses.service_range}"
            self._refuse_address(service, f"the provided IP ({address}) is not in the valid range. {known}")
        spec["clusterIP"], spec["clusterIPs"] = address, [address]

    def _assign_ports(self, service: Obj, old: Obj | None, others: list[Obj]) -> None:
        kept = {_key(port): port.get("nodePort") for port in old["spec"].get("ports", [])} if old else {}
        taken = {port.get("nodePort") for other in others for port in other["spec"].get("ports", [])}
        for index, port in enumerate(service["spec"].get("ports", [])):
            wanted = port.get("nodePort") or kept.get(_key(port))
            if not wanted:
                wanted = self._free_port(service, taken)
            elif wanted in taken:
                self._refuse(service, index, wanted, "provided port is already allocated")
            elif wanted not in NODE_PORTS:
                ports = f"The range of valid ports is {NODE_PORTS.start}-{NODE_PORTS.stop - 1}"
                self._refuse(service, index, wanted, f"provided port is not in the valid range. {ports}")
            elif wanted not in kept.values() and not self._bindable(wanted):
                self._refuse(service, index, wanted, "another program on this machine listens on the port")
            port["nodePort"] = wanted
            taken.add(wanted)

    def _free_port(self, service: Obj, taken: set[Any]) -> int:
        start = hash(service["metadata"]["uid"]) % len(NODE_PORTS)
        for offset in range(len(NODE_PORTS)):
            port = NODE_PORTS[(start + offset) % len(NODE_PORTS)]
            if port not in taken and self._bindable(port):
                return port
        raise internal("failed to allocate a nodePort: range is full")

    @staticmethod
    def _refuse_address(service: Obj, why: str) -> None:
        address = service["spec"]["clusterIP"]
        message = f'Invalid value: ["{address}"]: failed to allocate IP {address}: {why}'
        raise _invalid(service, Cause("spec.clusterIPs", "FieldValueInvalid", message))

    @staticmethod
    def _refuse(service: Obj, index: int, port: int, why: str) -> None:
        cause = Cause(f"spec.ports[{index}].nodePort", "FieldValueInvalid", f"Invalid value: {port}: {why}")
        raise _invalid(service, cause)


def _key(port: Obj) -> tuple[str, int]:
    return port.get("protocol", "TCP"), port["port"]


def _invalid(service: Obj, cause: Cause) -> StatusError:
    return invalid("Service", "", service["metadata"]["name"], [cause])
