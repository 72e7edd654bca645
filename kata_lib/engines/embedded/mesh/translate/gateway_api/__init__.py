"""HTTPRoutes whose parent is a Service, as the VirtualServices that istiod makes of them; one file a concern.

    parents.py      which of a route's parents are Services, and what is said where one is not there
    rules.py        a rule, and what is wrong with it
    matches.py headers.py redirect.py rewrite.py mirror.py cors.py timeouts.py backends.py    its fields
    order.py        which rule comes first
    conditions.py   the route's status

Source: istio/istio, pilot/pkg/config/kube/gateway (conversion.go, route_collections.go, conditions.go).
"""

from collections.abc import Collection, Iterable
from typing import Any

from kata_lib.cluster.hosts import MESH
from kata_lib.engines.embedded.mesh.translate.fields import LEAF, Tree
from kata_lib.engines.embedded.mesh.translate.gateway_api import order, parents, rules
from kata_lib.engines.embedded.store import Obj

KEY = "httproutes.gateway.networking.k8s.io"
"""The resource as registry and store know it."""

FIELDS: Tree = {
    "parentRefs": [parents.FIELDS],
    "hostnames": [LEAF],  # of a gateway's routes only
    "rules": [rules.FIELDS],
}
SEMANTICS = {"internal.istio.io/route-semantics": "gateway"}
"""istiod's own annotation of a VirtualService that was made of a route of the Gateway API."""


def is_made(virtual_service: Obj) -> bool:
    """Return whether a VirtualService was made of HTTPRoutes."""
    return bool(virtual_service["metadata"].get("annotations") == SEMANTICS)


def virtual_services(routes: Iterable[Obj], hostnames: Collection[str]) -> list[Obj]:
    """Return a VirtualService for each host, port and namespace of the routes, where `hostnames` are known.

    The rules of several routes for the same are one list, in the order that the Gateway API prescribes.
    """
    made: dict[str, Obj] = {}
    for route in sorted(routes, key=_age):
        found = rules.of(route, hostnames).rules
        for parent in parents.accepted(route, hostnames) if found else ():
            key = parents.key(parent, route)
            virtual_service = made.setdefault(key, _empty(key, parent, route))
            virtual_service["spec"]["http"] += parents.at_port(found, parent)
    for virtual_service in made.values():
        virtual_service["spec"]["http"].sort(key=order.precedence)
    return list(made.values())


def _empty(key: str, parent: dict[str, Any], route: Obj) -> Obj:
    metadata = route["metadata"]
    return {
        "metadata": {
            "name": key.replace("/", "~"),
            "namespace": metadata["namespace"],
            "creationTimestamp": metadata.get("creationTimestamp"),
            "annotations": SEMANTICS,
        },
        "spec": {"hosts": [parents.host(parent, route)], "gateways": [MESH], "http": []},
    }


def _age(route: Obj) -> tuple[str, str, str]:
    metadata = route["metadata"]
    return metadata.get("creationTimestamp") or "", metadata["namespace"], metadata["name"]
