"""What translate/ reads and returns: a snapshot of the cluster, one proxy, and that proxy's configuration."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, Protocol, TypeVar

from kata_lib.cluster import hosts, service_ports
from kata_lib.engines.embedded.store import Obj

Made = TypeVar("Made")
ProxyKind = Literal["sidecar", "router", "node"]
Envoy = dict[str, Any]
"""One Envoy message in its JSON form."""


class Addresses(Protocol):
    """Where things listen on this machine; see addresses.py."""

    def listen_at(self, owner: str, port: int) -> tuple[str, int]: ...
    def application_at(self, pod_uid: str, port: int) -> tuple[str, int]: ...
    def service_at(self, cluster_ip: str, port: int) -> tuple[str, int]: ...


@dataclass(frozen=True)
class Proxy:
    """Whose configuration is made: a pod's sidecar or a gateway (`pod` is the pod), or the node's Envoy."""

    kind: ProxyKind
    namespace: str
    labels: Mapping[str, str] = field(default_factory=dict)
    pod: Obj | None = None


@dataclass(frozen=True)
class ProxyConfig:
    """Envoy's resources by name; `endpoints` are keyed by the cluster they belong to."""

    listeners: dict[str, Envoy]
    clusters: dict[str, Envoy]
    endpoints: dict[str, Envoy]
    routes: dict[str, Envoy]


@dataclass(frozen=True)
class ServicePort:
    """One port of a Service."""

    name: str
    number: int
    target: int | str
    node_port: int | None
    protocol: service_ports.Protocol | None

    @property
    def routed(self) -> bool:
        """Whether HTTP rules hold."""
        return service_ports.routed(self.protocol)

    @property
    def http2(self) -> bool:
        """Whether requests are sent as HTTP/2."""
        return self.protocol in ("http2", "grpc", "grpc-web")


@dataclass(frozen=True)
class Service:
    """What the mesh needs to know of a Service."""

    name: str
    namespace: str
    cluster_ip: str | None
    selector: Mapping[str, str]
    ports: Sequence[ServicePort]

    @property
    def hostname(self) -> str:
        """The full name under which the mesh knows it."""
        return hosts.of_service(self.name, self.namespace)


@dataclass(frozen=True)
class Endpoint:
    """One ready address of a Service's port; `pod` is the pod behind it, where it is known."""

    address: str
    port: int
    pod: Obj | None


class MeshSnapshot:
    """The cluster at one moment, indexed once for all proxies."""

    def __init__(
        self,
        *,
        services: Iterable[Obj] = (),
        endpoint_slices: Iterable[Obj] = (),
        pods: Iterable[Obj] = (),
        virtual_services: Iterable[Obj] = (),
        destination_rules: Iterable[Obj] = (),
        http_routes: Iterable[Obj] = (),
        gateways: Iterable[Obj] = (),
        api_gateways: Iterable[Obj] = (),
        reference_grants: Iterable[Obj] = (),
        namespaces: Iterable[Obj] = (),
        secrets: Iterable[Obj] = (),
    ) -> None:
        self._services = list(services)
        self._slices = list(endpoint_slices)
        self._pods = {pod["metadata"]["uid"]: pod for pod in pods}
        self._made: dict[tuple[Hashable, ...], Any] = {}
        self.virtual_services = sorted(virtual_services, key=age)
        self.http_routes = list(http_routes)
        self.destination_rules = sorted(destination_rules, key=age)
        self.gateways = sorted(gateways, key=age)
        self.api_gateways = list(api_gateways)
        self.reference_grants = list(reference_grants)
        self.namespaces = list(namespaces)
        self.secrets = {(obj["metadata"]["namespace"], obj["metadata"]["name"]): obj for obj in secrets}

    def once(self, key: tuple[Hashable, ...], make: Callable[[], Made]) -> Made:
        """Return what `make` makes for a key, made once for all proxies of this moment."""
        if key not in self._made:
            self._made[key] = make()
        made: Made = self._made[key]
        return made

    @cached_property
    def services(self) -> dict[str, Service]:
        """Services by hostname, in the order of their names."""
        found = [_service(obj) for obj in self._services if obj["spec"].get("type") != "ExternalName"]
        return {service.hostname: service for service in sorted(found, key=lambda s: (s.namespace, s.name))}

    @cached_property
    def endpoints(self) -> Mapping[tuple[str, str], list[Endpoint]]:
        """Ready endpoints by (hostname, port name)."""
        found: dict[tuple[str, str], list[Endpoint]] = defaultdict(list)
        for endpoint_slice in self._slices:
            metadata = endpoint_slice["metadata"]
            name = metadata.get("labels", {}).get("kubernetes.io/service-name")
            hostname = hosts.of_service(name, metadata["namespace"])
            for port in endpoint_slice.get("ports") or []:
                for endpoint in endpoint_slice.get("endpoints") or []:
                    if endpoint.get("conditions", {}).get("ready") is not False:
                        pod = self._pods.get(endpoint.get("targetRef", {}).get("uid"))
                        found[hostname, port.get("name") or ""].append(
                            Endpoint(endpoint["addresses"][0], port["port"], pod)
                        )
        return found


def age(obj: Obj) -> tuple[str, str, str]:
    """Return the key by which istiod sorts resources: the oldest first, then by name."""
    metadata = obj["metadata"]
    return metadata.get("creationTimestamp") or "", metadata["name"], metadata["namespace"]


def _service(obj: Obj) -> Service:
    spec, metadata = obj["spec"], obj["metadata"]
    cluster_ip = spec.get("clusterIP")
    return Service(
        name=metadata["name"],
        namespace=metadata["namespace"],
        cluster_ip=None if cluster_ip in (None, "", "None") else cluster_ip,
        selector=spec.get("selector") or {},
        ports=[
            ServicePort(
                name=port.get("name") or "",
                number=port["port"],
                target=port.get("targetPort") or port["port"],
                node_port=port.get("nodePort"),
                protocol=service_ports.protocol(port),
            )
            for port in spec.get("ports") or []
        ],
    )
