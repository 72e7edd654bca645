"""A DestinationRule's trafficPolicy: which one holds for a cluster; its fields applied, one file a field."""

from collections.abc import Mapping
from typing import Any

from kata_lib.engines.embedded.mesh.translate.fields import LEAF, Tree
from kata_lib.engines.embedded.mesh.translate.model import Envoy
from kata_lib.engines.embedded.mesh.translate.traffic_policy import (
    connection_pool,
    load_balancer,
    outlier_detection,
    tls,
)

Policy = Mapping[str, Any]

_FIELDS: dict[str, Tree] = {
    "connectionPool": connection_pool.FIELDS,
    "loadBalancer": load_balancer.FIELDS,
    "outlierDetection": outlier_detection.FIELDS,
    "tls": tls.FIELDS,
}
FIELDS: Tree = {**_FIELDS, "portLevelSettings": [{**_FIELDS, "port": {"number": LEAF}}]}


def effective(rule_policy: Policy, subset_policy: Policy, port: int) -> Policy:
    """Return the policy for a port: the subset's fields before the rule's, and a port's own before both.

    Settings of a port replace all others, also those that they leave out.
    """
    policy = _for_port(rule_policy, port)
    if not subset_policy:
        return policy
    own = {field: value for field, value in subset_policy.items() if field in _FIELDS}
    if any(settings["port"]["number"] == port for settings in subset_policy.get("portLevelSettings", [])):
        return _for_port(subset_policy, port)
    return {**policy, **own}


def apply(policy: Policy, cluster: Envoy) -> None:
    """Write a policy into a cluster that has istiod's defaults."""
    connection_pool.apply(policy.get("connectionPool", {}), cluster)
    load_balancer.apply(policy.get("loadBalancer", {}), cluster)
    outlier_detection.apply(policy.get("outlierDetection", {}), cluster)


def _for_port(policy: Policy, port: int) -> Policy:
    for settings in policy.get("portLevelSettings", []):
        if settings["port"]["number"] == port:
            return {field: value for field, value in settings.items() if field in _FIELDS}
    return {field: value for field, value in policy.items() if field in _FIELDS}
