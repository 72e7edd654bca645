"""What a pod's Envoy has in force: its configuration dump goes in, one section's resources come out."""

import json
from typing import Literal, cast, get_args

from kata_lib.cluster.client import Obj
from kata_lib.cluster.cluster import Cluster
from kata_lib.errors import KataError

Section = Literal["listeners", "routes", "clusters", "endpoints"]

_KEYS = {
    "listeners": ("ListenersConfigDump", ("static_listeners", "dynamic_listeners"), "listener"),
    "routes": ("RoutesConfigDump", ("static_route_configs", "dynamic_route_configs"), "route_config"),
    "clusters": ("ClustersConfigDump", ("static_clusters", "dynamic_active_clusters"), "cluster"),
    "endpoints": (
        "EndpointsConfigDump",
        ("static_endpoint_configs", "dynamic_endpoint_configs"),
        "endpoint_config",
    ),
}
"""Of Envoy's /config_dump (envoy.admin.v3), for each section: its type, its lists, what is in each entry."""


def section(name: str) -> Section:
    """Return the section of that name; KataError lists those there are."""
    for known in get_args(Section):
        if name == known:
            return cast(Section, known)
    raise KataError(f"There is no section {name!r}; choose {', '.join(_KEYS)}.")


def read(cluster: Cluster, pod: str, section: Section) -> list[Obj]:
    """Return the pod's resources of a section as Envoy's protobuf JSON has them, sorted by name."""
    return select(dump(cluster, pod), section)


def dump(cluster: Cluster, pod: str) -> Obj:
    """Return all that a pod's Envoy has in force."""
    found: Obj = json.loads(cluster.ask_envoy(pod, "config_dump?include_eds"))
    return found


def envoy_version(dump: Obj) -> str:
    """Return the version that Envoy says of itself in its configuration dump, "" where it says none."""
    bootstrap: Obj = next((config["bootstrap"] for config in dump["configs"] if "bootstrap" in config), {})
    version = bootstrap.get("node", {}).get("user_agent_build_version", {}).get("version", {})
    parts = ("major_number", "minor_number", "patch")
    return ".".join(str(version.get(part, 0)) for part in parts) if version else ""


def routes_text(cluster: Cluster, pod: str) -> str:
    """Return a pod's route tables as text, for telling cheaply whether they changed."""
    return cluster.ask_envoy(pod, "config_dump?resource=dynamic_route_configs")


def select(dump: Obj, section: Section) -> list[Obj]:
    """Return one section's resources of a configuration dump, sorted by name."""
    kind, lists, key = _KEYS[section]
    found = [
        active[key]
        for config in dump["configs"]
        if config["@type"].endswith(kind)
        for name in lists
        for entry in config.get(name, [])
        if key in (active := entry.get("active_state", entry))
    ]
    return sorted(found, key=lambda resource: str(resource.get("name") or resource.get("cluster_name", "")))
