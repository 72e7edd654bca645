"""Weights of a VirtualService: read them, set them, and what share of the requests they mean.

A cluster and a host go in, shares come out as fractions of 1. Istio divides each weight by the sum of all
weights of its route, so 10 and 80 is one ninth; a route with one destination needs no weight.
"""

import math
from collections.abc import Mapping
from typing import Any

from kata_lib.cluster.client import Obj
from kata_lib.cluster.cluster import Cluster
from kata_lib.cluster.pods import is_ready
from kata_lib.errors import MeshError
from kata_lib.mesh.virtual_services import ISTIO


def weights(cluster: Cluster, host: str = "name") -> dict[str, float]:
    """Return each destination's share by subset (host where it has none); {} without a VirtualService."""
    service = virtual_service(cluster, host)
    return {} if service is None else shares_in(service)


def shares_in(service: Obj) -> dict[str, float]:
    """Return each destination's share by subset (host where it has none) in a VirtualService's last route."""
    route = default_route(service)["route"]
    given = written_weights(route)
    total = sum(given)
    if total == 0:
        raise MeshError(f"All weights of the VirtualService {service['metadata']['name']!r} are 0.")
    shares: dict[str, float] = {}
    for entry, weight in zip(route, given, strict=True):
        name = destination_name(entry)
        shares[name] = shares.get(name, 0.0) + weight / total
    return shares


def set_weights(cluster: Cluster, wanted: Mapping[str, float], host: str = "name") -> dict[str, float]:
    """Set whole-number weights by subset and return the shares that they make.

    Where exactly one destination is not named and the others stay at or below 100, it gets the rest to 100.
    MeshError says what is no weight: a word, a negative number, a fraction, all zero, an unknown subset.
    """
    service = virtual_service(cluster, host)
    if service is None:
        raise MeshError(
            f"No VirtualService routes the host {host!r}, so there is nothing to weight. "
            "`kubectl apply -f deploy/virtual-service-canary.yaml` makes one."
        )
    http = service["spec"]["http"]
    route = default_route(service)["route"]
    complete = complete_weights(wanted, [destination_name(entry) for entry in route])
    for entry in route:
        entry["weight"] = complete[destination_name(entry)]
    cluster.patch(ISTIO, "VirtualService", service["metadata"]["name"], {"spec": {"http": http}})
    total = sum(complete.values())
    return {name: weight / total for name, weight in complete.items()}


def parse_weights(words: list[str]) -> dict[str, float]:
    """Return weights from words such as name-v2=20; MeshError names the word that is none."""
    found: dict[str, float] = {}
    for word in words:
        name, _, weight = word.partition("=")
        try:
            found[name] = float(weight)
        except ValueError:
            raise MeshError(f"Expected SUBSET=NUMBER, such as name-v2=20, not {word!r}.") from None
    return found


def complete_weights(wanted: Mapping[str, Any], destinations: list[str]) -> dict[str, int]:
    """Return a weight for each destination: those wanted, and the rest to 100 for a single one not named."""
    known = ", ".join(destinations)
    for name, weight in wanted.items():
        if name not in destinations:
            raise MeshError(f"The route has no subset {name!r}; it has: {known}.")
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not math.isfinite(weight):
            raise MeshError(f"The weight of {name} must be a number, not {weight!r}.")
        if weight < 0:
            raise MeshError(f"The weight of {name} is {weight:g}; a weight cannot be negative.")
        if weight != int(weight):
            raise MeshError(f"The weight of {name} is {weight:g}; Istio takes whole numbers only.")
    complete = {name: int(weight) for name, weight in wanted.items()}
    absent = [name for name in destinations if name not in complete]
    given = sum(complete.values())
    if len(absent) == 1 and given <= 100:
        complete[absent[0]] = 100 - given
    elif absent:
        raise MeshError(f"Weights for {', '.join(absent)} are missing; the route has: {known}.")
    if sum(complete.values()) == 0:
        raise MeshError(f"All weights are 0; at least one of {known} must get requests.")
    return complete


def expected_share(cluster: Cluster, host: str = "name") -> dict[str, float]:
    """Return the share of requests that each version should get, by its label, such as {"v1": .9, "v2": .1}.

    With a VirtualService from its weights and the DestinationRule's subsets; without, from the ready pods
    behind the Service, among which requests are spread evenly.
    """
    shares = weights(cluster, host)
    pods = ready_pods(cluster, host)
    if not shares:
        return pods_by_version(pods)
    labels = subsets(cluster, host)
    versions: dict[str, float] = {}
    for name, share in shares.items():
        behind = _behind(labels[name], pods) if name in labels else pods_by_version(pods)
        for version, part in behind.items():
            versions[version] = versions.get(version, 0.0) + share * part
    return versions


def _behind(labels: Mapping[str, str], pods: list[Obj]) -> dict[str, float]:
    """Return the versions behind a subset: the one that it names, or those of the pods that it selects."""
    if "version" in labels:
        return {labels["version"]: 1.0}
    return pods_by_version([p for p in pods if labels.items() <= p["metadata"].get("labels", {}).items()])


def subsets(cluster: Cluster, host: str = "name") -> dict[str, dict[str, str]]:
    """Return the labels of each subset that the host's DestinationRules define."""
    rules = [
        r for r in cluster.objects(ISTIO, "DestinationRule") if _same_host(r["spec"]["host"], host, cluster)
    ]
    return {s["name"]: s.get("labels", {}) for rule in rules for s in rule["spec"].get("subsets", [])}


def virtual_service(cluster: Cluster, host: str = "name") -> Obj | None:
    """Return the VirtualService of the host's HTTP inside the mesh; of several Istio obeys the oldest."""
    found = [
        v
        for v in cluster.objects(ISTIO, "VirtualService")
        if any(_same_host(h, host, cluster) for h in v["spec"].get("hosts", []))
        and "mesh" in v["spec"].get("gateways", ["mesh"])
        and v["spec"].get("http")
    ]
    return min(found, key=lambda v: (v["metadata"]["creationTimestamp"], v["metadata"]["name"]), default=None)


def ready_pods(cluster: Cluster, host: str = "name") -> list[Obj]:
    """Return the ready pods behind a Service."""
    service = cluster.get("v1", "Service", host)
    if service is None:
        return []
    selector = ",".join(f"{k}={v}" for k, v in service["spec"].get("selector", {}).items())
    return [pod for pod in cluster.pods(selector) if is_ready(pod)]


def pods_by_version(pods: list[Obj]) -> dict[str, float]:
    """Return each version's part of some pods as a fraction; {} of none."""
    versions = [pod["metadata"].get("labels", {}).get("version", "none") for pod in pods]
    return {version: versions.count(version) / len(versions) for version in sorted(set(versions))}


def default_route(service: Obj) -> Obj:
    """Return the rule of a VirtualService that requests take which no match sets apart; MeshError if none."""
    for http in service["spec"]["http"]:
        if "match" not in http and "route" in http:
            found: Obj = http
            return found
    name = service["metadata"]["name"]
    raise MeshError(f"The VirtualService {name!r} has no route that all requests may take: each has a match.")


def written_weights(route: list[Obj]) -> list[int]:
    """Return the weight of each entry of a route as Istio reads it: a single one needs none."""
    return [int(entry.get("weight", 1 if len(route) == 1 else 0)) for entry in route]


def destination_name(entry: Obj) -> str:
    """Return the subset of a route's entry, or its host where it has none."""
    destination = entry["destination"]
    return str(destination.get("subset") or destination["host"])


def _same_host(written: str, host: str, cluster: Cluster) -> bool:
    return written in (host, f"{host}.{cluster.namespace}", f"{host}.{cluster.namespace}.svc.cluster.local")
