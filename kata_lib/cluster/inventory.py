"""What is in a namespace that a person, or a file of theirs, has put there.

A cluster goes in, plain objects come out. What others own (a ReplicaSet's pods), what every namespace has,
and what says who may do what there, is left out.
"""

from collections.abc import Iterator

from kata_lib.cluster.client import ApiRefused, Obj
from kata_lib.cluster.cluster import Cluster

_OF_EVERY_NAMESPACE = {
    ("ConfigMap", "kube-root-ca.crt"),
    ("ConfigMap", "istio-ca-root-cert"),
    ("ConfigMap", "istio-ca-crl"),
    ("Service", "kubernetes"),
}
_NOT_ASKED = {
    "ControllerRevision",
    "Endpoints",
    "EndpointSlice",
    "Event",
    "Lease",
    "LimitRange",
    "ResourceQuota",
    "Role",
    "RoleBinding",
    "Secret",
    "ServiceAccount",
}
"""Kinds that controllers write, and those that say who may do what on a cluster, and how much."""

_RANKS = {"VirtualService": 0, "Deployment": 2, "StatefulSet": 2, "DaemonSet": 2, "Pod": 2, "Service": 3}
"""What others refer to goes after them; what is in none goes with the first but routes."""


def contents(cluster: Cluster) -> list[Obj]:
    """Return the objects in the order in which they are deleted: what steers others first, Services last."""
    found = [obj for kind in _kinds(cluster) for obj in _of(cluster, *kind)]
    return sorted(found, key=lambda obj: _RANKS.get(obj["kind"], 1))


def _kinds(cluster: Cluster) -> list[tuple[str, str]]:
    return [(version, kind) for version, kind in cluster.api.kinds() if kind not in _NOT_ASKED]


def _of(cluster: Cluster, version: str, kind: str) -> Iterator[Obj]:
    try:
        found = cluster.objects(version, kind)
    except ApiRefused as refused:
        if refused.code not in (403, 404, 405):
            raise
        return  # whoever may not see a kind has put nothing of it there
    for obj in found:
        metadata = obj["metadata"]
        if not metadata.get("ownerReferences") and (kind, metadata["name"]) not in _OF_EVERY_NAMESPACE:
            yield obj
