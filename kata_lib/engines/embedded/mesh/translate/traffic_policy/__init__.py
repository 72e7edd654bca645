"""A DestinationRule's trafficPolicy: which one holds for a cluster; its fields applied, one file a field."""

from collections.abc import Mapping
from typing import Any

from kata_lib.engines.embedded.mesh.translate.fields import LEAF, Tree
from kata_lib.engines.embedded.mesh.translate.model import Envoy
from kata_lib.engines.embedded.mesh.translate.traffic_policy import (
    connection_pool,
    load_balancer,
    outlier_detection,
    retry_budget,
    tls,
)

Policy = Mapping[str, Any]

_FIELDS: dict[str, Tree] = {
    "connectionPool": connection_pool.FIELDS,
    "loadBalancer": load_balancer.FIELDS,
    "outlierDetection": outlier_detection.FIELDS,
    "tls": tls.FIELDS,
}
_OF_ALL_PORTS: dict[str, Tree] = {"retryBudget": retry_budget.FIELDS}
"""What settings of a port do not have."""
FIELDS: Tree = {**_FIELDS, **_OF_ALL_PORTS, "portLevelSettings": [{**_FIELDS, "port": {"number": LEAF}}]}


def effective(rule_policy: Policy, subset_policy: Policy, port: int) -> Policy:
    """Return the policy for a port: the subset's fields before the rule's, and a port's own before both.

    Settings of a port replace all others, also those that they leave out; what no port can set stays.
    """
    of_rule = _for_port(rule_policy, port)
    if of_port(subset_policy, port):
        of_rule = {field: value for field, value in of_rule.items() if field in _OF_ALL_PORTS}
    return {**of_rule, **_for_port(subset_policy, port)}


def apply(policy: Policy, cluster: Envoy) -> None:
    """Write a policy into a cluster that has istiod's defaults."""
    connection_pool.apply(policy.get("connectionPool", {}), cluster)
    retry_budget.apply(policy.get("retryBudget"), cluster)
    load_balancer.apply(policy.get("loadBalancer", {}), cluster)
    outlier_detection.apply(policy.get("outlierDetection"), cluster)


def of_port(policy: Policy, port: int | None) -> Policy:
    """Return a policy's settings of a port, {} where it has none."""
    settings = policy.get("portLevelSettings", ())
    return next((found for found in settings if found["port"]["number"] == port), {})


def _for_port(policy: Policy, port: int) -> Policy:
    found = of_port(policy, port) or policy
    return {field: value for field, value in found.items() if field in {*_FIELDS, *_OF_ALL_PORTS}}
