"""Argo Rollouts with its plugin for the Gateway API: the controller, and the program that moves HTTPRoutes.

The controller starts the plugin that its ConfigMap names, from a URL or from a file of its machine. It reads
that once, so that one which runs already is started anew.
"""

import platform
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import yaml

from kata_lib import versions
from kata_lib.addons import manifests, rollouts
from kata_lib.cluster.documents import documents
from kata_lib.engines.addons import Site
from kata_lib.engines.programs import program
from kata_lib.mesh.analyze.rollouts import PLUGIN
from kata_lib.mesh.gateways import GATEWAY_API

NAME, PROGRAM = "rollouts-gateway-api", "gatewayapi-plugin"
VERSION = f"v{versions.GATEWAY_API_PLUGIN}"
URL = "https://github.com/argoproj-labs/rollouts-plugin-trafficrouter-gatewayapi/releases/download/{}/{}"
SOURCE = (
    f"the plugin's release {VERSION} has it as gatewayapi-plugin-SYSTEM-PROCESSOR; or `go build .` "
    "makes it of the source of argoproj-labs/rollouts-plugin-trafficrouter-gatewayapi"
)
_PROCESSORS = {"x86_64": "amd64", "aarch64": "arm64"}
_RIGHTS = (
    ("", ["services"], ["get"]),
    (GATEWAY_API.partition("/")[0], ["httproutes"], ["get", "list", "update", "patch"]),
)


def manifest() -> str:
    """Return Argo Rollouts' manifest with the plugin's settings; the controller fetches the plugin itself."""
    if text := manifests.here(NAME, needed=False):
        return text
    processor = platform.machine()
    file = f"{PROGRAM}-linux-{_PROCESSORS.get(processor, processor)}"
    objects = list(documents(rollouts.manifest().encode()))
    return yaml.safe_dump_all([*with_plugin(objects, URL.format(VERSION, file))])


def as_process(site: Site) -> list[dict[str, Any]]:
    """Return the same for a controller that is a process, whose plugin is a program of this machine."""
    return with_plugin(rollouts.as_process(site), f"file://{program(PROGRAM, SOURCE)}")


def with_plugin(objects: Sequence[dict[str, Any]], location: str) -> list[dict[str, Any]]:
    """Return Argo Rollouts' objects and those by which its controller starts the plugin at a location."""
    for obj in objects:
        if obj["kind"] == "Deployment":
            metadata = obj["spec"]["template"]["metadata"]
            metadata["annotations"] = {**metadata.get("annotations", {}), PLUGIN: location}
    return [*objects, _settings(location), *_rights()]


def _settings(location: str) -> dict[str, Any]:
    plugins = yaml.safe_dump([{"name": PLUGIN, "location": location}])
    metadata = {"name": "argo-rollouts-config", "namespace": rollouts.CONTROLLER}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata,
        "data": {"trafficRouterPlugins": plugins},
    }


def _rights() -> list[dict[str, Any]]:
    rules = [{"apiGroups": [group], "resources": kinds, "verbs": verbs} for group, kinds, verbs in _RIGHTS]
    api, metadata = "rbac.authorization.k8s.io", {"name": f"{rollouts.CONTROLLER}-gateway-api"}
    account = {"kind": "ServiceAccount", "name": rollouts.CONTROLLER, "namespace": rollouts.CONTROLLER}
    role = {"apiGroup": api, "kind": "ClusterRole", "name": metadata["name"]}
    head = {"apiVersion": f"{api}/v1", "metadata": metadata}
    return [
        {**head, "kind": "ClusterRole", "rules": rules},
        {**head, "kind": "ClusterRoleBinding", "roleRef": role, "subjects": [account]},
    ]


ROLLOUTS_GATEWAY_API = replace(
    rollouts.ROLLOUTS,
    name=NAME,
    manifest=manifest,
    process=rollouts.ROLLOUTS.process and replace(rollouts.ROLLOUTS.process, manifests=as_process),
)
