"""A VirtualService's TCP routes: to which clusters a connection goes, and in which shares."""

from collections.abc import Mapping
from typing import Any

from kata_lib.engines.embedded.mesh.translate.destination_rules import rule_for
from kata_lib.engines.embedded.mesh.translate.fields import LEAF, Tree
from kata_lib.engines.embedded.mesh.translate.http_route import destinations, match
from kata_lib.engines.embedded.mesh.translate.http_route.context import RouteContext
from kata_lib.engines.embedded.mesh.translate.model import Envoy

FIELDS: dict[str, Tree] = {
    "match": [match.KNOWN_BEFOREHAND],
    "route": [{"destination": destinations.DESTINATION, "weight": LEAF}],
}


def envoy(rule: Mapping[str, Any], context: RouteContext) -> Envoy:
    """Return the part of Envoy's TCP proxy that names clusters, and by what a connection chooses in them."""
    route = [_at_its_port(item, context) for item in rule["route"]]
    made = destinations.clusters(route, context)
    subset = route[0]["destination"].get("subset", "") if len(route) == 1 else ""
    return made | hash_policy(route[0]["destination"]["host"], subset, context)


def _at_its_port(item: Mapping[str, Any], context: RouteContext) -> Mapping[str, Any]:
    """Return a destination with its Service's only port, where it names none."""
    destination = item["destination"]
    service = context.snapshot.services.get(destination["host"])
    if "port" in destination or service is None or len(service.ports) != 1:
        return item
    return {**item, "destination": {**destination, "port": {"number": service.ports[0].number}}}


def hash_policy(hostname: str, subset: str, context: RouteContext) -> Envoy:
    """Return what a connection is hashed by, as the DestinationRule of a host and subset says."""
    service = context.snapshot.services.get(hostname)
    if service is None:
        return {}
    rule = rule_for(context.snapshot, service, context.proxy_namespace)
    of_subset = rule.subsets.get(subset, {}).get("trafficPolicy", {})
    balancer = of_subset.get("loadBalancer") or rule.policy.get("loadBalancer", {})
    by_source = balancer.get("consistentHash", {}).get("useSourceIp")
    return {"hash_policy": [{"source_ip": {}}]} if by_source else {}


def holds(rule: Mapping[str, Any], context: RouteContext) -> bool:
    """Return whether a rule is for the connections of a proxy to a port."""
    return any(match.can_hold(condition, context) for condition in rule.get("match") or [{}])
