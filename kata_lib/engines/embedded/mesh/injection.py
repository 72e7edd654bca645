"""Gives a pod its sidecar when it is created, as Istio's admission webhook does."""

import json
from typing import Any

from kata_lib import versions
from kata_lib.cluster.pods import SIDECAR, has_sidecar
from kata_lib.engines.embedded.mesh import scraping
from kata_lib.engines.embedded.objects import controller_of
from kata_lib.engines.embedded.store import Obj

PROXY_IMAGE = f"envoyproxy/envoy:v{versions.ENVOY}"
PROXY_HTTP_PORT = 15080
"""Where an application's http_proxy points, on the pod's own address."""
_INJECT = "sidecar.istio.io/inject"


def inject(pod: Obj, namespace: Obj) -> None:
    """Add the istio-proxy container and Istio's annotations and labels to a pod that is to have a sidecar."""
    if not wants_sidecar(pod, namespace) or has_sidecar(pod):
        return
    metadata, spec = pod["metadata"], pod["spec"]
    first = spec["containers"][0]["name"]
    sidecar = _proxy_container()
    spec["containers"].append(sidecar)
    annotations = metadata.setdefault("annotations", {})
    scraping.redirect(annotations, sidecar)
    annotations["sidecar.istio.io/status"] = json.dumps({"containers": [SIDECAR], "revision": "default"})
    annotations.setdefault("kubectl.kubernetes.io/default-container", first)
    annotations.setdefault("kubectl.kubernetes.io/default-logs-container", first)
    labels = metadata.setdefault("labels", {})
    labels.setdefault("service.istio.io/canonical-name", canonical_name(pod))
    labels.setdefault("service.istio.io/canonical-revision", canonical_revision(pod))


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


def _proxy_container() -> dict[str, Any]:
    return {
        "name": SIDECAR,
        "image": PROXY_IMAGE,
        "args": ["proxy", "sidecar"],
        "ports": [{"name": "http-envoy-prom", "containerPort": 15090}],
        "readinessProbe": {
            "httpGet": {"path": "/healthz/ready", "port": 15021},
            "periodSeconds": 1,
            "timeoutSeconds": 3,
            "failureThreshold": 4,
        },
    }
