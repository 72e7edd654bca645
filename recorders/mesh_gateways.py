"""What istiod makes of Istio's Gateways, as a router receives it: tests/reference/gateway.

The lab is that of mesh_cases.py; the router is none of its pods. The tests' gateways.py has the random cases.
"""

import gzip
import json

import gateways

from kata_lib import versions
from kata_lib.cluster.client import ApiRefused
from recorders.lab import Lab, LabError
from recorders.leaving import leaving_nothing
from recorders.mesh_cases import GATEWAY_API, cases, kept, write
from recorders.proxies import EDGE, Obj, envoy, listeners_of, settled
from recorders.random_cases import SEED, whole
from recorders.recorded import REFERENCE, Versions
from recorders.standing import MARKER, Standing

FOLDER = REFERENCE / "gateway"
COUNT = 90
OF_HOSTS = ("name", "domains", "require_tls")


def record(lab: Lab) -> Versions:
    """Write gateway/expected/NAME.json: ports of listeners and the route tables; and the random cases."""
    with leaving_nothing(lab.client), envoy(lab.istiod, EDGE) as dump:
        standing = Standing(lab.client, GATEWAY_API / "base.yaml", http_routes=False)
        for name, documents in cases(FOLDER / "cases"):
            standing.apply(documents, name, EDGE)
            write(FOLDER / "expected" / f"{name}.json", settled(name, dump, _by_port))
        found = []
        for name, documents in gateways.cases(SEED, COUNT):
            try:
                standing.apply(documents, name, EDGE)
                found.append({"name": name, "documents": documents, "made": settled(name, dump, _recorded)})
            except (ApiRefused, LabError) as refused:
                print(f"{name} is left out: {refused}", flush=True)
    text = "\n".join(json.dumps(case, separators=(",", ":"), sort_keys=True) for case in found)
    (FOLDER / "combinations.json.gz").write_bytes(gzip.compress(text.encode(), mtime=0))
    return {"kubernetes": lab.kubernetes, "istio": versions.ISTIO, "envoy": versions.ENVOY}


def _by_port(parts: dict[str, Obj]) -> Obj:
    """Return the listeners with their ports, and the tables that they use."""
    ports = {
        name: listener["address"]["socket_address"]["port_value"]
        for name, listener in listeners_of(parts).items()
    }
    found = _recorded(parts)
    return {"listeners": {name: ports[name] for name in found["listeners"]}, "routes": kept(found["routes"])}


def _recorded(parts: dict[str, Obj]) -> Obj:
    """Return the listeners, each with its chains' tables and names, and the tables that they use."""
    listeners = {
        name: [_chain(chain) for chain in listener["filter_chains"]]
        for name, listener in listeners_of(parts).items()
        if not name.endswith(f"_{MARKER}")
    }
    named = {chain["table"] for chains in listeners.values() for chain in chains}
    tables = [entry["route_config"] for entry in parts["RoutesConfigDump"].get("dynamic_route_configs", ())]
    routes = {
        table["name"]: [_host(host) for host in table.get("virtual_hosts", ())]
        for table in tables
        if table["name"] in named
    }
    return {"listeners": listeners, "routes": routes}


def _host(host: Obj) -> Obj:
    return {key: host[key] for key in OF_HOSTS if key in host} | {"routes": whole(host.get("routes", []))}


def _chain(chain: Obj) -> Obj:
    configs = [found["typed_config"] for found in chain["filters"]]
    (table,) = (config["rds"]["route_config_name"] for config in configs if "rds" in config)
    names = chain.get("filter_chain_match", {}).get("server_names")
    return {"table": table, **({"server_names": names} if names else {})}
