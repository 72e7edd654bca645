"""One cluster for each Service port, and one more for each subset of its DestinationRule."""

from collections.abc import Iterator

from kata_lib.engines.embedded.mesh.translate import traffic_policy
from kata_lib.engines.embedded.mesh.translate.destination_rules import Rule, rule_for
from kata_lib.engines.embedded.mesh.translate.endpoints import load_assignment
from kata_lib.engines.embedded.mesh.translate.hosts import cluster_name
from kata_lib.engines.embedded.mesh.translate.model import (
    Addresses,
    Envoy,
    MeshSnapshot,
    Service,
    ServicePort,
)
from kata_lib.engines.embedded.mesh.translate.sources import discovery
from kata_lib.engines.embedded.mesh.translate.traffic_policy.connection_pool import (
    AS_ASKED,
    HTTP2,
    http_options,
)

_UNLIMITED = 4294967295
CONNECT_TIMEOUT = "10s"


def outbound(snapshot: MeshSnapshot, namespace: str) -> dict[str, Envoy]:
    """Return the clusters that a proxy in `namespace` reaches, by name."""
    return snapshot.once(("clusters", namespace), lambda: _outbound(snapshot, namespace))


def endpoints(snapshot: MeshSnapshot, namespace: str, addresses: Addresses) -> dict[str, Envoy]:
    """Return the endpoints of those clusters by the clusters' names."""
    return snapshot.once(("endpoints", namespace), lambda: _endpoints(snapshot, namespace, addresses))


def _outbound(snapshot: MeshSnapshot, namespace: str) -> dict[str, Envoy]:
    made: dict[str, Envoy] = {}
    for name, (service, port, subset, rule) in _named(snapshot, namespace):
        made[name] = outbound_cluster(name, service, port, subset)
        traffic_policy.apply(rule.policy_for(subset, port.number), made[name])
    return made


def _endpoints(snapshot: MeshSnapshot, namespace: str, addresses: Addresses) -> dict[str, Envoy]:
    made: dict[str, Envoy] = {}
    for name, (service, port, subset, rule) in _named(snapshot, namespace):
        labels = rule.subsets[subset].get("labels", {}) if subset else {}
        made[name] = load_assignment(name, snapshot, service, port, addresses, labels)
    return made


def _named(
    snapshot: MeshSnapshot, namespace: str
) -> Iterator[tuple[str, tuple[Service, ServicePort, str, Rule]]]:
    """Yield the name of each cluster, and what it leads to; a subset of "" is the whole Service."""
    for service in snapshot.services.values():
        rule = rule_for(snapshot, service, namespace)
        for port in service.ports:
            for subset in ("", *rule.subsets):
                yield cluster_name(service.hostname, port.number, subset), (service, port, subset, rule)


def outbound_cluster(name: str, service: Service, port: ServicePort, subset: str = "") -> Envoy:
    """Return a cluster with istiod's defaults, its endpoints to come by discovery."""
    cluster = {
        "name": name,
        "type": "EDS",
        "eds_cluster_config": {"eds_config": discovery(), "service_name": name},
        "connect_timeout": CONNECT_TIMEOUT,
        "lb_policy": "LEAST_REQUEST",
        "circuit_breakers": unlimited(),
        "common_lb_config": {"healthy_panic_threshold": {}},
        "metadata": {
            "filter_metadata": {
                "istio": {
                    "default_original_port": port.number,
                    "services": [
                        {"host": service.hostname, "name": service.name, "namespace": service.namespace}
                    ],
                    **({"subset": subset} if subset else {}),
                },
                "kata": {"host": service.hostname, "name": service.name, "namespace": service.namespace},
            }
        },
    }
    speak(cluster, port)
    return cluster


def speak(cluster: Envoy, port: ServicePort) -> None:
    """Let a cluster use a port's version of HTTP; where none is declared, that of the request."""
    if port.http2:
        http_options(cluster, HTTP2)
    elif port.protocol is None:
        http_options(cluster, AS_ASKED)


def unlimited() -> Envoy:
    """Return istiod's circuit breakers: Envoy's own limit of 1,024 would be a surprise."""
    limits = ("max_connections", "max_pending_requests", "max_requests", "max_retries")
    return {"thresholds": [dict.fromkeys(limits, _UNLIMITED)]}
