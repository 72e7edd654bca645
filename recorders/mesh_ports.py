"""What istiod makes of a Service's port, declared in one of many ways: tests/reference/istio/ports.

As for mesh_cases.py, from an istiod whose mesh configuration has `proxyHttpPort: 15080`, so that
sidecars have the table `http_proxy` as well.
"""

from typing import Any

from kata_lib import versions
from recorders.lab import Lab
from recorders.leaving import leaving_nothing
from recorders.mesh_cases import ISTIO, cases, clusters, hosts, kept, write
from recorders.proxies import Dump, Obj, Pod, clusters_of, envoy, listeners_of, settled
from recorders.recorded import Versions
from recorders.standing import Standing

PORTS = ISTIO / "ports"
TABLES = ("5000", "3306")
OF_CHAINS = ("cluster", "weighted_clusters", "hash_policy", "idle_timeout", "max_connect_attempts")
OF_INBOUND = ("typed_extension_protocol_options", "circuit_breakers", "connect_timeout")


def record(lab: Lab) -> Versions:
    """Write ports/expected/NAME.json: routes, clusters and listeners of a caller, and of a pod of `name`."""
    with leaving_nothing(lab.client):
        standing = Standing(lab.client, ISTIO / "base.yaml", http_routes=False)
        with envoy(lab.istiod) as outbound, envoy(lab.istiod, _called(standing)) as inbound:
            for name, documents in cases(PORTS / "cases"):
                standing.apply(documents, name)
                write(PORTS / "expected" / f"{name}.json", _recorded(standing, name, outbound, inbound))
    return {"kubernetes": lab.kubernetes, "istio": versions.ISTIO, "envoy": versions.ENVOY}


def _recorded(standing: Standing, marker: str, outbound: Dump, inbound: Dump) -> Obj:
    def both(parts: dict[str, Obj]) -> Obj:
        routes: Obj = {}
        for table in TABLES:
            routes |= hosts(parts, table, ("name.",))
        proxied = hosts(parts, "http_proxy", ("name.",))
        return {
            "clusters": clusters(parts, standing),
            "routes": routes,
            "http_proxy": {name: host["domains"] for name, host in proxied.items()},
            "listener": _of_service(parts, standing.addresses["name"]),
            **_of_pod(inbound()),
        }

    return settled(marker, outbound, both)


def _called(standing: Standing) -> Pod:
    """Return the pod of `name-v1`."""
    pod = next(pod for pod in standing.pods() if pod["metadata"]["name"].startswith("name-v1-"))
    metadata = pod["metadata"]
    return Pod(metadata["name"], pod["status"]["podIP"], metadata["labels"])


def _of_service(parts: dict[str, Obj], address: str) -> list[Obj] | None:
    """Return the chains of the listener at the Service's address, None where it has none of its own."""
    own = [found for name, found in listeners_of(parts).items() if name.startswith(f"{address}_")]
    if not own:
        return None
    found = [_chain(chain) for chain in own[0].get("filter_chains", ())]
    last = own[0].get("default_filter_chain")
    if last and (there := _leads_to(last)) != "http" and there.get("cluster") == "PassthroughCluster":
        return found
    return [*found, *([{"seen": [], "to": _leads_to(last)}] if last else [])]


def _of_pod(parts: dict[str, Obj]) -> Obj:
    """Return what the pod takes in as plain text at port 5000, and the cluster behind."""
    listener = listeners_of(parts)["virtualInbound"]
    chains = [
        _chain(chain)
        for chain in listener["filter_chains"]
        if chain.get("filter_chain_match", {}).get("destination_port") == 5000
        and chain["filter_chain_match"].get("transport_protocol") == "raw_buffer"
    ]
    cluster = next(found for name, found in clusters_of(parts).items() if name.startswith("inbound|5000"))
    kept_of_cluster = {key: kept(value) for key, value in cluster.items() if key in OF_INBOUND}
    return {"inbound": chains, "inbound_cluster": kept_of_cluster}


def _chain(chain: Obj) -> Obj:
    match = chain.get("filter_chain_match", {})
    names = {"server_names": match["server_names"]} if "server_names" in match else {}
    return {"seen": match.get("application_protocols", []), **names, "to": _leads_to(chain)}


def _leads_to(chain: Obj) -> Any:
    """Return "http", or the clusters of the TCP proxy at a chain's end."""
    config = chain["filters"][-1]["typed_config"]
    if chain["filters"][-1]["name"].endswith("http_connection_manager"):
        return "http"
    return {key: kept(config[key]) for key in OF_CHAINS if key in config}
