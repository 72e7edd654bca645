"""What translate/ reads and returns: a snapshot of the cluster, one proxy, and that proxy's configuration."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypedDict, TypeVar, Unpack

from kata_lib.cluster import hosts, service_ports
from kata_lib.engines.embedded.mesh.translate.memo import Memo
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


@dataclass(frozen=True, eq=False)
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


class Objects(TypedDict, total=False):
    """The cluster's objects by what the mesh takes them for."""

    services: Iterable[Obj]
    endpoint_slices: Iterable[Obj]
    pods: Iterable[Obj]
    virtual_services: Iterable[Obj]
    destination_rules: Iterable[Obj]
    http_routes: Iterable[Obj]
    gateways: Iterable[Obj]
    api_gateways: Iterable[Obj]
    reference_grants: Iterable[Obj]
    namespaces: Iterable[Obj]
    secrets: Iterable[Obj]


class MeshSnapshot:
    """The cluster at one moment, indexed once for all proxies."""

    def __init__(self, **objects: Unpack[Objects]) -> None:
        self._objects: dict[str, list[Obj]] = {
            part: list(found)  # type: ignore[call-overload]  # mypy: the values of a TypedDict are objects
            for part, found in objects.items()
        }
        self._memo = Memo()

    def then(self, **changed: Unpack[Objects]) -> "MeshSnapshot":
        """Return a later moment, at which these are other ones; what was made of the rest is kept."""
        later = MeshSnapshot(**changed)
        later._objects = self._objects | later._objects
        later._memo = self._memo.then(changed)
        return later

    def once(self, key: tuple[Hashable, ...], make: Callable[[], Made]) -> Made:
        """Return what `make` makes for a key, made once for all proxies, and anew only where it has to be.

        It depends on the key and on this snapshot alone, and nobody may change it.
        """
        return self._memo.once(key, make)

    def _of(self, part: str) -> list[Obj]:
        self._memo.note(part)
        return self._objects.get(part, [])

    def _by_age(self, part: str) -> list[Obj]:
        return self.once(("indexed", part), lambda: sorted(self._of(part), key=age))

    @property
    def virtual_services(self) -> list[Obj]:
        """VirtualServices, the oldest first."""
        return self._by_age("virtual_services")

    @property
    def destination_rules(self) -> list[Obj]:
        """DestinationRules, the oldest first."""
        return self._by_age("destination_rules")

    @property
    def gateways(self) -> list[Obj]:
        """Istio's Gateways, the oldest first."""
        return self._by_age("gateways")

    @property
    def http_routes(self) -> list[Obj]:
        """HTTPRoutes."""
        return self._of("http_routes")

    @property
    def api_gateways(self) -> list[Obj]:
        """The Gateway API's Gateways."""
        return self._of("api_gateways")

    @property
    def reference_grants(self) -> list[Obj]:
        """ReferenceGrants."""
        return self._of("reference_grants")

    @property
    def namespaces(self) -> list[Obj]:
        """Namespaces."""
        return self._of("namespaces")

    @property
    def secrets(self) -> dict[tuple[str, str], Obj]:
        """Secrets by namespace and name."""
        return self.once(("indexed", "secrets"), lambda: {_place(obj): obj for obj in self._of("secrets")})

    @property
    def services(self) -> dict[str, Service]:
        """Services by hostname, in the order of their names."""
        return self.once(("indexed", "services"), lambda: _services(self._of("services")))

    @property
    def endpoints(self) -> Mapping[tuple[str, str], list[Endpoint]]:
        """Ready endpoints by (hostname, port name)."""
        return self.once(
            ("indexed", "endpoints"), lambda: _endpoints(self._of("endpoint_slices"), self._of("pods"))
        )


def _place(obj: Obj) -> tuple[str, str]:
    return obj["metadata"]["namespace"], obj["metadata"]["name"]


def _services(objects: Iterable[Obj]) -> dict[str, Service]:
    found = [_service(obj) for obj in objects if obj["spec"].get("type") != "ExternalName"]
    return {service.hostname: service for service in sorted(found, key=lambda s: (s.namespace, s.name))}


def _endpoints(slices: Iterable[Obj], pods: Iterable[Obj]) -> dict[tuple[str, str], list[Endpoint]]:
    by_uid = {pod["metadata"]["uid"]: pod for pod in pods}
    found: dict[tuple[str, str], list[Endpoint]] = defaultdict(list)
    for endpoint_slice in slices:
        metadata = endpoint_slice["metadata"]
        name = metadata.get("labels", {}).get("kubernetes.io/service-name")
        hostname = hosts.of_service(name, metadata["namespace"])
        for port in endpoint_slice.get("ports") or []:
            for endpoint in endpoint_slice.get("endpoints") or []:
                if endpoint.get("conditions", {}).get("ready") is not False:
                    pod = by_uid.get(endpoint.get("targetRef", {}).get("uid"))
                    found[hostname, port.get("name") or ""].append(
                        Endpoint(endpoint["addresses"][0], port["port"], pod)
                    )
    return dict(found)


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
