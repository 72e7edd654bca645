"""The objects that are analysed, and what names and labels in them mean. Plain dicts in, plain dicts out."""

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kata_lib.cluster.client import Obj
from kata_lib.cluster.hosts import DOMAIN, full_name, of_object
from kata_lib.cluster.labels import selects
from kata_lib.mesh import http_routes, version_services
from kata_lib.mesh.in_force import InForce
from kata_lib.mesh.weights import written_weights

MESH = "mesh"
"""Among a VirtualService's gateways: all sidecars."""


@dataclass(frozen=True)
class Known:
    """What whoever asks knows of a namespace beforehand.

    callers: the Services whose pods send requests. called: the Services that they ask, each with the port.
    files: by kind and name of an object the file that makes it. weighted: the Service whose weights `kata
    weights` sets.
    """

    callers: tuple[str, ...] = ()
    called: tuple[tuple[str, int], ...] = ()
    files: Mapping[tuple[str, str], str] = field(default_factory=dict)
    weighted: str = ""


@dataclass(frozen=True)
class Objects:
    """A namespace and what is in it; each object has its kind and its metadata.namespace.

    services, virtual_services and gateways may be those of all namespaces: `whole_mesh` says so. Only then is
    judged what refers to another namespace. pods_of_gateways: of all namespaces those that Gateways select.
    secrets: namespace and name of those that Gateways name and that are there, None where nobody may know.
    http_routes, doors (the Gateway API's Gateways) and rollouts are the namespace's own. in_force: where the
    callers' requests go, for each Service that they ask. refused: Services and target ports at which a ready
    pod refused a connection.
    """

    namespace: Obj
    services: list[Obj] = field(default_factory=list)
    deployments: list[Obj] = field(default_factory=list)
    pods: list[Obj] = field(default_factory=list)
    virtual_services: list[Obj] = field(default_factory=list)
    destination_rules: list[Obj] = field(default_factory=list)
    gateways: list[Obj] = field(default_factory=list)
    http_routes: list[Obj] = field(default_factory=list)
    doors: list[Obj] = field(default_factory=list)
    rollouts: list[Obj] = field(default_factory=list)
    pods_of_gateways: list[Obj] = field(default_factory=list)
    secrets: frozenset[tuple[str, str]] | None = frozenset()
    whole_mesh: bool = True
    known: Known = Known()
    in_force: tuple[InForce, ...] = ()
    refused: frozenset[tuple[str, int | str]] = frozenset()

    @property
    def name(self) -> str:
        """The namespace's name."""
        return str(self.namespace["metadata"]["name"])

    def own(self, objects: list[Obj]) -> list[Obj]:
        """Return those that are in the namespace itself."""
        return [obj for obj in objects if obj["metadata"]["namespace"] == self.name]

    def names(self) -> list[str]:
        """Return the names of the namespace's Services."""
        return [service["metadata"]["name"] for service in self.own(self.services)]

    def judges(self, host: str) -> bool:
        """Return whether a host that is no Service is a mistake: not so for one outside of what was read."""
        if "*" in host:
            return False
        name, _, rest = host.partition(".")
        if not rest or rest == f"{self.name}.{DOMAIN}":
            return True
        if rest.endswith(f".{DOMAIN}"):
            return self.whole_mesh
        # name.default is a name in DNS, but no host to Istio.
        return self.service(f"{name}.{rest.split('.')[0]}.{DOMAIN}") is not None

    def service(self, host: str, namespace: str | None = None) -> Obj | None:
        """Return the Service that a host means to a resource in a namespace, by default this one."""
        wanted = full_name(host, namespace or self.name)
        return next((s for s in self.services if of_object(s) == wanted), None)

    def routing(self, service: Obj) -> list[Obj]:
        """Return the VirtualServices for a Service's requests inside the mesh, the one that counts first."""
        found = [
            v
            for v in self.virtual_services
            if of_object(service) in [full_name(h, v["metadata"]["namespace"]) for h in hosts(v)]
            and in_mesh(v)
            and rules(v)
        ]
        return sorted(
            found, key=lambda v: (v["metadata"].get("creationTimestamp", ""), v["metadata"]["name"])
        )

    def speaking(self, service: Obj) -> list[Obj]:
        """Return the rules that count for a Service's requests inside the mesh, the one for plain ones first.

        HTTPRoutes, or else VirtualServices: as mesh.weights asks a cluster.
        """
        virtual = self.routing(service)
        routes = self.http_routes_for(service["metadata"]["name"])
        if not routes or not http_routes.come_before(next(iter(virtual), None)):
            return virtual
        taken = http_routes.plain_rule(routes)
        return sorted(routes, key=lambda route: taken is None or route is not taken[0])

    def versions_of(self, name: str) -> list[str]:
        """Return the names of the namespace's Services that are one version of a Service."""
        return version_services.of_services(self.own(self.services)).get(name, [])

    def http_routes_for(self, name: str) -> list[Obj]:
        """Return the namespace's HTTPRoutes for callers of a Service inside the mesh."""
        return http_routes.for_service(self.own(self.http_routes), name)

    def rules_for(self, host: str) -> list[Obj]:
        """Return the namespace's DestinationRules for a host."""
        wanted = full_name(host, self.name)
        rules = self.own(self.destination_rules)
        return [rule for rule in rules if full_name(rule["spec"]["host"], self.name) == wanted]

    def subsets(self, host: str) -> dict[str, dict[str, str]]:
        """Return the labels of each subset that the namespace's DestinationRules define for a host."""
        return {s["name"]: s.get("labels") or {} for r in self.rules_for(host) for s in subsets(r)}

    def pods_behind(self, service: Obj) -> list[Obj]:
        """Return the pods that a Service of this namespace selects; one without a selector has none."""
        return [pod for pod in self.pods if selects(service["spec"].get("selector"), pod)]

    def deployments_behind(self, service: Obj) -> list[Obj]:
        """Return the Deployments whose pods a Service of this namespace selects."""
        selector = service["spec"].get("selector")
        return [d for d in self.deployments if selects(selector, d["spec"]["template"])]

    def pods_of(self, deployment: Obj) -> list[Obj]:
        """Return a Deployment's pods."""
        wanted = deployment["spec"]["selector"].get("matchLabels") or {}
        return [pod for pod in self.pods if selects(wanted, pod)]


@dataclass(frozen=True)
class WrittenDestination:
    """One place to which an HTTP rule of a VirtualService sends requests, or copies (`mirror host`)."""

    place: str
    word: str
    host: str
    subset: str | None
    port: int | None
    weight: int


def flaggers(obj: Obj) -> str:
    """Return the name of Flagger's Canary that made an object and sees to it, "" for any other's."""
    owners = obj["metadata"].get("ownerReferences") or ()
    return next((owner["name"] for owner in owners if owner["kind"] == "Canary"), "")


def hosts(virtual_service: Obj) -> list[str]:
    """Return for which hosts a VirtualService speaks."""
    return virtual_service["spec"].get("hosts") or []


def in_mesh(virtual_service: Obj) -> bool:
    """Return whether sidecars follow a VirtualService, not gateways alone."""
    return MESH in (virtual_service["spec"].get("gateways") or [MESH])


def rules(obj: Obj) -> list[Obj]:
    """Return the HTTP rules of a VirtualService or an HTTPRoute."""
    return obj["spec"].get(field_of_rules(obj)) or []


def field_of_rules(obj: Obj) -> str:
    """Return where in its spec a VirtualService or an HTTPRoute has its HTTP rules."""
    return "rules" if obj["kind"] == http_routes.KIND else "http"


def subsets(destination_rule: Obj) -> list[Obj]:
    """Return the subsets that one DestinationRule defines."""
    return destination_rule["spec"].get("subsets") or []


def destinations(virtual_service: Obj) -> Iterator[WrittenDestination]:
    """Yield to where its HTTP rules send requests and copies of them, in the order of the file."""
    for number, rule in enumerate(rules(virtual_service)):
        at = f"spec.http[{number}]"
        route = rule.get("route") or []
        for index, (entry, weight) in enumerate(zip(route, written_weights(route), strict=True)):
            yield _destination(f"{at}.route[{index}].destination", "host", entry["destination"], weight)
        for index, entry in enumerate(rule.get("mirrors") or []):
            yield _destination(f"{at}.mirrors[{index}].destination", "mirror host", entry["destination"])
        if rule.get("mirror"):
            yield _destination(f"{at}.mirror", "mirror host", rule["mirror"])


def nearest(written: str, known: Sequence[str]) -> str:
    """Return the known name most like the written one, or the written one where none is known."""
    return (difflib.get_close_matches(written, known, n=1, cutoff=0.0) or [*known, written])[0]


def newest(versions: Sequence[str]) -> str | None:
    """Return the newest of some versions by the numbers in them; None where they have none to go by."""
    numbered = {version: [int(digits) for digits in re.findall(r"\d+", version)] for version in versions}
    if not versions or not all(numbered.values()):
        return None
    return max(versions, key=lambda version: numbered[version])


def _destination(place: str, word: str, written: Mapping[str, Any], weight: int = 1) -> WrittenDestination:
    port = (written.get("port") or {}).get("number")
    return WrittenDestination(place, word, written["host"], written.get("subset"), port, weight)
