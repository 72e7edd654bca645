"""What a sidecar of a real Istio says of itself: tests/reference/envoy, cut down to port 5000.

On a cluster with Istio, nodes, and the images of the workshop's application, such as `kata up` makes of
kind. The canary of the workshop stands meanwhile in the namespace `default`, which must be empty.
"""

import json
from collections.abc import Callable
from typing import Any

from kata_lib import versions
from kata_lib.cluster.manifests import load
from recorders.lab import Lab
from recorders.leaving import leaving_nothing
from recorders.proxies import until
from recorders.recorded import REFERENCE, Versions

FOLDER = REFERENCE / "envoy"
MANIFESTS = ("deploy/v1", "deploy/v2", "deploy/virtual-service-canary.yaml")
DUMP = "config_dump?include_eds"
PORT = 5000
_TCP = [{"destination": {"host": "name", "subset": f"name-v{n}"}, "weight": w} for n, w in ((1, 20), (2, 80))]

Obj = dict[str, Any]


def record(lab: Lab) -> Versions:
    """Write the dumps of a sidecar of `sentences`: port of HTTP, without a name, of TCP; and its clusters."""
    with leaving_nothing(lab.client):
        lab.checked("kubectl", "label", "namespace", "default", "istio-injection=enabled", "--overwrite")
        stands = [obj for name in MANIFESTS for obj in load(name)]
        _apply(lab, stands)
        lab.checked("kubectl", "wait", "--for=condition=available", "deployment", "--all", "--timeout=80s")
        _write("config_dump", _dumped(lab, lambda text: "name-v2" in text))
        _write("clusters", _of_port(_asked(lab, "clusters?format=json")))
        _apply(lab, [_port_called(obj, None) for obj in stands if obj["kind"] == "Service"])
        _write("port-unnamed", _dumped(lab, lambda text: "http_inspector" in text))
        _apply(lab, [_port_called(obj, "tcp-name") for obj in stands if obj["kind"] == "Service"])
        _apply(lab, [_tcp(obj) for obj in stands if obj["kind"] == "VirtualService"])
        _write("port-tcp", _dumped(lab, lambda text: "weighted_clusters" in text))
    return {"kubernetes": lab.kubernetes, "istio": versions.ISTIO, "envoy": versions.ENVOY}


def _apply(lab: Lab, objects: list[Obj]) -> None:
    items = {"apiVersion": "v1", "kind": "List", "items": objects}
    lab.checked("kubectl", "apply", "--server-side", "--force-conflicts", "-f", "-", text=json.dumps(items))


def _port_called(service: Obj, name: str | None) -> Obj:
    if service["metadata"]["name"] != "name":
        return service
    port = {"port": PORT, "targetPort": PORT} | ({"name": name} if name else {})
    return {**service, "spec": {**service["spec"], "ports": [port]}}


def _tcp(virtual: Obj) -> Obj:
    return {**virtual, "spec": {"hosts": virtual["spec"]["hosts"], "tcp": [{"route": _TCP}]}}


def _dumped(lab: Lab, there: Callable[[str], bool]) -> Obj:
    until(lambda: there(json.dumps(_asked(lab, DUMP))), "The configuration does not reach the sidecar")
    return {"configs": [kept for part in _asked(lab, DUMP)["configs"] if (kept := _cut(part))]}


def _asked(lab: Lab, what: str) -> Obj:
    there = (
        "exec",
        "deployment/sentences",
        "--container=istio-proxy",
        "--",
        "pilot-agent",
        "request",
        "GET",
        what,
    )
    found: Obj = json.loads(lab.checked("kubectl", *there))
    return found


def _cut(part: Obj) -> Obj | None:
    """Return of a part of the dump what is of the port; None for parts that say nothing of it."""
    match part["@type"].rpartition(".")[2]:
        case "ClustersConfigDump":
            kept = [e for e in part["dynamic_active_clusters"] if f"|{PORT}|" in e["cluster"]["name"]]
            names = [{"cluster": {"name": entry["cluster"]["name"]}} for entry in kept]
            return {"@type": part["@type"], "dynamic_active_clusters": names}
        case "EndpointsConfigDump":
            found = part["dynamic_endpoint_configs"]
            kept = [e for e in found if f"|{PORT}|" in e["endpoint_config"].get("cluster_name", "")]
            return {"@type": part["@type"], "dynamic_endpoint_configs": kept}
        case "RoutesConfigDump":
            found = part["dynamic_route_configs"]
            kept = [{"route_config": e["route_config"]} for e in found if _is_ours(e["route_config"]["name"])]
            return {"@type": part["@type"], "dynamic_route_configs": kept}
        case "ListenersConfigDump":
            kept = [_listener(e) for e in part["dynamic_listeners"] if e["name"].endswith(f"_{PORT}")]
            return {"@type": part["@type"], "dynamic_listeners": kept}
    return None


def _is_ours(table: str) -> bool:
    return table.rpartition(":")[2] == str(PORT)


def _listener(entry: Obj) -> Obj:
    """Return a listener without transport sockets, and of its filters those that pass traffic on."""
    listener = entry["active_state"]["listener"]
    chains = [_chain(chain) for chain in listener.get("filter_chains", ())]
    rest = (
        {"default_filter_chain": _chain(listener["default_filter_chain"])}
        if "default_filter_chain" in listener
        else {}
    )
    kept = {key: listener[key] for key in ("name", "address", "listener_filters") if key in listener}
    return {"name": entry["name"], "active_state": {"listener": {**kept, "filter_chains": chains, **rest}}}


def _chain(chain: Obj) -> Obj:
    kept = {key: value for key, value in chain.items() if key in ("name", "filter_chain_match")}
    return {**kept, "filters": [_filter(last) for last in chain["filters"][-1:]]}


def _filter(found: Obj) -> Obj:
    config = {
        key: value
        for key, value in found["typed_config"].items()
        if key not in ("http_filters", "access_log")
    }
    return {"name": found["name"], "typed_config": config}


def _of_port(found: Obj) -> Obj:
    kept = [status for status in found["cluster_statuses"] if f"|{PORT}|" in status["name"]]
    return {"cluster_statuses": kept}


def _write(name: str, found: Obj) -> None:
    (FOLDER / f"{name}.json").write_text(json.dumps(found, indent=1) + "\n")
    print(name, flush=True)
