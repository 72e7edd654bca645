"""The environment of a container: the manifest's, and where the engine tells it to listen and to ask."""

import base64
import os
import re
from collections.abc import Callable, Mapping
from typing import Any

from kata_lib.cluster.pods import has_sidecar
from kata_lib.engines.embedded.addresses import NODE, AddressPlan
from kata_lib.engines.embedded.mesh.injection import PROXY_HTTP_PORT
from kata_lib.engines.embedded.objects import key
from kata_lib.engines.embedded.processes import POD_MARK
from kata_lib.engines.embedded.store import Obj

Read = Callable[[str, str, str], Obj | None]
"""Returns the object of a resource, namespace and name, or None."""

_REFERENCE = re.compile(r"\$(\$|\(([A-Za-z_.-][A-Za-z0-9_.-]*)\))")
_KEYED = re.compile(r"metadata\.(labels|annotations)\['(.+)'\]")


class ConfigError(Exception):
    """The container cannot be configured; the text is what the pod's status says."""


def mark(cluster_mark: str, pod_uid: str, container: str) -> dict[str, str]:
    """Return the variable by which a process is found again."""
    return {POD_MARK: f"{cluster_mark}:{pod_uid}/{container}"}


def environment(pod: Obj, container: Obj, read: Read, addresses: AddressPlan, port: int) -> dict[str, str]:
    """Return a container's whole environment, the mark aside; `port` is what its application listens on.

    Raises ConfigError where a value's source is missing.
    """
    env: dict[str, str] = {"PATH": os.defpath, "LANG": "C.UTF-8", "HOSTNAME": pod["metadata"]["name"]}
    for variable in container.get("env", ()):
        if "valueFrom" in variable:
            value = _value_from(variable["valueFrom"], pod, read)
        else:
            value = expand(variable.get("value", ""), env)
        if value is not None:
            env[variable["name"]] = value
    return env | _network(pod, addresses, port)


def _network(pod: Obj, addresses: AddressPlan, port: int) -> dict[str, str]:
    uid = pod["metadata"]["uid"]
    sidecar = has_sidecar(pod)
    host, actual = addresses.application_at(uid, port) if sidecar else addresses.listen_at(uid, port)
    proxy_host, proxy_port = addresses.listen_at(uid if sidecar else NODE, PROXY_HTTP_PORT)
    env = {"LISTEN_ADDRESS": host, "http_proxy": f"http://{proxy_host}:{proxy_port}"}
    return env if actual == port else {**env, "PORT": str(actual)}


def expand(text: str, env: Mapping[str, str]) -> str:
    """Replace $(NAME) by what is known of it; $$ stands for $, and an unknown name for itself."""

    def value(match: re.Match[str]) -> str:
        return "$" if match[1] == "$" else env.get(match[2], match[0])

    return _REFERENCE.sub(value, text)


def _value_from(source: dict[str, Any], pod: Obj, read: Read) -> str | None:
    if "fieldRef" in source:
        return field(pod, source["fieldRef"]["fieldPath"])
    for kind, resource in (("configMapKeyRef", "configmaps"), ("secretKeyRef", "secrets")):
        if reference := source.get(kind):
            return _from_object(resource, reference, pod["metadata"]["namespace"], read)
    raise ConfigError(f"{next(iter(source))} is not supported by the embedded engine")


def _from_object(resource: str, reference: dict[str, Any], namespace: str, read: Read) -> str | None:
    found = read(resource, namespace, reference["name"])
    data = (found or {}).get("data", {})
    if reference["key"] in data:
        text = str(data[reference["key"]])
        return base64.b64decode(text).decode() if resource == "secrets" else text
    if reference.get("optional"):
        return None
    kind = {"configmaps": "ConfigMap", "secrets": "Secret"}[resource]
    if found is None:
        raise ConfigError(f'{resource.removesuffix("s")} "{reference["name"]}" not found')
    raise ConfigError(f"couldn't find key {reference['key']} in {kind} {namespace}/{reference['name']}")


def field(pod: Obj, path: str) -> str:
    """Return what a fieldRef's path means in the pod."""
    if match := _KEYED.fullmatch(path):
        return str(pod["metadata"].get(match[1], {}).get(match[2], ""))
    namespace, name = key(pod)
    known = {
        "metadata.name": name,
        "metadata.namespace": namespace,
        "metadata.uid": pod["metadata"]["uid"],
        "spec.nodeName": pod["spec"].get("nodeName", ""),
        "spec.serviceAccountName": pod["spec"].get("serviceAccountName", "default"),
        "status.hostIP": pod.get("status", {}).get("hostIP", ""),
        "status.podIP": pod.get("status", {}).get("podIP", ""),
    }
    if path not in known:
        raise ConfigError(f"unsupported fieldPath: {path}")
    return str(known[path])
