"""The ready pods of a cluster, named with workload and version so that a proxy can count by them."""

from collections.abc import Mapping

from kata_lib.cluster.labels import carries
from kata_lib.cluster.pods import has_sidecar
from kata_lib.engines.embedded.mesh.injection import (
    canonical_name,
    canonical_revision,
    workload_name,
)
from kata_lib.engines.embedded.mesh.translate.model import (
    Addresses,
    Endpoint,
    Envoy,
    MeshSnapshot,
    Service,
    ServicePort,
)
from kata_lib.engines.embedded.store import Obj


def load_assignment(
    name: str,
    snapshot: MeshSnapshot,
    service: Service,
    port: ServicePort,
    addresses: Addresses,
    labels: Mapping[str, str],
) -> Envoy:
    """Return the endpoints of a cluster: the Service's ready ones whose pods carry the labels."""
    endpoints = [
        _endpoint(endpoint, addresses)
        for endpoint in snapshot.endpoints.get((service.hostname, port.name), [])
        if carries(endpoint.pod or {}, labels)
    ]
    endpoints.sort(key=lambda endpoint: str(endpoint["endpoint"]))
    return {"cluster_name": name, "endpoints": [{"lb_endpoints": endpoints}] if endpoints else []}


def _endpoint(endpoint: Endpoint, addresses: Addresses) -> Envoy:
    host, port = endpoint.address, endpoint.port
    if endpoint.pod is None:
        return {"endpoint": {"address": socket_address(host, port)}}
    host, port = addresses.listen_at(endpoint.pod["metadata"]["uid"], port)
    named = {"address": socket_address(host, port), "hostname": endpoint.pod["metadata"]["name"]}
    return {"endpoint": named, "metadata": {"filter_metadata": {"kata": _as_called(endpoint.pod)}}}


def describe(pod: Obj) -> dict[str, str]:
    """Return the names by which requests from or to a pod are counted; "" where its labels do not say."""
    labels = pod["metadata"].get("labels", {})
    return {
        "workload": workload_name(pod),
        "namespace": pod["metadata"]["namespace"],
        "app": labels.get("app", ""),
        "version": labels.get("version", ""),
        "canonical_service": canonical_name(pod),
        "canonical_revision": canonical_revision(pod),
    }


def _as_called(pod: Obj) -> dict[str, str]:
    """Return the names by which a caller counts; application and version only a sidecar would tell it."""
    described = describe(pod)
    if not has_sidecar(pod):
        described |= {"app": "", "version": ""}
    return {name: said or "unknown" for name, said in described.items()}


def socket_address(host: str, port: int) -> Envoy:
    """Return an address in Envoy's form."""
    return {"socket_address": {"address": host, "port_value": port}}
