"""Which DestinationRule speaks for a host, and its subsets."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kata_lib.cluster.hosts import covers, full_name, specificity
from kata_lib.engines.embedded.mesh.translate import traffic_policy
from kata_lib.engines.embedded.mesh.translate.fields import LEAF, Keys, Tree
from kata_lib.engines.embedded.mesh.translate.hosts import visible
from kata_lib.engines.embedded.mesh.translate.model import MeshSnapshot, Service
from kata_lib.engines.embedded.store import Obj

FIELDS: Tree = {
    "host": LEAF,
    "exportTo": [LEAF],
    "trafficPolicy": traffic_policy.FIELDS,
    "subsets": [{"name": LEAF, "labels": Keys(LEAF), "trafficPolicy": traffic_policy.FIELDS}],
}


@dataclass(frozen=True)
class Rule:
    """What the DestinationRules of one host come to; without any, no subset and no policy."""

    name: str = ""
    namespace: str = ""
    policy: Mapping[str, Any] = field(default_factory=dict)
    subsets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def policy_for(self, subset: str, port: int) -> Mapping[str, Any]:
        """Return the traffic policy of a subset ("" is the whole host) at a port."""
        return traffic_policy.effective(
            self.policy, self.subsets.get(subset, {}).get("trafficPolicy", {}), port
        )


def rule_for(snapshot: MeshSnapshot, service: Service, namespace: str) -> Rule:
    """Return the rule that a proxy in `namespace` applies to a Service.

    Rules of the proxy's own namespace come before those of the Service's; the most specific host wins.
    """
    for owner in dict.fromkeys((namespace, service.namespace)):
        found: dict[str, list[Obj]] = {}
        for rule in snapshot.destination_rules:
            host = full_name(rule["spec"]["host"], rule["metadata"]["namespace"])
            if (
                rule["metadata"]["namespace"] == owner
                and visible(rule, namespace)
                and covers(host, service.hostname)
            ):
                found.setdefault(host, []).append(rule)
        if found:
            return _merged(_exported_alike(found[max(found, key=specificity)]))
    return Rule()


def _exported_alike(rules: list[Obj]) -> list[Obj]:
    """Return those of the rules for one host that are in force: all, where all are exported alike.

    Rules are merged with the older ones whose exports they have, too. Of what is not merged the youngest
    counts. Source: istio/istio, pilot/pkg/model/destination_rule.go (mergeDestinationRule).
    """
    groups: list[tuple[frozenset[str], list[Obj]]] = []
    for rule in rules:
        exports, apart = frozenset(rule["spec"].get("exportTo", ())), True
        for known, group in groups:
            apart = not (exports == known or (known and exports >= known))
            if not apart:
                group.append(rule)
        if apart:
            groups.append((exports, [rule]))
    return groups[-1][1]


def _merged(rules: list[Obj]) -> Rule:
    """Return what rules come to: every subset counts, and the policy is the oldest's that has one."""
    subsets: dict[str, Mapping[str, Any]] = {}
    for rule in rules:
        for subset in rule["spec"].get("subsets", []):
            subsets.setdefault(subset["name"], subset)
    policy: Mapping[str, Any] = next(
        (rule["spec"]["trafficPolicy"] for rule in rules if rule["spec"].get("trafficPolicy")), {}
    )
    return Rule(rules[0]["metadata"]["name"], rules[0]["metadata"]["namespace"], policy, subsets)
