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

from kata_lib.engines.embedded.addresses.plans import NODE, LoopbackPlan, PortPlan
from kata_lib.engines.embedded.state import State
from kata_lib.engines.ports import Address, is_free
from kata_lib.errors import EngineError
from kata_lib.files import read_json, write_json

__all__ = ["NODE", "Address", "AddressPlan", "LoopbackPlan", "PortPlan", "claim", "load"]

PROXY_PORT = 15080
MOST_TRIED = 64
"""Blocks or ports that are tried before none is said to be free."""


class AddressPlan(Protocol):
    """What the kubelet, the mesh and the registry ask."""

    def node_address(self) -> str:
        """The address of the API server and of node ports."""

    def server_address(self) -> Address:
        """Where the API server listens; its socket is what claims the block."""

    def allocate_service(self, in_use: Container[str] = ()) -> str:
        """Return a free cluster IP; one that was just freed comes back last."""

    def holds_service(self, address: str) -> bool:
        """Return whether an address is one of those that services have."""

    @property
    def service_range(self) -> str:
        """The addresses that services have, in words."""

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

    def can_listen(self, node_port: int) -> bool:
        """Return whether the node's Envoy can listen on a node port."""

    def service_at(self, cluster_ip: str, port: int) -> Address:
        """Where the node's Envoy listens for a service."""


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

    A cluster that had addresses gets the same ones again. `kind` is "loopback", "ports", or the network of
    loopback in which the block is to be; by default the first on Linux and the second elsewhere. Raises
    EngineError where the addresses are another's by now.
    """
    kept = read_json(state.addresses)
    if kept is not None:
        plan = _plan(state, kept)
        _check_share(state, kept, kind)
        server = _listen(plan.server_address())
        if server is None:
            host, port = plan.server_address()
            raise EngineError(
                f"The cluster {state.name!r} expects {host}:{port} for its API server, but another program "
                f"listens there. End that program, or start afresh: kata down, then kata up."
            )
        return plan, server
    for kept in _candidates(state, kind):
        plan = _plan(state, kept)
        server = _listen(plan.server_address())
        if server is not None:
            write_json(state.addresses, kept)
            return plan, server
    raise EngineError("No loopback address of those that were tried is free: stop other clusters first.")


def _check_share(state: State, kept: dict[str, Any], kind: str | None) -> None:
    """Raise EngineError where a cluster's block is not of the network in which it is to be."""
    if kept["kind"] == LoopbackPlan.kind and "/" in (kind or "") and kept["block"] not in _blocks(str(kind)):
        raise EngineError(
            f"The cluster {state.name!r} has addresses outside {kind}, which KATA_ADDRESSES names: kata "
            "down, then kata up, gives it some of those."
        )


def available(state: State, kind: str | None = None) -> Address | None:
    """Return where `claim` would let the API server listen; None where another listens. Claims nothing."""
    kept = read_json(state.addresses)
    candidates = _candidates(state, kind) if kept is None else [kept]
    addresses = (_plan(state, candidate).server_address() for candidate in candidates)
    return next((address for address in addresses if is_free(address)), None)


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


def _candidates(state: State, kind: str | None) -> Iterator[dict[str, Any]]:
    kind = kind or (LoopbackPlan.kind if sys.platform == "linux" else PortPlan.kind)
    if kind == PortPlan.kind:
        yield from ({"kind": kind, "server": port} for port in _from_own(state, PortPlan.ports))
        return
    for block in _from_own(state, _blocks(kind)):
        kept = {"kind": LoopbackPlan.kind, "block": block}
        node = LoopbackPlan(state, dict(kept)).node_address()
        if is_free((node, PROXY_PORT)):  # a cluster whose daemon was killed still has its node's Envoy here
            yield kept


def _from_own(state: State, numbers: range) -> Iterator[int]:
    """Yield at most MOST_TRIED of the numbers, from one that goes by the cluster's folder."""
    start = zlib.crc32(state.mark.encode())
    return (numbers[(start + step) % len(numbers)] for step in range(min(MOST_TRIED, len(numbers))))


def _blocks(kind: str) -> range:
    """Return the blocks of "loopback", or of a network such as 127.3.0.0/17: a share of it for one person."""
    if kind == LoopbackPlan.kind:
        return LoopbackPlan.blocks
    try:
        return LoopbackPlan.blocks_of(ipaddress.IPv4Network(kind))
    except ValueError as error:
        raise EngineError(
            f"KATA_ADDRESSES is {kind!r}, but expected is 'loopback', 'ports', or a network of loopback "
            f"such as 127.3.0.0/17: {error}."
        ) from error
