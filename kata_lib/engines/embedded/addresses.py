"""Which addresses and ports are a cluster's own: the one place that decides.

Two plans with one interface. `LoopbackPlan`: Linux answers on all of 127.0.0.0/8, so each cluster has a block
of 4,096 addresses, and every pod, application and service in it an address of its own. `PortPlan`: where only
127.0.0.1 exists (macOS), pods and services have addresses in name only, and each (owner, port) is a port.

Nobody else assumes that a pod listens on status.podIP: ask `listen_at` and `application_at`.
"""

import ipaddress
import socket
import sys
import zlib
from collections.abc import Container, Iterator
from typing import Any, Protocol

from kata_lib.engines.embedded.state import State, read_json, write_json
from kata_lib.errors import EngineError

Address = tuple[str, int]

NODE = "node"
"""The owner to ask `listen_at` for: the node's own ports (node ports, its proxy port)."""

SERVER_PORT = 6443
NODE_PORTS = range(30000, 32768)


class AddressPlan(Protocol):
    """What the kubelet, the mesh and the registry ask."""

    def node_address(self) -> str:
        """The address of the API server and of node ports."""

    def server_address(self) -> Address:
        """Where the API server listens; its socket is what claims the block."""

    def allocate_service(self, in_use: Container[str] = ()) -> str:
        """Return a free cluster IP; one that was just freed comes back last."""

    def allocate_pod(self, pod_uid: str) -> str:
        """Return the pod's IP, the same one at every call until `release_pod`."""

    def release_pod(self, pod_uid: str) -> None:
        """Give back the pod's address and ports."""

    def pods(self) -> list[str]:
        """The uids of the pods that have an address."""

    def listen_at(self, owner: str, port: int) -> Address:
        """Where a pod's (or NODE's) `port` is reached by others: its sidecar, or itself without one."""

    def application_at(self, pod_uid: str, port: int) -> Address:
        """Where the application of a pod with a sidecar listens."""

    def service_at(self, cluster_ip: str, port: int) -> Address:
        """Where the node's Envoy listens for a service."""


class _Rotation:
    """Numbers 1..size-1 handed out in turn, so that a freed number is not soon another's."""

    def __init__(self, size: int, start: int = 0) -> None:
        self.size = size
        self.last = start

    def next(self, in_use: Container[int]) -> int:
        for step in range(1, self.size):
            number = (self.last + step - 1) % (self.size - 1) + 1
            if number not in in_use:
                self.last = number
                return number
        raise EngineError(
            f"All {self.size - 1} addresses of the cluster are in use: delete pods or services first."
        )


class _Plan:
    """What both plans share: pods' numbers, kept in a file so that they outlive the daemon."""

    pods_size = 1536
    services_size = 768

    def __init__(self, state: State, kept: dict[str, Any]) -> None:
        self._state = state
        self._kept = kept
        self._pods: dict[str, int] = kept.setdefault("pods", {})
        self._next_pod = _Rotation(self.pods_size, max(self._pods.values(), default=0))
        self._next_service = _Rotation(self.services_size)

    def _save(self) -> None:
        write_json(self._state.addresses, self._kept)

    def _pod_number(self, pod_uid: str) -> int:
        if pod_uid not in self._pods:
            self._pods[pod_uid] = self._next_pod.next(set(self._pods.values()))
            self._save()
        return self._pods[pod_uid]

    def pods(self) -> list[str]:
        return list(self._pods)

    def release_pod(self, pod_uid: str) -> None:
        if self._pods.pop(pod_uid, None) is not None:
            self._save()


class LoopbackPlan(_Plan):
    """A block 127.x.y.0/20: the node's address is its first, then services, pods, and the pods' applications."""

    kind = "loopback"
    blocks = range(16, 4080)
    services_offset, pods_offset, applications_offset = 256, 1024, 2560

    def _address(self, offset: int) -> str:
        return str(ipaddress.IPv4Address((127 << 24) + self._kept["block"] * 4096 + offset))

    def node_address(self) -> str:
        return self._address(1)

    def server_address(self) -> Address:
        return self.node_address(), SERVER_PORT

    def allocate_service(self, in_use: Container[str] = ()) -> str:
        taken = {n for n in range(1, self.services_size) if self._address(self.services_offset + n) in in_use}
        return self._address(self.services_offset + self._next_service.next(taken))

    def allocate_pod(self, pod_uid: str) -> str:
        return self._address(self.pods_offset + self._pod_number(pod_uid))

    def listen_at(self, owner: str, port: int) -> Address:
        return (self.node_address() if owner == NODE else self.allocate_pod(owner)), port

    def application_at(self, pod_uid: str, port: int) -> Address:
        return self._address(self.applications_offset + self._pod_number(pod_uid)), port

    def service_at(self, cluster_ip: str, port: int) -> Address:
        return cluster_ip, port


class PortPlan(_Plan):
    """One address, 127.0.0.1; ports are taken from below the range that outgoing connections use."""

    kind = "ports"
    ports = range(20000, 30000)

    def __init__(self, state: State, kept: dict[str, Any]) -> None:
        super().__init__(state, kept)
        self._ports: dict[str, int] = kept.setdefault("ports", {})

    def node_address(self) -> str:
        return "127.0.0.1"

    def server_address(self) -> Address:
        return self.node_address(), self._kept["server"]

    def allocate_service(self, in_use: Container[str] = ()) -> str:
        taken = {n for n in range(1, self.services_size) if f"10.96.{n >> 8}.{n & 255}" in in_use}
        number = self._next_service.next(taken)
        return f"10.96.{number >> 8}.{number & 255}"

    def allocate_pod(self, pod_uid: str) -> str:
        number = self._pod_number(pod_uid)
        return f"10.244.{number >> 8}.{number & 255}"

    def release_pod(self, pod_uid: str) -> None:
        for key in [key for key in self._ports if key.split(" ")[1] == pod_uid]:
            del self._ports[key]
        super().release_pod(pod_uid)

    def listen_at(self, owner: str, port: int) -> Address:
        if owner == NODE and port in NODE_PORTS:
            return self.node_address(), port
        return self._port(f"listen {owner} {port}")

    def application_at(self, pod_uid: str, port: int) -> Address:
        return self._port(f"application {pod_uid} {port}")

    def service_at(self, cluster_ip: str, port: int) -> Address:
        return self._port(f"service {cluster_ip} {port}")

    def _port(self, key: str) -> Address:
        if key not in self._ports:
            taken = {self._kept["server"], *self._ports.values()}
            start = zlib.crc32(f"{self._state.mark} {key}".encode())
            for step in range(len(self.ports)):
                port = self.ports[(start + step) % len(self.ports)]
                if port not in taken and is_free((self.node_address(), port)):
                    self._ports[key] = port
                    self._save()
                    break
            else:
                raise EngineError(f"No free port on 127.0.0.1 between {self.ports[0]} and {self.ports[-1]}.")
        return self.node_address(), self._ports[key]


def is_free(address: Address) -> bool:
    """Whether nobody listens there."""
    with socket.socket() as probe:
        try:
            probe.bind(address)
        except OSError:
            return False
    return True


def _listen(address: Address) -> socket.socket | None:
    """Return a listening socket, or None where the address is another's.

    It listens at once: with SO_REUSEADDR two sockets may be bound, but only one of them listens.
    """
    server = socket.socket()
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        server.bind(address)
        server.listen(128)
    except OSError:
        server.close()
        return None
    return server


def claim(state: State, kind: str | None = None) -> tuple[AddressPlan, socket.socket]:
    """Return the cluster's plan and its API server's listening socket, which is the claim.

    A cluster that had addresses gets the same ones again. `kind` is "loopback" or "ports"; by default the
    first on Linux and the second elsewhere. Raises EngineError where the addresses are another's by now.
    """
    kept = read_json(state.addresses)
    if kept is not None:
        plan = _plan(state, kept)
        server = _listen(plan.server_address())
        if server is None:
            host, port = plan.server_address()
            raise EngineError(
                f"The cluster {state.name!r} expects {host}:{port} for its API server, but another program "
                f"listens there. End that program, or start afresh: kata down, then kata up."
            )
        return plan, server
    for kept in _candidates(state, kind or ("loopback" if sys.platform == "linux" else "ports")):
        plan = _plan(state, kept)
        server = _listen(plan.server_address())
        if server is not None:
            write_json(state.addresses, kept)
            return plan, server
    raise EngineError("None of 64 loopback addresses that were tried is free: stop other clusters first.")


def load(state: State) -> AddressPlan:
    """Return the plan of a cluster that has claimed its addresses."""
    kept = read_json(state.addresses)
    if kept is None:
        raise EngineError(
            f"{state.addresses} is missing or damaged: start afresh with kata down, then kata up."
        )
    return _plan(state, kept)


def _plan(state: State, kept: dict[str, Any]) -> AddressPlan:
    return PortPlan(state, kept) if kept["kind"] == PortPlan.kind else LoopbackPlan(state, kept)


def _candidates(state: State, kind: str) -> Iterator[dict[str, Any]]:
    if kind not in (LoopbackPlan.kind, PortPlan.kind):
        raise EngineError(f"KATA_ADDRESSES is {kind!r}, but the address plans are 'loopback' and 'ports'.")
    blocks = LoopbackPlan.blocks
    ports = PortPlan.ports
    start = zlib.crc32(state.mark.encode())
    for step in range(64):
        if kind == PortPlan.kind:
            yield {"kind": kind, "server": ports[(start + step) % len(ports)]}
            continue
        kept = {"kind": kind, "block": blocks[(start + step) % len(blocks)]}
        node = LoopbackPlan(state, dict(kept)).node_address()
        if is_free((node, 15080)):  # a cluster whose daemon was killed still has its node's Envoy here
            yield kept
