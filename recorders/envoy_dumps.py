"""What a sidecar of a real Istio says of itself: tests/reference/envoy, cut down to port 5000.

On a cluster with Istio, nodes, and the images of the workshop's application, such as `kata up` makes of
kind. The canary of the workshop stands meanwhile in the namespace `default`, which must be empty.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from kata_lib.cluster.client import ApiRefused
from kata_lib.cluster.manifests import load
from kata_lib.mesh import proxy_config
from recorders.lab import Lab, LabError
from recorders.leaving import leaving_nothing
from recorders.proxies import endpoints_of, until
from recorders.recorded import REFERENCE, Versions

FOLDER = REFERENCE / "envoy"
MANIFESTS = ("deploy/v1", "deploy/v2", "deploy/virtual-service-canary.yaml")
DUMP = "config_dump?include_eds"
PORT = 5000
REQUESTS = 200
"""How many requests `sentences` answers before its clusters are read, each of which asks `age` and `name`."""
SENTENCES = f"/api/v1/namespaces/default/services/sentences:{PORT}/proxy/"
OF_NAME, PODS = f"outbound|{PORT}||name.default.svc.cluster.local", 3
OF_TLS = ("transport_socket", "transport_socket_matches")
_TCP = [{"destination": {"host": "name", "subset": f"name-v{n}"}, "weight": w} for n, w in ((1, 20), (2, 80))]

Obj = dict[str, Any]


def record(lab: Lab) -> Versions:
    """Write the dumps of a sidecar of `sentences`: port of HTTP, without a name, of TCP; and its clusters."""
    _require_empty(lab)
    stands = [obj for name in MANIFESTS for obj in load(name)]
    with _standing(lab, stands):
        _write("config_dump", _dumped(lab))
        _requested(lab)
        _write("clusters", _of_port(_asked(lab, "clusters?format=json")))
        envoy = proxy_config.envoy_version(_asked(lab, DUMP))
    with _standing(lab, [_port_called(obj, None) for obj in stands]):
        _write("port-unnamed", _dumped(lab))
    with _standing(lab, [_tcp(_port_called(obj, "tcp-name")) for obj in stands]):
        _write("port-tcp", _dumped(lab))
    return {"kubernetes": lab.kubernetes, "istio": lab.istio, "envoy": envoy}


@contextmanager
def _standing(lab: Lab, objects: list[Obj]) -> Iterator[None]:
    """Have these stand in `default`, with sidecars that know nothing of what stood before."""
    items = {"apiVersion": "v1", "kind": "List", "items": objects}
    with leaving_nothing(lab.client):
        lab.checked("kubectl", "label", "namespace", "default", "istio-injection=enabled", "--overwrite")
        lab.checked("kubectl", "apply", "--server-side", "-f", "-", text=json.dumps(items))
        lab.checked("kubectl", "wait", "--for=condition=available", "deployment", "--all", "--timeout=80s")
        yield


def _require_empty(lab: Lab) -> None:
    stands = lab.client.request("GET", "/api/v1/namespaces/default/pods")["items"]
    if stands:
        names = ", ".join(pod["metadata"]["name"] for pod in stands)
        raise LabError(f"The workshop's canary is to stand alone in `default`, where there are {names}.")


def _requested(lab: Lab) -> None:
    """Ask for sentences; that pods are ready the API server's way to them knows a moment later."""
    until(lambda: _answers(lab), "`sentences` does not answer")
    for _ in range(REQUESTS - 1):
        lab.client.text(SENTENCES)


def _answers(lab: Lab) -> bool:
    with suppress(ApiRefused):
        lab.client.text(SENTENCES)
        return True
    return False


def _port_called(obj: Obj, name: str | None) -> Obj:
    """Return the Service `name` with its port called so, every other object as it is."""
    if (obj["kind"], obj["metadata"]["name"]) != ("Service", "name"):
        return obj
    port = {"port": PORT, "targetPort": PORT} | ({"name": name} if name else {})
    return {**obj, "spec": {**obj["spec"], "ports": [port]}}


def _tcp(obj: Obj) -> Obj:
    """Return the VirtualService with a route of TCP, every other object as it is."""
    if obj["kind"] != "VirtualService":
        return obj
    return {**obj, "spec": {"hosts": obj["spec"]["hosts"], "tcp": [{"route": _TCP}]}}


def _dumped(lab: Lab) -> Obj:
    """Return the sidecar's dump, cut down, once it knows all pods of `name`."""

    def complete() -> bool:
        parts = {part["@type"].rpartition(".")[2]: part for part in _asked(lab, DUMP)["configs"]}
        return len(endpoints_of(parts, {}).get(OF_NAME, ())) == PODS

    until(complete, "The sidecar of `sentences` does not know all pods of `name`")
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
            plain = [{"cluster": _without_tls(entry["cluster"])} for entry in kept]
            return {"@type": part["@type"], "dynamic_active_clusters": plain}
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


def _without_tls(cluster: Obj) -> Obj:
    return {key: value for key, value in cluster.items() if key not in OF_TLS}


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
