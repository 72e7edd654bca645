"""What a sidecar's configuration dump is while certain objects stand, without an Envoy.

The embedded engine's translation makes it, which equals istiod's (test_mesh_reference.py).
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kata_lib.cluster.pods import is_ready
from kata_lib.engines.embedded.mesh.translate import MeshSnapshot, Proxy, translate

Obj = dict[str, Any]
_TYPE = "type.googleapis.com/envoy.admin.v3."


class Addresses:
    """Every pod listens at an address of its own: its uid."""

    def listen_at(self, owner: str, port: int) -> tuple[str, int]:
        return owner, port

    def application_at(self, pod_uid: str, port: int) -> tuple[str, int]:
        return f"application of {pod_uid}", port

    def service_at(self, cluster_ip: str, port: int) -> tuple[str, int]:
        return cluster_ip, port


def config_dump(objects: Mapping[str, Obj], pod: Obj) -> Obj:
    """Return what the Envoy of a pod has in force; objects: those of the namespace default by API path."""
    pods = list(_of(objects, "pods"))
    services = list(_of(objects, "services"))
    snapshot = MeshSnapshot(
        services=services,
        endpoint_slices=[_slice(service, pods) for service in services],
        pods=pods,
        virtual_services=_of(objects, "virtualservices"),
        destination_rules=_of(objects, "destinationrules"),
    )
    own = _in_default(pod)
    config = translate(snapshot, Proxy("sidecar", "default", own["metadata"]["labels"], own), Addresses())
    listeners = [{"active_state": {"listener": listener}} for listener in config.listeners.values()]
    return {
        "configs": [
            _section("Listeners", "dynamic_listeners", listeners),
            _section("Routes", "dynamic_route_configs", _each("route_config", config.routes)),
            _section("Clusters", "dynamic_active_clusters", _each("cluster", config.clusters)),
            _section("Endpoints", "dynamic_endpoint_configs", _each("endpoint_config", config.endpoints)),
        ]
    }


def _section(kind: str, name: str, entries: Iterable[Obj]) -> Obj:
    return {"@type": f"{_TYPE}{kind}ConfigDump", name: list(entries)}


def _each(key: str, resources: Mapping[str, Obj]) -> Iterator[Obj]:
    return ({key: resource} for resource in resources.values())


def _of(objects: Mapping[str, Obj], plural: str) -> Iterator[Obj]:
    return (_in_default(obj) for path, obj in objects.items() if path.rsplit("/", 2)[1] == plural)


def _in_default(obj: Obj) -> Obj:
    return {**obj, "metadata": {"namespace": "default", "labels": {}, **obj["metadata"]}}


def _slice(service: Obj, pods: list[Obj]) -> Obj:
    selector = service["spec"].get("selector", {})
    behind = [p for p in pods if selector and selector.items() <= p["metadata"]["labels"].items()]
    return {
        "metadata": {
            "namespace": "default",
            "labels": {"kubernetes.io/service-name": service["metadata"]["name"]},
        },
        "ports": [
            {"name": port.get("name"), "port": port.get("targetPort", port["port"])}
            for port in service["spec"]["ports"]
        ],
        "endpoints": [
            {
                "addresses": [pod["metadata"]["uid"]],
                "conditions": {"ready": is_ready(pod)},
                "targetRef": {"uid": pod["metadata"]["uid"]},
            }
            for pod in behind
        ],
    }
