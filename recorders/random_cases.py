"""What istiod makes of random cases: combinations.json.gz of reference/istio and reference/gateway-api.

The tests' combinations.py has those of Istio's own resources, http_routes.py those of HTTPRoutes. The
lab is that of mesh_cases.py. A case that the API server refuses, or Envoy, is left out.
"""

import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import combinations
import http_routes

from kata_lib import versions
from kata_lib.cluster.client import ApiRefused
from recorders.lab import Lab, LabError
from recorders.leaving import leaving_nothing
from recorders.mesh_cases import GATEWAY_API, ISTIO
from recorders.proxies import Obj, clusters_of, endpoints_of, envoy, listeners_of, settled
from recorders.recorded import Versions
from recorders.standing import Standing

SEED = 20261128
COUNTS = {ISTIO: 260, GATEWAY_API: 160}
NOT_RECORDED = {
    *("metadata", "decorator", "include_request_attempt_count", "max_grpc_timeout"),
    *("alt_stat_name", "type", "eds_cluster_config", "@type", "filters", "track_remaining"),
}
OF_TCP = ("cluster", "weighted_clusters", "hash_policy")

Recorded = Callable[[dict[str, Obj], Standing], Obj]


def record_istio(lab: Lab) -> Versions:
    """Write the cases of Istio's resources: virtual hosts, clusters with endpoints, and TCP ports."""
    _record(lab, ISTIO, combinations.cases(SEED, COUNTS[ISTIO]), _of_mesh)
    return {"kubernetes": lab.kubernetes, "istio": versions.ISTIO, "envoy": versions.ENVOY}


def record_gateway_api(lab: Lab) -> Versions:
    """Write the cases of HTTPRoutes: virtual hosts, and the routes' statuses."""
    _record(lab, GATEWAY_API, http_routes.cases(SEED, COUNTS[GATEWAY_API]), _of_routes)
    return {
        "kubernetes": lab.kubernetes,
        "istio": versions.ISTIO,
        "envoy": versions.ENVOY,
        "gateway_api": versions.GATEWAY_API,
    }


def _record(lab: Lab, folder: Path, cases: Iterator[tuple[str, list[Obj]]], recorded: Recorded) -> None:
    found = []
    with leaving_nothing(lab.client), envoy(lab.istiod) as dump:
        standing = Standing(lab.client, folder / "base.yaml", http_routes=folder == GATEWAY_API)
        for name, documents in cases:
            try:
                standing.apply(documents, name)
                made = settled(name, dump, lambda parts: recorded(parts, standing))
            except (ApiRefused, LabError) as refused:
                print(f"{name} is left out: {refused}", flush=True)
                continue
            found.append({"name": name, "documents": documents, "made": made})
    text = "\n".join(json.dumps(case, separators=(",", ":"), sort_keys=True) for case in found)
    (folder / "combinations.json.gz").write_bytes(gzip.compress(text.encode(), mtime=0))
    print(f"{len(found)} cases", flush=True)


def _of_mesh(parts: dict[str, Obj], standing: Standing) -> Obj:
    return {
        "routes": _routes(parts["RoutesConfigDump"]),
        "clusters": _clusters(parts, standing),
        "tcp": _tcp(parts, standing),
    }


def _of_routes(parts: dict[str, Obj], standing: Standing) -> Obj:
    return {"routes": _routes(parts["RoutesConfigDump"]), "statuses": standing.statuses()}


def _routes(dump: Obj) -> Obj:
    tables = [entry["route_config"] for entry in dump["dynamic_route_configs"]]
    found = {}
    for table in sorted(tables, key=lambda table: ":" in table["name"], reverse=True):
        if table["name"] == "http_proxy" or table["name"].startswith("inbound"):
            continue
        for host in table.get("virtual_hosts", ()):
            if _ours(host["name"]):
                domains = sorted(d for d in host["domains"] if not d[0].isdigit())
                found[host["name"]] = {"domains": domains, "routes": whole(host["routes"])}
    return found


def _ours(name: str) -> bool:
    return not name.startswith(("block_all", "allow_any", "kubernetes.", "marker."))


def _clusters(parts: dict[str, Obj], standing: Standing) -> Obj:
    found = {}
    endpoints = endpoints_of(parts, standing.workloads)
    for name, cluster in clusters_of(parts).items():
        host = name.rpartition("|")[2]
        if ".default." in host and not host.startswith("kubernetes."):
            found[name] = whole(cluster)
            if name in endpoints:
                found[name]["endpoints"] = endpoints[name]
    return found


def _tcp(parts: dict[str, Obj], standing: Standing) -> Obj:
    """Return, by Service and port, what passes on the connections of which no request is looked at."""
    services = {address: name for name, address in standing.addresses.items()}
    found = {}
    for name, listener in listeners_of(parts).items():
        address, _, port = name.rpartition("_")
        if address not in services:
            continue
        filters = [chain["filters"][-1] for chain in listener["filter_chains"]]
        if all(last["name"].endswith("tcp_proxy") for last in filters):
            config = filters[0]["typed_config"]
            found[f"{services[address]}:{port}"] = {k: config[k] for k in OF_TCP if k in config}
    return found


def whole(value: Any) -> Any:
    """Leave out what is not recorded; query parameters come in an order that is another each time."""
    if isinstance(value, dict):
        kept = {key: whole(item) for key, item in value.items() if key not in NOT_RECORDED}
        if "query_parameters" in kept:
            kept["query_parameters"].sort(key=lambda parameter: parameter["name"])
        return kept
    return [whole(item) for item in value] if isinstance(value, list) else value
