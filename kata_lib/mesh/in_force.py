"""Whether requests already meet what the API holds: objects and Envoy's configuration in, differences out.

On a real cluster istiod takes some 100 ms after an apply until every sidecar has the change. The sidecar that
sends the workshop's requests on is that of `sentences`; it is asked for its own configuration, of which these
are compared for each Service of the namespace: the routes' shares, the subsets, the endpoints. What else a
route does (matches, faults, timeouts) is not.
"""

import http.client
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from kata_lib.cluster import waiting
from kata_lib.cluster.client import Obj
from kata_lib.cluster.cluster import Cluster
from kata_lib.cluster.pods import SIDECAR, container_names
from kata_lib.mesh import proxy_config
from kata_lib.mesh import weights as mesh

Shares = dict[str, float]
"""The part of a route's requests that goes to each subset, or host where there is none; {} sends none on."""

SECONDS = 10.0
ENTRY_SERVICE = "sentences"


def until(cluster: Cluster, on_wait: Callable[[str], None] | None = None, timeout: float = SECONDS) -> None:
    """Wait until the callers' sidecars have what the API holds; WaitTimeout says what they lack.

    And where the cluster has one entry, until the sentences service, if it has pods, answers there.
    """
    waiting.until(lambda: "; ".join(missing(cluster)), timeout, on_wait, "The sidecars lag behind")
    if cluster.entry is not None and mesh.ready_pods(cluster, ENTRY_SERVICE):
        url = cluster.url(ENTRY_SERVICE)
        waiting.until(lambda: _silent(url), timeout, on_wait, "The way to the sentences service is not open")


def missing(cluster: Cluster) -> list[str]:
    """Return what the callers' sidecars do not have yet, one line for each difference."""
    lines = []
    for pod in filter(_has_sidecar, mesh.ready_pods(cluster, ENTRY_SERVICE)):
        name = pod["metadata"]["name"]
        dump = proxy_config.dump(cluster, name)
        for service in cluster.objects("v1", "Service"):
            if service["spec"].get("selector") and service["spec"].get("clusterIP") != "None":
                lines += [f"{name}: {line}" for line in _differences(cluster, service, dump)]
    return lines


def written_routes(service: Obj | None, host: str) -> list[Shares]:
    """Return the shares of each route that istiod makes of a VirtualService; without one all go to the host.

    A rule makes a route for each of its matches; what follows a rule without a match is never reached.
    """
    if service is None:
        return [{host: 1.0}]
    routes: list[Shares] = []
    for rule in service["spec"]["http"]:
        entries = rule.get("route", [])
        given = mesh.written_weights(entries)
        shares = _shares(zip((mesh.destination_name(e) for e in entries), given, strict=True))
        routes += [shares] * len(rule.get("match", [{}]))
        if "match" not in rule:
            break
    return routes


def routes_in_force(dump: Obj, host: str, namespace: str) -> list[Shares] | None:
    """Return the shares of each of an Envoy's routes to a Service, None where it has none by HTTP."""
    own = f"{host}.{namespace}.svc."
    tables = proxy_config.select(dump, "routes")
    virtual_hosts = [
        v for table in tables for v in table.get("virtual_hosts", []) if v["name"].startswith(own)
    ]
    if not virtual_hosts:
        return None
    return [_shares(_destinations(route.get("route", {}))) for route in virtual_hosts[0]["routes"]]


def endpoints_in_force(dump: Obj, host: str, namespace: str) -> dict[str, set[str]]:
    """Return the addresses behind each subset of a Service ("" is the Service itself) that an Envoy knows."""
    own = f"{host}.{namespace}.svc."
    found: dict[str, set[str]] = {}
    for cluster in proxy_config.select(dump, "clusters"):
        match cluster["name"].split("|"):
            case ["outbound", _, subset, name] if name.startswith(own):
                found[subset] = set()
    for assignment in proxy_config.select(dump, "endpoints"):
        match assignment.get("cluster_name", "").split("|"):
            case ["outbound", _, subset, name] if name.startswith(own) and subset in found:
                found[subset] |= set(_healthy(assignment))
    return found


def _silent(url: str) -> str:
    """Return why a service does not answer, "" where it does; its probes' path asks no other service."""
    address = urlsplit(url)
    client = http.client.HTTPConnection(address.hostname or "", address.port, timeout=1.0)
    try:
        client.request("GET", f"{address.path.rstrip('/')}/healthz")
        client.getresponse().read()
    except (OSError, http.client.HTTPException) as error:
        return f"{url} does not answer: {error!r}"
    finally:
        client.close()
    return ""


def _differences(cluster: Cluster, service: Obj, dump: Obj) -> Iterator[str]:
    host = service["metadata"]["name"]
    rule = mesh.virtual_service(cluster, host)
    if rule is None or not any("delegate" in http for http in rule["spec"]["http"]):
        wanted, seen = written_routes(rule, host), routes_in_force(dump, host, cluster.namespace)
        if seen != wanted and not (seen is None and rule is None):
            yield f"its routes to {host} are {seen}, not {wanted}"
    there, subsets = endpoints_in_force(dump, host, cluster.namespace), mesh.subsets(cluster, host)
    if other := {"", *subsets} ^ there.keys():
        yield f"it does not know yet of {host}'s {', '.join(sorted(other)) or 'Service'}"
    pods = mesh.ready_pods(cluster, host)
    for subset, addresses in there.items():
        ready = {p["status"]["podIP"] for p in pods if _carries(p, subsets.get(subset, {}))}
        if addresses != ready:
            yield f"it knows {len(addresses)} pods of {subset or host}, and {len(ready)} are ready"


def _shares(weighted: Any) -> Shares:
    weights: dict[str, int] = {}
    for name, weight in weighted:
        weights[name] = weights.get(name, 0) + weight
    total = sum(weights.values())
    return {name: round(weight / total, 6) for name, weight in weights.items() if weight}


def _destinations(action: Mapping[str, Any]) -> list[tuple[str, int]]:
    if "weighted_clusters" in action:
        return [(_name(c["name"]), c.get("weight", 0)) for c in action["weighted_clusters"]["clusters"]]
    return [(_name(action["cluster"]), 1)] if "cluster" in action else []


def _name(cluster: str) -> str:
    """Return the subset of one of istiod's clusters, or where it has none the host, as short as it may be."""
    _, _, subset, host = cluster.split("|")
    return subset or host.partition(".")[0]


def _healthy(assignment: Obj) -> Iterator[str]:
    for locality in assignment.get("endpoints", []):
        for endpoint in locality.get("lb_endpoints", []):
            if endpoint.get("health_status", "HEALTHY") in ("HEALTHY", "UNKNOWN"):
                yield endpoint["endpoint"]["address"]["socket_address"]["address"]


def _carries(pod: Obj, labels: Mapping[str, str]) -> bool:
    return bool(labels.items() <= pod["metadata"].get("labels", {}).items())


def _has_sidecar(pod: Obj) -> bool:
    return SIDECAR in container_names(pod)
