"""Which VirtualService speaks for a host, and its rules with full names and delegates put in place."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from kata_lib.cluster.hosts import MESH, covers, full_name, gateway_name, specificity
from kata_lib.engines.embedded.mesh.translate import delegates, gateway_api, http_route, tcp_route
from kata_lib.engines.embedded.mesh.translate.fields import LEAF, Tree
from kata_lib.engines.embedded.mesh.translate.hosts import visible
from kata_lib.engines.embedded.mesh.translate.model import MeshSnapshot, Proxy, age
from kata_lib.engines.embedded.store import Obj

FIELDS: Tree = {
    "hosts": [LEAF],
    "gateways": [LEAF],
    "exportTo": [LEAF],
    "http": [http_route.FIELDS],
    "tcp": [tcp_route.FIELDS],
}

Rule = Mapping[str, Any]


def bound(snapshot: MeshSnapshot, namespace: str, gateway: str = MESH) -> list[Obj]:
    """Return the VirtualServices for a gateway that its proxies in a namespace see, in istiod's order.

    A gateway is NAMESPACE/NAME; MESH stands for all sidecars.

    First those for their own namespace alone, then those for this one by name, then those for all; of each
    first what the namespace's own HTTPRoutes come to, then the oldest (then by name).
    """
    seen = [
        virtual_service
        for virtual_service in snapshot.once(("virtual services",), lambda: _with_http_routes(snapshot))
        if gateway in _gateways(virtual_service) and visible(virtual_service, namespace)
    ]
    return sorted(seen, key=lambda found: _precedence(found, namespace))


def asked_of(proxy: Proxy, snapshot: MeshSnapshot) -> frozenset[tuple[str, str]]:
    """Return the labels of a proxy that some rule asks for: proxies alike in them have the same routes."""
    asked = snapshot.once(("source labels",), lambda: _source_labels(snapshot))
    return frozenset((name, value) for name, value in proxy.labels.items() if name in asked)


def _source_labels(snapshot: MeshSnapshot) -> set[str]:
    specs = (virtual_service["spec"] for virtual_service in snapshot.virtual_services)
    rules = (rule for spec in specs for kind in ("http", "tcp") for rule in spec.get(kind) or ())
    matches = (match for rule in rules for match in rule.get("match") or ())
    return {name for match in matches for name in match.get("sourceLabels") or ()}


def _gateways(virtual_service: Obj) -> list[str]:
    namespace = virtual_service["metadata"]["namespace"]
    written = virtual_service["spec"].get("gateways") or [MESH]
    return [gateway_name(name, namespace) for name in written]


def _with_http_routes(snapshot: MeshSnapshot) -> list[Obj]:
    made = gateway_api.virtual_services(snapshot.http_routes, snapshot.services, gateway_api.of(snapshot))
    return sorted([*snapshot.virtual_services, *made], key=age)


def _precedence(virtual_service: Obj, namespace: str) -> tuple[int, bool]:
    own = virtual_service["metadata"]["namespace"] == namespace
    of_own_route = own and gateway_api.is_made(virtual_service)
    if "*" in (virtual_service["spec"].get("exportTo") or ["*"]):
        return 2, not of_own_route
    return 0 if own else 1, not of_own_route


def hosts(virtual_service: Obj) -> list[str]:
    """Return a VirtualService's hosts by their full names; a delegate has none."""
    written: list[str] = virtual_service["spec"].get("hosts", [])
    if gateway_api.is_made(virtual_service):
        return written
    return [full_name(host, virtual_service["metadata"]["namespace"]) for host in written]


def most_specific(candidates: list[Obj], hostname: str) -> Obj | None:
    """Return the one of whose hosts one is the most specific that covers a host; the first of several."""
    found = [
        (specificity(host), candidate)
        for candidate in candidates
        for host in hosts(candidate)
        if covers(host, hostname)
    ]
    return max(found, key=lambda pair: pair[0])[1] if found else None


def rules(virtual_service: Obj, snapshot: MeshSnapshot) -> list[Rule]:
    """Return the HTTP rules with full host names, each delegation replaced by the rules of its delegate."""
    if gateway_api.is_made(virtual_service):
        return list(virtual_service["spec"]["http"])
    found: list[Rule] = []
    for rule in _named(virtual_service):
        if "delegate" in rule:
            found.extend(_delegated(rule, virtual_service["metadata"]["namespace"], snapshot))
        else:
            found.append(rule)
    return found


def tcp_rules(candidates: list[Obj], hostname: str) -> Iterator[Rule]:
    """Yield the TCP rules for a host with full host names: those of every VirtualService that names it."""
    for candidate in candidates:
        if any(covers(host, hostname) for host in hosts(candidate)):
            yield from _named(candidate, "tcp")


def _named(virtual_service: Obj, kind: Literal["http", "tcp"] = "http") -> Iterator[Rule]:
    namespace = virtual_service["metadata"]["namespace"]

    def full(destination: Rule) -> Rule:
        return {**destination, "host": full_name(destination["host"], namespace)}

    for rule in virtual_service["spec"].get(kind, []):
        named = {**rule, **_at_gateways(rule, namespace)}
        if "mirror" in rule:
            named["mirror"] = full(rule["mirror"])
        for field in ("route", "mirrors"):
            if field in rule:
                named[field] = [{**item, "destination": full(item["destination"])} for item in rule[field]]
        yield named


def _at_gateways(rule: Rule, namespace: str) -> Rule:
    """Return a rule's matches with their gateways by their full names, {} where it has none."""
    if "match" not in rule:
        return {}
    return {
        "match": [
            {**match, "gateways": [gateway_name(name, namespace) for name in match["gateways"]]}
            if "gateways" in match
            else match
            for match in rule["match"]
        ]
    }


def _delegated(rule: Rule, namespace: str, snapshot: MeshSnapshot) -> Iterator[Rule]:
    wanted = rule["delegate"].get("namespace", namespace), rule["delegate"]["name"]
    for candidate in snapshot.virtual_services:
        metadata, spec = candidate["metadata"], candidate["spec"]
        found = (metadata["namespace"], metadata["name"]) == wanted and not spec.get("hosts")
        if found and visible(candidate, namespace):
            yield from delegates.merged(rule, list(_named(candidate)))
