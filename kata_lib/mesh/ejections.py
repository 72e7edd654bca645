"""Which pods a caller's sidecar has put out of use because they failed: its clusters go in, names come out.

Outlier detection is each Envoy's own: it ejects an endpoint from one of its clusters, after what it saw
itself (https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/outlier). Neither Kubernetes
nor another sidecar is told.
"""

import json
from collections.abc import Iterable, Iterator, Mapping

from kata_lib.cluster import hosts
from kata_lib.cluster.client import Obj
from kata_lib.cluster.cluster import Cluster
from kata_lib.mesh import in_force


def read(cluster: Cluster, service: str, caller: str) -> frozenset[str]:
    """Return the names of a service's pods that the caller's sidecar has ejected, from any of its subsets.

    Of several pods of the Service `caller` one is asked; without a sidecar nobody ejects.
    """
    proxies = in_force.callers(cluster, caller)
    if not proxies:
        return frozenset()
    status = json.loads(cluster.ask_envoy(proxies[0], "clusters?format=json"))
    by_address = {pod["status"].get("podIP"): pod["metadata"]["name"] for pod in cluster.pods()}
    return frozenset(_ejected(status, hosts.full_name(service, cluster.namespace), by_address))


def _ejected(status: Obj, host: str, by_address: Mapping[str, str]) -> Iterator[str]:
    for entry in status.get("cluster_statuses", []):
        if entry["name"].startswith("outbound|") and entry["name"].endswith(f"|{host}"):
            yield from _names(entry.get("host_statuses", []), by_address)


def _names(endpoints: Iterable[Obj], by_address: Mapping[str, str]) -> Iterator[str]:
    for endpoint in endpoints:
        address = endpoint["address"].get("socket_address", {}).get("address", "")
        if endpoint.get("health_status", {}).get("failed_outlier_check") and address in by_address:
            yield by_address[address]
