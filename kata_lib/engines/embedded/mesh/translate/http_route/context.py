"""What a route needs to know beyond itself: whose proxy it is for, and the cluster of a destination."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kata_lib.cluster.hosts import MESH
from kata_lib.engines.embedded.mesh.translate.destination_rules import rule_for
from kata_lib.engines.embedded.mesh.translate.hosts import cluster_name
from kata_lib.engines.embedded.mesh.translate.model import MeshSnapshot
from kata_lib.engines.embedded.mesh.translate.traffic_policy import of_port

UNKNOWN = "UnknownService"
"""istiod's name for the cluster of a destination that can be none."""


@dataclass(frozen=True)
class RouteContext:
    """One proxy at one port; destinations come with full host names.

    `gateway_api` says that the rules are those of an HTTPRoute: its words mean something else here and there.
    `gateway` is the one through which requests come, as NAMESPACE/NAME, and `tls` whether encrypted.
    """

    snapshot: MeshSnapshot
    proxy_namespace: str
    proxy_labels: Mapping[str, str]
    port: int
    gateway_api: bool = False
    gateway: str = MESH
    tls: bool = False

    def cluster(self, destination: Mapping[str, Any]) -> str:
        """Return the cluster that a destination names, whether it exists or not.

        Its port is the one that it names, at a gateway else its Service's only one, else that of the request.
        """
        if not (host := destination.get("host")):
            return UNKNOWN
        port = destination.get("port", {}).get("number") or self._only_port(host) or self.port
        return cluster_name(host, int(port), destination.get("subset", ""))

    def _only_port(self, host: str) -> int | None:
        service = self.snapshot.services.get(host)
        if self.gateway == MESH or service is None or len(service.ports) != 1:
            return None
        return service.ports[0].number

    def hashing(self, destination: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the load balancer that hashes a request to a destination, {} where none does.

        As in istiod, a DestinationRule's settings of a port count only where the destination names that port.
        """
        service = self.snapshot.services.get(destination.get("host", ""))
        if service is None:
            return {}
        rule = rule_for(self.snapshot, service, self.proxy_namespace)
        of_subset = rule.subsets.get(destination.get("subset", ""), {}).get("trafficPolicy", {})
        port = destination.get("port", {}).get("number")
        policies = (of_port(of_subset, port), of_subset, of_port(rule.policy, port), rule.policy)
        balancers = (policy.get("loadBalancer", {}) for policy in policies)
        return next((balancer for balancer in balancers if "consistentHash" in balancer), {})
