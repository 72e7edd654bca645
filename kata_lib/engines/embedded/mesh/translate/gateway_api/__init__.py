"""The Gateway API as what istiod makes of it: HTTPRoutes as VirtualServices, Gateways as Istio's own.

    parents.py      which of a route's parents are Services; attachment.py which are listeners of Gateways
    listeners.py    a Gateway's listeners; grants.py what may be referred to in another namespace
    rules.py        a rule, and what is wrong with it
    matches.py headers.py redirect.py rewrite.py mirror.py cors.py timeouts.py backends.py    its fields
    order.py        which rule comes first
    conditions.py   the route's status; gateway_status.py a Gateway's

Source: istio/istio, pilot/pkg/config/kube/gateway (conversion.go, route_collections.go, conditions.go).
"""

from collections.abc import Collection, Iterable

from kata_lib.cluster.hosts import MESH
from kata_lib.engines.embedded.mesh.translate.fields import LEAF, Tree
from kata_lib.engines.embedded.mesh.translate.gateway_api import (
    attachment,
    grants,
    listeners,
    order,
    parents,
    rules,
)
from kata_lib.engines.embedded.mesh.translate.gateway_api.listeners import Gateways, gateways
from kata_lib.engines.embedded.mesh.translate.model import MeshSnapshot
from kata_lib.engines.embedded.store import Obj

KEY = "httproutes.gateway.networking.k8s.io"
"""The resource as registry and store know it."""

GATEWAYS = listeners.KEY
GRANTS = grants.KEY
RESOURCES = (KEY, GATEWAYS, GRANTS)

FIELDS: Tree = {
    "parentRefs": [parents.FIELDS],
    "hostnames": [LEAF],  # of a Gateway's routes only
    "rules": [rules.FIELDS],
}
NONE = Gateways()
GATEWAY_FIELDS = listeners.FIELDS
SEMANTICS = {"internal.istio.io/route-semantics": "gateway"}
"""istiod's own annotation of a VirtualService that was made of a route of the Gateway API."""


def is_made(virtual_service: Obj) -> bool:
    """Return whether a VirtualService was made of HTTPRoutes."""
    return bool(virtual_service["metadata"].get("annotations") == SEMANTICS)


def of(snapshot: MeshSnapshot) -> Gateways:
    """Return the listeners of the Gateways of a moment."""
    return snapshot.once(
        ("gateways",),
        lambda: gateways(
            snapshot.api_gateways, snapshot.namespaces, snapshot.secrets, snapshot.reference_grants
        ),
    )


def virtual_services(routes: Iterable[Obj], hostnames: Collection[str], among: Gateways = NONE) -> list[Obj]:
    """Return a VirtualService for each host, port and namespace of the routes, where `hostnames` are known.

    And one for each host of a Gateway's listener. The rules of several routes for the same are one list, in
    the order that the Gateway API prescribes.
    """
    made: dict[str, Obj] = {}
    for route in sorted(routes, key=_age):
        found = rules.of(route, hostnames).rules
        for parent in parents.accepted(route, hostnames) if found else ():
            key = parents.key(parent, route)
            virtual_service = made.setdefault(key, _empty(key, parents.host(parent, route), MESH, route))
            virtual_service["spec"]["http"] += parents.at_port(found, parent)
        of_gateways = rules.of(route, hostnames, among.grants).rules
        for listener, hosts in attachment.attached(route, among) if of_gateways else ():
            for host in hosts:
                key = f"{listener.internal}/{host}"
                virtual_service = made.setdefault(key, _empty(key, host, listener.internal, route))
                virtual_service["spec"]["http"] += of_gateways
    for virtual_service in made.values():
        virtual_service["spec"]["http"].sort(key=order.precedence)
    return list(made.values())


def _empty(key: str, host: str, gateway: str, route: Obj) -> Obj:
    metadata = route["metadata"]
    return {
        "metadata": {
            "name": key.replace("/", "~"),
            "namespace": metadata["namespace"],
            "creationTimestamp": metadata.get("creationTimestamp"),
            "annotations": SEMANTICS,
        },
        "spec": {"hosts": [host], "gateways": [gateway], "http": []},
    }


def _age(route: Obj) -> tuple[str, str, str]:
    metadata = route["metadata"]
    return metadata.get("creationTimestamp") or "", metadata["namespace"], metadata["name"]
