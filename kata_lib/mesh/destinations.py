"""Where an Envoy can send requests: its clusters and their endpoints, and which pods these are.

A configuration dump and the namespace's pods go in. istiod names a cluster outbound|PORT|SUBSET|HOST.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from kata_lib.cluster.client import Obj
from kata_lib.cluster.hosts import short_name
from kata_lib.cluster.pods import is_ready
from kata_lib.mesh import proxy_config

NO_VERSION = "none"
"""The version of a pod without that label."""
NO_PODS = 503
"""What Envoy answers where a cluster has no endpoint that it may use (UH)."""
_UNKNOWN = {"SERVICE_UNAVAILABLE": 503, "NOT_FOUND": 404, "INTERNAL_SERVER_ERROR": 500}
"""What Envoy answers where there is no such cluster (NC), by cluster_not_found_response_code."""
PANIC = 50
"""Per cent of a cluster's endpoints; where fewer are healthy, Envoy sends to all."""
_USABLE = ("HEALTHY", "UNKNOWN", "DEGRADED")


@dataclass(frozen=True)
class Pod:
    """An endpoint: a pod's name, or an address that is no pod's. ready: the sidecar sends requests to it."""

    name: str
    version: str
    ready: bool = True
    weight: int = 1


@dataclass(frozen=True)
class Destination:
    """One place to which a route sends requests: `share` of them, 0 to 1, over the pods that are ready.

    host: as short as the caller may write it. status: what the sidecar answers in the destination's place,
    where it knows none of that name, or no pod of it; None where requests arrive.
    """

    host: str
    subset: str
    share: float
    pods: tuple[Pod, ...]
    status: int | None = None

    @property
    def name(self) -> str:
        """The subset, or the host where there is none: as the weights name it."""
        return self.subset or self.host

    @property
    def versions(self) -> dict[str, float]:
        """What part of the destination's requests each version gets, 0 to 1; {} where none arrive."""
        return {} if self.status else spread(self.pods)


def spread(pods: tuple[Pod, ...]) -> dict[str, float]:
    """Return each version's part of the requests to pods, 0 to 1; {} where none is ready."""
    ready = [pod for pod in pods if pod.ready]
    total = sum(pod.weight for pod in ready)
    parts: dict[str, float] = {}
    for pod in sorted(ready, key=lambda pod: pod.version):
        parts[pod.version] = parts.get(pod.version, 0.0) + pod.weight / total
    return parts


def of_objects(pods: list[Obj]) -> tuple[Pod, ...]:
    """Return pods as the API shows them."""
    return tuple(Pod(pod["metadata"]["name"], _version(pod), is_ready(pod)) for pod in pods)


class Upstreams:
    """The clusters of one Envoy with their pods; namespace: in which hosts have short names."""

    def __init__(self, dump: Obj, pods: list[Obj], namespace: str) -> None:
        self._namespace = namespace
        self._clusters = {cluster["name"]: cluster for cluster in proxy_config.select(dump, "clusters")}
        self._endpoints = {
            found.get("cluster_name", ""): found for found in proxy_config.select(dump, "endpoints")
        }
        self._by_name = {pod["metadata"]["name"]: pod for pod in pods}
        addresses = ((pod.get("status", {}).get("podIP"), pod) for pod in pods)
        self._by_address = {address: pod for address, pod in addresses if address}

    def destination(self, cluster: str, share: float, not_found: str = "") -> Destination:
        """Return a cluster as a destination; not_found: the route's cluster_not_found_response_code."""
        pods = self.pods(cluster)
        status = _UNKNOWN.get(not_found, NO_PODS) if cluster not in self._clusters else None
        if status is None and not any(pod.ready for pod in pods) and not self.passes_through(cluster):
            status = NO_PODS
        match cluster.split("|"):
            case ["outbound", _, subset, host]:
                return Destination(self._short(host), subset, share, pods, status)
        return Destination(cluster, "", share, pods, status)

    def knows(self, cluster: str) -> bool:
        """Return whether the Envoy has a cluster of that name."""
        return cluster in self._clusters

    def passes_through(self, cluster: str) -> bool:
        """Return whether a cluster sends requests to where they were going anyway."""
        return bool(self._clusters.get(cluster, {}).get("type") == "ORIGINAL_DST")

    def listener(self, cluster: str) -> str | None:
        """Return the listener inside the Envoy that a cluster leads to; None for all others."""
        assignment = self._clusters.get(cluster, {}).get("load_assignment", {})
        places = [e["endpoint"]["address"] for e in _endpoints(assignment)]
        inside = (place["envoy_internal_address"] for place in places if "envoy_internal_address" in place)
        return next((str(address["server_listener_name"]) for address in inside), None)

    def places(self, port: int) -> dict[tuple[str, str], tuple[Pod, ...]]:
        """Return the pods behind each host and subset ("" for none) that is known at a port."""
        found = {}
        for cluster in sorted(self._clusters):
            match cluster.split("|"):
                case ["outbound", number, subset, host] if number == str(port):
                    found[self._short(host), subset] = self.pods(cluster)
        return found

    def pods(self, cluster: str) -> tuple[Pod, ...]:
        """Return the pods behind a cluster; those in reserve (a lower priority) only where needed."""
        found = self._clusters.get(cluster, {})
        name = found.get("eds_cluster_config", {}).get("service_name") or cluster
        assignment = self._endpoints.get(name) or found.get("load_assignment", {})
        groups: dict[int, list[Pod]] = {}
        for locality in assignment.get("endpoints", []):
            pods = [self._pod(endpoint) for endpoint in locality.get("lb_endpoints", [])]
            groups.setdefault(locality.get("priority", 0), []).extend(pods)
        in_use = [groups[key] for key in sorted(groups) if any(pod.ready for pod in groups[key])]
        return _in_panic((in_use or [*groups.values(), []])[0], found.get("common_lb_config", {}))

    def _pod(self, found: Mapping[str, Any]) -> Pod:
        endpoint = found["endpoint"]
        place = endpoint["address"].get("socket_address", {})
        pod = self._by_name.get(endpoint.get("hostname")) or self._by_address.get(place.get("address"))
        told = Pod(f"{place.get('address', '')}:{place.get('port_value', '')}", _told_version(found))
        if pod is not None:
            told = Pod(pod["metadata"]["name"], _version(pod))
        ready = found.get("health_status", "HEALTHY") in _USABLE
        return replace(told, ready=ready, weight=found.get("load_balancing_weight", 1))

    def _short(self, host: str) -> str:
        return short_name(host, self._namespace)


def _in_panic(pods: list[Pod], settings: Mapping[str, Any]) -> tuple[Pod, ...]:
    """Return pods as Envoy uses them: all alike where too few are healthy, by default less than half."""
    threshold = settings.get("healthy_panic_threshold", {"value": PANIC}).get("value", 0)
    if 100 * sum(pod.ready for pod in pods) < threshold * len(pods):
        return tuple(replace(pod, ready=True) for pod in pods)
    return tuple(pods)


def _endpoints(assignment: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    return (found for place in assignment.get("endpoints", []) for found in place.get("lb_endpoints", []))


def _version(pod: Obj) -> str:
    return str(pod["metadata"].get("labels", {}).get("version", NO_VERSION))


def _told_version(endpoint: Mapping[str, Any]) -> str:
    """Return the version that an endpoint's metadata names: istiod's, or the embedded engine's."""
    told = endpoint.get("metadata", {}).get("filter_metadata", {})
    workload = told.get("istio", {}).get("workload", "").split(";")
    return str(told.get("kata", {}).get("version") or [*workload, "", "", "", ""][3] or NO_VERSION)
