"""Which servers a gateway's pod has: of every Gateway that selects it, merged by the port that it listens at.

A Gateway names ports of a Service; the pod listens where that Service sends its requests.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kata_lib.cluster.labels import selects
from kata_lib.engines.embedded.mesh.translate import gateway_api
from kata_lib.engines.embedded.mesh.translate.fields import LEAF, Keys, OneOf, Tree
from kata_lib.engines.embedded.mesh.translate.gateway_api.listeners import GATEWAY_SERVICE
from kata_lib.engines.embedded.mesh.translate.model import MeshSnapshot, age
from kata_lib.engines.embedded.store import Obj

_HTTP = ("HTTP", "HTTP2", "GRPC", "GRPC-WEB")
_HTTPS = "HTTPS"
_WRITTEN = tuple(written for name in (*_HTTP, _HTTPS) for written in (name, name.lower()))
FIELDS: Tree = {
    "selector": Keys(LEAF),
    "servers": [
        {
            "name": LEAF,
            "port": {"number": LEAF, "name": LEAF, "protocol": OneOf(_WRITTEN)},
            "hosts": [LEAF],
            "tls": {
                "httpsRedirect": LEAF,
                "mode": OneOf(("SIMPLE",)),
                "credentialName": LEAF,
            },
        }
    ],
}


@dataclass(frozen=True)
class Server:
    """One server of a Gateway; gateway: NAMESPACE/NAME. Hosts are [NAMESPACE/]HOST."""

    gateway: str
    port: int
    name: str
    protocol: str
    hosts: tuple[str, ...]
    tls: Mapping[str, Any] | None

    @property
    def secure(self) -> bool:
        """Whether it decrypts."""
        return self.protocol == _HTTPS

    @property
    def redirects(self) -> bool:
        """Whether it sends callers to HTTPS."""
        return bool((self.tls or {}).get("httpsRedirect"))

    def table(self, listening: int) -> str:
        """Return istiod's name for its route table: servers of HTTP share that of the pod's port."""
        if not self.secure:
            return f"http.{listening}"
        namespace, _, name = self.gateway.partition("/")
        return f"https.{self.port}.{self.name}.{name}.{namespace}"


@dataclass
class Port:
    """One port at which a pod listens, and its servers by their route table, in the order of their names."""

    number: int
    tables: dict[str, list[Server]] = field(default_factory=dict)
    _taken: set[str] = field(default_factory=set)

    def add(self, server: Server) -> None:
        """Add a server unless one that was there before excludes it, as istiod judges it."""
        if server.tls is not None:
            if self._taken & set(server.hosts):
                return
            self._taken.update(server.hosts)
        there = [server.secure for servers in self.tables.values() for server in servers]
        name = server.table(self.number)
        if server.secure and (False in there or name in self.tables):
            return
        self.tables.setdefault(name, []).append(server)


def ports(snapshot: MeshSnapshot, pod: Obj) -> list[Port]:
    """Return the ports of a gateway's pod."""
    found: dict[int, Port] = {}
    targets = list(_targets(snapshot, pod))
    for gateway in sorted([*snapshot.gateways, *gateway_api.of(snapshot).istio], key=age):
        if (asked := _asked(gateway, pod, targets)) is None:
            continue
        for server in _servers(gateway):
            for number in _listening(server.port, asked, direct=GATEWAY_SERVICE in _annotations(gateway)):
                found.setdefault(number, Port(number)).add(server)
    return list(found.values())


@dataclass(frozen=True)
class _Target:
    """A port of a Service that selects the pod, and where the pod gets its requests."""

    service: str
    port: int
    number: int


def _targets(snapshot: MeshSnapshot, pod: Obj) -> Iterator[_Target]:
    declared = [port for container in pod["spec"]["containers"] for port in container.get("ports", ())]
    named = {port["name"]: port["containerPort"] for port in declared if "name" in port}
    for service in snapshot.services.values():
        if service.namespace == pod["metadata"]["namespace"] and selects(service.selector, pod):
            for port in service.ports:
                number = named.get(port.target) if isinstance(port.target, str) else port.target
                if number is not None:
                    yield _Target(service.hostname, port.number, number)


def _asked(gateway: Obj, pod: Obj, targets: Sequence[_Target]) -> list[_Target] | None:
    """Return by which ports of Services a Gateway is asked at a pod; None where it is not for the pod."""
    if services := _annotations(gateway).get(GATEWAY_SERVICE):
        return [target for target in targets if target.service in services.split(",")] or None
    selector = gateway["spec"].get("selector") or {}
    labels = pod["metadata"].get("labels") or {}
    return [*targets] if selector.items() <= labels.items() else None


def _listening(port: int, targets: Sequence[_Target], *, direct: bool) -> list[int]:
    """Return where a pod listens for a server's port: where its Services say, else at the port itself.

    `direct`: the Gateway names its Service, so that nothing is there where that has no such port.
    """
    numbers = list(dict.fromkeys(target.number for target in targets if target.port == port))
    return numbers if direct else (numbers or [port])[:1]


def _servers(gateway: Obj) -> Iterator[Server]:
    metadata = gateway["metadata"]
    for server in gateway["spec"].get("servers") or ():
        yield Server(
            gateway=f"{metadata['namespace']}/{metadata['name']}",
            port=server["port"]["number"],
            name=server["port"]["name"],
            protocol=server["port"]["protocol"].upper(),
            hosts=tuple(_hosts(server["hosts"], metadata["namespace"])),
            tls=server.get("tls"),
        )


def _hosts(written: Sequence[str], namespace: str) -> list[str]:
    """Return hosts with the namespaces that they are open to by name, without one where to all."""
    if "*/*" in written:
        return ["*"]
    own = (f"{namespace}{host[1:]}" if host.startswith("./") else host for host in written)
    return [host.removeprefix("*/") for host in own]


def _annotations(gateway: Obj) -> Mapping[str, str]:
    return gateway["metadata"].get("annotations") or {}
