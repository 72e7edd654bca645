"""Gives a pod its proxy when it is created, as Istio's admission webhook does: a sidecar or a gateway."""

import json
from typing import Any, Literal

from kata_lib import versions
from kata_lib.cluster.pods import SIDECAR
from kata_lib.engines.embedded.mesh import scraping
from kata_lib.engines.embedded.objects import controller_of
from kata_lib.engines.embedded.store import Obj

PROXY_IMAGE = f"envoyproxy/envoy:v{versions.ENVOY}"
PROXY_HTTP_PORT = 15080
"""Where an application's http_proxy points, on the pod's own address."""
_INJECT = "sidecar.istio.io/inject"
_TEMPLATES = "inject.istio.io/templates"


def inject(pod: Obj, namespace: Obj) -> None:
    """Add the istio-proxy container and Istio's annotations and labels to a pod that is to have a proxy."""
    if not wants_sidecar(pod, namespace) or any(map(is_proxy, pod["spec"]["containers"])):
        return
    metadata = pod["metadata"]
    annotations = metadata.setdefault("annotations", {})
    router = annotations.get(_TEMPLATES) == "gateway"
    applications = [c["name"] for c in pod["spec"]["containers"] if c["name"] != SIDECAR]
    scraping.redirect(annotations, _with_proxy(pod, "router" if router else "sidecar"))
    annotations["sidecar.istio.io/status"] = json.dumps({"containers": [SIDECAR], "revision": "default"})
    for first in applications[:1]:
        annotations.setdefault("kubectl.kubernetes.io/default-container", first)
        annotations.setdefault("kubectl.kubernetes.io/default-logs-container", first)
    labels = metadata.setdefault("labels", {})
    labels.setdefault("service.istio.io/canonical-name", canonical_name(pod))
    labels.setdefault("service.istio.io/canonical-revision", canonical_revision(pod))


def is_proxy(container: Obj) -> bool:
    """Return whether a container is the proxy that was injected: Envoy, not a program of that name."""
    image = str(container.get("image")).partition(":")[0]
    return bool(container["name"] == SIDECAR and image == PROXY_IMAGE.partition(":")[0])


def _with_proxy(pod: Obj, kind: Literal["sidecar", "router"]) -> Obj:
    """Return the container of the proxy, added to a pod's last; what its manifest says of one counts more.

    The image `auto` is that of the template.
    """
    containers: list[Obj] = pod["spec"]["containers"]
    container = next((found for found in containers if found["name"] == SIDECAR), None)
    if container is None:
        containers.append(proxy_container(kind))
        return containers[-1]
    if container.get("image") == "auto":
        del container["image"]
    written = {key: value for key, value in container.items() if value}
    container.update(proxy_container(kind) | written)
    return container


def wants_sidecar(pod: Obj, namespace: Obj) -> bool:
    """Return whether Istio would inject: by the pod's label, else its annotation, else the namespace.

    https://istio.io/latest/docs/setup/additional-setup/sidecar-injection/#controlling-the-injection-policy
    """
    metadata = pod["metadata"]
    in_namespace = namespace["metadata"].get("labels", {}).get("istio-injection")
    by_label = metadata.get("labels", {}).get(_INJECT)
    if in_namespace == "disabled" or pod["spec"].get("hostNetwork"):
        return False
    if by_label is not None:
        return bool(by_label == "true")
    return bool(in_namespace == "enabled" and metadata.get("annotations", {}).get(_INJECT) != "false")


def workload_name(pod: Obj) -> str:
    """Return what a person deployed: the Deployment of a pod's ReplicaSet, or its owner, or itself."""
    metadata = pod["metadata"]
    owner = controller_of(pod)
    if owner is None:
        return str(metadata.get("name") or metadata.get("generateName", "").rstrip("-"))
    return str(owner["name"]).removesuffix("-" + metadata.get("labels", {}).get("pod-template-hash", ""))


def canonical_name(pod: Obj) -> str:
    """Return the application's name as Istio derives it from labels."""
    labels = pod["metadata"].get("labels", {})
    names = (labels.get(key) for key in ("app.kubernetes.io/name", "app"))
    return next((str(name) for name in names if name), None) or workload_name(pod)


def canonical_revision(pod: Obj) -> str:
    """Return the application's revision as Istio derives it from labels."""
    labels = pod["metadata"].get("labels", {})
    names = (labels.get(key) for key in ("app.kubernetes.io/version", "version"))
    return next((str(name) for name in names if name), "latest")


def proxy_container(kind: Literal["sidecar", "router"]) -> dict[str, Any]:
    """Return the container of an Envoy beside an application, or of one that is a pod's only program."""
    return {
        "name": SIDECAR,
        "image": PROXY_IMAGE,
        "args": ["proxy", kind],
        "ports": [{"name": "http-envoy-prom", "containerPort": 15090}],
        "startupProbe": _probe(period=1, failures=600),  # both as Istio injects them
        "readinessProbe": _probe(period=15, failures=4),
    }


def _probe(period: int, failures: int) -> dict[str, Any]:
    return {
        "httpGet": {"path": "/healthz/ready", "port": 15021},
        "periodSeconds": period,
        "timeoutSeconds": 3,
        "failureThreshold": failures,
    }
