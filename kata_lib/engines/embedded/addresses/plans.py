"""The two address plans."""

import ipaddress
import os
import zlib
from collections.abc import Container
from pathlib import Path
from typing import Any

from kata_lib.engines.embedded.state import State
from kata_lib.engines.ports import Address, is_free
from kata_lib.errors import EngineError
from kata_lib.files import write_json

NODE = "node"
"""The owner to ask `listen_at` for: the node's own ports (node ports, its proxy port)."""

SERVER_PORT = 6443
NODE_PORTS = range(30000, 32768)


PRIVILEGED = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
MOVED = 20_000
LOOPBACK = 127 << 24
BLOCK_PREFIX = 20


def first_free_to_all() -> int:
    """Return the first port at which this process may listen: Linux keeps those below for root."""
    if os.geteuid() == 0 or not PRIVILEGED.exists():
        return 0
    return int(PRIVILEGED.read_text())


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
    """A block 127.x.y.0/20: the node's address, then services', pods', and the pods' applications'.

    A port that is root's alone, such as 80, is moved up for anybody else.
    """

    kind = "loopback"
    blocks = range(16, 4080)
    services_offset, pods_offset, applications_offset = 256, 1024, 2560

    @classmethod
    def blocks_of(cls, network: ipaddress.IPv4Network) -> range:
        """Return the blocks in a network; ValueError where it has none, or one that no cluster may have."""
        size = 1 << (32 - BLOCK_PREFIX)
        blocks = range((int(network[0]) - LOOPBACK) // size, (int(network[-1]) + 1 - LOOPBACK) // size)
        if network.prefixlen > BLOCK_PREFIX or blocks.start not in cls.blocks or blocks[-1] not in cls.blocks:
            first, last = (
                ipaddress.IPv4Address(LOOPBACK + n * size) for n in (cls.blocks[0], cls.blocks[-1])
            )
            raise ValueError(f"clusters have blocks of /{BLOCK_PREFIX} from {first} to {last}")
        return blocks

    def __init__(self, state: State, kept: dict[str, Any], first_port: int | None = None) -> None:
        super().__init__(state, kept)
        self._first_port = first_free_to_all() if first_port is None else first_port

    def _open(self, port: int) -> int:
        return port if port >= self._first_port else MOVED + port

    def _address(self, offset: int) -> str:
        return str(ipaddress.IPv4Address(LOOPBACK + (self._kept["block"] << (32 - BLOCK_PREFIX)) + offset))

    def node_address(self) -> str:
        return self._address(1)

    def server_address(self) -> Address:
        return self.node_address(), SERVER_PORT

    def allocate_service(self, in_use: Container[str] = ()) -> str:
        taken = {n for n in range(1, self.services_size) if self._address(self.services_offset + n) in in_use}
        return self._address(self.services_offset + self._next_service.next(taken))

    def holds_service(self, address: str) -> bool:
        return address in {self._address(self.services_offset + n) for n in range(1, self.services_size)}

    @property
    def service_range(self) -> str:
        first, last = self.services_offset + 1, self.services_offset + self.services_size - 1
        return f"{self._address(first)}-{self._address(last)}"

    def allocate_pod(self, pod_uid: str) -> str:
        return self._address(self.pods_offset + self._pod_number(pod_uid))

    def listen_at(self, owner: str, port: int) -> Address:
        return (self.node_address() if owner == NODE else self.allocate_pod(owner)), self._open(port)

    def application_at(self, pod_uid: str, port: int) -> Address:
        return self._address(self.applications_offset + self._pod_number(pod_uid)), self._open(port)

    def can_listen(self, node_port: int) -> bool:
        return True  # the node's address is the cluster's alone

    def service_at(self, cluster_ip: str, port: int) -> Address:
        return cluster_ip, self._open(port)


class PortPlan(_Plan):
    """One address, 127.0.0.1; ports are taken from below the range that outgoing connections use."""

    kind = "ports"
    ports = range(20000, 30000)

    def __init__(self, state: State, kept: dict[str, Any]) -> None:
        super().__init__(state, kept)
        self._ports: dict[str, int] = kept.setdefault("ports", {})
        self._node_ports: set[int] = set()

    def node_address(self) -> str:
        return "127.0.0.1"

    def server_address(self) -> Address:
        return self.node_address(), self._kept["server"]

    def allocate_service(self, in_use: Container[str] = ()) -> str:
        taken = {n for n in range(1, self.services_size) if f"10.96.{n >> 8}.{n & 255}" in in_use}
        number = self._next_service.next(taken)
        return f"10.96.{number >> 8}.{number & 255}"

    @property
    def service_range(self) -> str:
        return f"10.96.0.1-10.96.{(self.services_size - 1) >> 8}.255"

    def holds_service(self, address: str) -> bool:
        return address in {f"10.96.{n >> 8}.{n & 255}" for n in range(1, self.services_size)}

    def allocate_pod(self, pod_uid: str) -> str:
        number = self._pod_number(pod_uid)
        return f"10.244.{number >> 8}.{number & 255}"

    def release_pod(self, pod_uid: str) -> None:
        for key in [key for key in self._ports if key.split(" ")[1] == pod_uid]:
            del self._ports[key]
        super().release_pod(pod_uid)

    def listen_at(self, owner: str, port: int) -> Address:
        if owner == NODE and port in NODE_PORTS:
            self._node_ports.add(port)
            return self.node_address(), port
        return self._port(f"listen {owner} {port}")

    def application_at(self, pod_uid: str, port: int) -> Address:
        return self._port(f"application {pod_uid} {port}")

    def can_listen(self, node_port: int) -> bool:
        return node_port in self._node_ports or is_free((self.node_address(), node_port))

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
