"""What istiod makes of each case of tests/reference/istio and of tests/reference/gateway-api.

On a cluster with Istio's definitions (and the Gateway API's), over which an istiod serves discovery as
plain text, with automatic mutual TLS off; without a node the recorder does a kubelet's part.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from kata_lib import versions
from kata_lib.cluster.client import ApiRefused
from recorders.lab import Lab
from recorders.leaving import leaving_nothing
from recorders.proxies import Dump, Obj, clusters_of, endpoints_of, envoy, routes_of, settled
from recorders.recorded import REFERENCE, Versions
from recorders.standing import Standing

ISTIO, GATEWAY_API = REFERENCE / "istio", REFERENCE / "gateway-api"
TABLE = "5000"
NAME_CLUSTER = "|name.default.svc.cluster.local"

NOT_RECORDED = {
    *("metadata", "decorator", "include_request_attempt_count", "max_grpc_timeout"),
    *("retry_host_predicate", "host_selection_retry_max_attempts"),
}
OF_CLUSTERS = {
    *("lb_policy", "circuit_breakers", "outlier_detection", "connect_timeout", "ring_hash_lb_config"),
    *("typed_extension_protocol_options", "max_requests_per_connection", "load_balancing_policy"),
    "common_lb_config",
}


def record_istio(lab: Lab) -> Versions:
    """Write istio/expected/NAME.json: the virtual hosts of `name` and `age`, and the clusters of `name`."""
    with leaving_nothing(lab.client), envoy(lab.istiod) as dump:
        standing = Standing(lab.client, ISTIO / "base.yaml", http_routes=False)
        for name, documents in cases(ISTIO / "cases"):
            standing.apply(documents, name)

            def recorded(parts: dict[str, Obj]) -> Obj:
                return {
                    "clusters": clusters(parts, standing),
                    "routes": hosts(parts, TABLE, ("name.", "age.")),
                }

            write(ISTIO / "expected" / f"{name}.json", settled(name, dump, recorded))
    return {"kubernetes": lab.kubernetes, "istio": versions.ISTIO, "envoy": versions.ENVOY}


def record_gateway_api(lab: Lab) -> Versions:
    """Write gateway-api/expected/NAME.json: virtual hosts and statuses, or .refused.txt: kubectl's words."""
    with leaving_nothing(lab.client), envoy(lab.istiod) as dump:
        standing = Standing(lab.client, GATEWAY_API / "base.yaml", http_routes=True)
        for name, documents in cases(GATEWAY_API / "cases"):
            _record_routes(lab, standing, dump, name, documents)
    return {
        "kubernetes": lab.kubernetes,
        "istio": versions.ISTIO,
        "envoy": versions.ENVOY,
        "gateway_api": versions.GATEWAY_API,
    }


def _record_routes(lab: Lab, standing: Standing, dump: Dump, name: str, documents: list[Obj]) -> None:
    try:
        standing.apply(documents, name)
    except ApiRefused:
        said = lab.run(
            "kubectl", "create", "--dry-run=server", "--filename=-", text=yaml.safe_dump_all(documents)
        )
        (GATEWAY_API / "expected" / f"{name}.refused.txt").write_text(said.stderr)
        standing.apply([], name)

    def recorded(parts: dict[str, Obj]) -> Obj:
        return {"routes": hosts(parts, TABLE, ("name.", "age.")), "statuses": standing.statuses()}

    write(GATEWAY_API / "expected" / f"{name}.json", settled(name, dump, recorded))


def cases(folder: Path) -> Iterator[tuple[str, list[Obj]]]:
    """Yield each case of a folder with its objects."""
    for path in sorted(folder.glob("*.yaml")):
        yield path.stem, [document for document in yaml.safe_load_all(path.read_text()) if document]


def hosts(parts: dict[str, Obj], table: str, beginnings: tuple[str, ...]) -> Obj:
    """Return the virtual hosts of a table whose names begin so, without addresses."""
    found = [host for host in routes_of(parts, table) if host["name"].startswith(beginnings)]
    return {
        host["name"]: {
            "domains": sorted(domain for domain in host["domains"] if not domain[0].isdigit()),
            "routes": kept(host["routes"]),
        }
        for host in found
    }


def clusters(parts: dict[str, Obj], standing: Standing) -> Obj:
    """Return the outbound clusters of `name` with their endpoints by Deployment."""
    endpoints = endpoints_of(parts, standing.workloads)
    return {
        name: {key: kept(value) for key, value in cluster.items() if key in OF_CLUSTERS}
        | ({"endpoints": endpoints[name]} if name in endpoints else {})
        for name, cluster in clusters_of(parts).items()
        if name.startswith("outbound|") and name.endswith(NAME_CLUSTER)
    }


def kept(value: Any) -> Any:
    """Leave out what is not recorded."""
    if isinstance(value, dict):
        return {key: kept(item) for key, item in value.items() if key not in NOT_RECORDED}
    return [kept(item) for item in value] if isinstance(value, list) else value


def write(path: Path, found: Obj) -> None:
    """Write a recording as the folder keeps them."""
    path.write_text(json.dumps(found, indent=1, sort_keys=True))
    print(path.stem, flush=True)
