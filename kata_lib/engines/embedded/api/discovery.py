"""Discovery: which groups, versions and resources are served, in the aggregated and in the older form."""

from collections.abc import Sequence
from typing import Any

from kata_lib.engines.embedded.registry.resources import METRICS, Resource
from kata_lib.engines.embedded.registry.served import Resources
from kata_lib.engines.embedded.registry.status import no_such_path

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"

MEASURED_VERSION = "v1beta1"
MEASURED = (
    Resource("nodes", "NodeMetrics", METRICS, MEASURED_VERSION, namespaced=False, verbs=()),
    Resource("pods", "PodMetrics", METRICS, MEASURED_VERSION, verbs=()),
)
"""What a server of metrics has, here without a verb.

A version that has nothing kubectl keeps no note of, and so asks for all of discovery in each of its commands.
"""

SUBRESOURCE_VERBS = {"log": ("get",), "finalize": ("update",)}
DEFAULT_SUBRESOURCE_VERBS = ("get", "patch", "update")


def wants_aggregated(accept: str) -> bool:
    """Return whether the client takes all of discovery in one document."""
    wanted = {"g=apidiscovery.k8s.io", "v=v2", "as=APIGroupDiscoveryList"}
    return any(wanted <= {part.strip() for part in option.split(";")} for option in accept.split(","))


def aggregated(resources: Resources, *, core: bool) -> dict[str, Any]:
    """Return the APIGroupDiscoveryList of /api (`core`) or of /apis."""
    groups = [group for group in resources.groups() if (group == "") is core]
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {},
        "items": [_group_discovery(resources, group) for group in groups],
    }


def _group_discovery(resources: Resources, group: str) -> dict[str, Any]:
    versions = [
        {
            "version": version,
            "resources": [
                _resource_discovery(resource, version) for resource in _in_version(resources, group, version)
            ],
            "freshness": "Current",
        }
        for version in _versions(resources, group)
    ]
    name = {"name": group} if group else {}
    return {"metadata": {**name, "creationTimestamp": None}, "versions": versions}


def _resource_discovery(resource: Resource, version: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "resource": resource.plural,
        "responseKind": _kind(resource.group, version, resource.kind),
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.singular,
        "verbs": list(resource.verbs),
    }
    if resource.short_names:
        found["shortNames"] = list(resource.short_names)
    if resource.categories:
        found["categories"] = list(resource.categories)
    if resource.subresources:
        found["subresources"] = [
            {
                "subresource": name,
                "responseKind": _kind("autoscaling", "v1", "Scale")
                if name == "scale"
                else _kind(resource.group, version, resource.kind),
                "verbs": list(SUBRESOURCE_VERBS.get(name, DEFAULT_SUBRESOURCE_VERBS)),
            }
            for name in resource.subresources
        ]
    return found


def _kind(group: str, version: str, kind: str) -> dict[str, str]:
    return {"group": group, "version": version, "kind": kind}


def _versions(resources: Resources, group: str) -> list[str]:
    return [MEASURED_VERSION] if group == METRICS else resources.versions(group)


def _in_version(resources: Resources, group: str, version: str) -> Sequence[Resource]:
    measured = (group, version) == (METRICS, MEASURED_VERSION)
    return MEASURED if measured else resources.in_version(group, version)


def core_versions(server: str) -> dict[str, Any]:
    """Return the APIVersions of /api; `server` is host and port as the client addressed them."""
    addresses = [{"clientCIDR": "0.0.0.0/0", "serverAddress": server}]
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": addresses}


def group_list(resources: Resources) -> dict[str, Any]:
    """Return the APIGroupList of /apis."""
    groups = [_group(resources, group) for group in resources.groups() if group]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def group(resources: Resources, name: str) -> dict[str, Any]:
    """Return the APIGroup of /apis/NAME; raise StatusError 404 if it is not served."""
    if not name or name not in resources.groups():
        raise no_such_path()
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(resources, name)}


def _group(resources: Resources, name: str) -> dict[str, Any]:
    versions = [
        {"groupVersion": f"{name}/{version}", "version": version} for version in _versions(resources, name)
    ]
    return {"name": name, "versions": versions, "preferredVersion": versions[0]}


def resource_list(resources: Resources, group: str, version: str) -> dict[str, Any]:
    """Return the APIResourceList of one group and version; raise StatusError 404 if it is not served."""
    served = _in_version(resources, group, version)
    if not served:
        raise no_such_path()
    entries: list[dict[str, Any]] = []
    for resource in served:
        found = _resource_discovery(resource, version)
        entry = {
            "name": resource.plural,
            "singularName": resource.singular,
            "namespaced": resource.namespaced,
            "kind": resource.kind,
            "verbs": found["verbs"],
        }
        entries.append(entry | {k: found[k] for k in ("shortNames", "categories") if k in found})
        for sub in found.get("subresources", []):
            kind = sub["responseKind"]
            other = {"group": kind["group"], "version": kind["version"]} if kind["kind"] == "Scale" else {}
            name = f"{resource.plural}/{sub['subresource']}"
            entries.append(
                {
                    **entry,
                    "name": name,
                    "singularName": "",
                    **other,
                    "kind": kind["kind"],
                    "verbs": sub["verbs"],
                }
            )
    group_version = f"{group}/{version}" if group else version
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": group_version,
        "resources": entries,
    }
