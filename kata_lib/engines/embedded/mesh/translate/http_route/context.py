"""What a route needs to know beyond itself: whose proxy it is for, and the cluster of a destination."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kata_lib.engines.embedded.mesh.translate.destination_rules import rule_for
from kata_lib.engines.embedded.mesh.translate.hosts import cluster_name
from kata_lib.engines.embedded.mesh.translate.model import Envoy, MeshSnapshot
from kata_lib.engines.embedded.mesh.translate.traffic_policy.load_balancer import hash_policy


@dataclass(frozen=True)
class RouteContext:
    """One proxy at one port; destinations come with full host names."""

    snapshot: MeshSnapshot
    proxy_namespace: str
    proxy_labels: Mapping[str, str]
    port: int

    def cluster(self, destination: Mapping[str, Any]) -> str:
        """Return the cluster that a destination names, whether it exists or not."""
        return cluster_name(
            destination["host"], self.destination_port(destination), destination.get("subset", "")
        )

    def destination_port(self, destination: Mapping[str, Any]) -> int:
        """Return the port a destination names, else its Service's only one, else the port of the request."""
        if number := destination.get("port", {}).get("number"):
            return int(number)
        service = self.snapshot.services.get(destination["host"])
        if service and len(service.ports) == 1:
            return service.ports[0].number
        return self.port

    def hash_policy(self, destination: Mapping[str, Any]) -> list[Envoy]:
        """Return what a request to a destination is hashed by, as its DestinationRule says."""
        service = self.snapshot.services.get(destination["host"])
        if service is None:
            return []
        rule = rule_for(self.snapshot, service, self.proxy_namespace)
        policy = rule.policy_for(destination.get("subset", ""), self.destination_port(destination))
        return hash_policy(policy.get("loadBalancer", {}))
