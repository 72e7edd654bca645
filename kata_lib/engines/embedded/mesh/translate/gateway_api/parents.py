"""parentRefs: for which Services a route is; attachment.py has those that are Gateways."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from kata_lib.cluster.hosts import of_service
from kata_lib.engines.embedded.mesh.translate.fields import LEAF, Tree
from kata_lib.engines.embedded.store import Obj

FIELDS: Tree = {
    **dict.fromkeys(("group", "kind", "name", "namespace", "port"), LEAF),
    "sectionName": LEAF,  # of a gateway
}

Parent = dict[str, Any]
Rule = Mapping[str, Any]
_GATEWAY_API = "gateway.networking.k8s.io"


def services(route: Obj) -> Iterator[Parent]:
    """Yield the parents that are Services; others are for other controllers, or for gateways."""
    for parent in route["spec"].get("parentRefs", ()):
        if (parent.get("group", _GATEWAY_API), parent.get("kind", "Gateway")) == ("", "Service"):
            yield parent


def is_gateway(parent: Parent) -> bool:
    """Return whether a parent is a Gateway."""
    return (parent.get("group", _GATEWAY_API), parent.get("kind", "Gateway")) == (_GATEWAY_API, "Gateway")


def accepted(route: Obj, hostnames: Collection[str]) -> list[Parent]:
    """Return the parents that are there."""
    return [parent for parent in services(route) if host(parent, route) in hostnames]


def host(parent: Parent, route: Obj) -> str:
    """Return the full name of a parent."""
    return of_service(parent["name"], parent.get("namespace") or route["metadata"]["namespace"])


def key(parent: Parent, route: Obj) -> str:
    """Return what routes have in common whose rules are one list."""
    place = [route["metadata"]["namespace"], str(parent.get("port") or ""), host(parent, route)]
    return "/".join(filter(None, place))


def at_port(rules: Sequence[Rule], parent: Parent) -> list[Rule]:
    """Return the rules for requests to a parent's port, if it names one."""
    if not parent.get("port"):
        return list(rules)
    return [
        {**rule, "match": [{**match, "port": parent["port"]} for match in rule["match"]]} for rule in rules
    ]


def reference(parent: Parent, route: Obj) -> str:
    """Return istiod's text for a parent, by which statuses are told apart and ordered."""
    group, kind = parent.get("group", _GATEWAY_API), parent.get("kind", "Gateway")
    namespace = parent.get("namespace") or route["metadata"]["namespace"]
    place = f"{parent.get('sectionName', '')}/{parent.get('port', 0)}.{namespace}"
    return f"{group}/{kind}/{parent['name']}/{place}"
