"""What a sidecar's configuration dump is while certain objects stand, without an Envoy.

The embedded engine's translation makes it, which equals istiod's (test_mesh_reference.py).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from kata_lib.engines.embedded.mesh.bootstrap import proxy_kind
from kata_lib.engines.embedded.mesh.translate import (
    Addresses,
    MeshSnapshot,
    Proxy,
    ProxyConfig,
    gateway_api,
    translate,
)

Obj = dict[str, Any]
_TYPE = "type.googleapis.com/envoy.admin.v3."


def config_dump(objects: Callable[[str], list[Obj]], pod: Obj, addresses: Addresses) -> Obj:
    """Return what the Envoy of a pod has in force; objects: those of all namespaces, by resource."""
    snapshot = MeshSnapshot(
        services=objects("services"),
        endpoint_slices=objects("endpointslices"),
        pods=objects("pods"),
        virtual_services=objects("virtualservices"),
        destination_rules=objects("destinationrules"),
        http_routes=objects(gateway_api.KEY),
        gateways=objects("gateways"),
        secrets=objects("secrets"),
    )
    metadata = pod["metadata"]
    proxy = Proxy(proxy_kind(pod), metadata["namespace"], metadata.get("labels", {}), pod)
    return dumped(translate(snapshot, proxy, addresses))


def dumped(config: ProxyConfig) -> Obj:
    """Return the dump of an Envoy that has a configuration."""
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
