"""The definitions from which schemas and OpenAPI documents are made, as they lie on disk beside this module.

`kubernetes_schemas.json` has Kubernetes' own (https://kubernetes.io, Apache-2.0): those of DEFINITIONS and
all that they refer to, as an API server serves them under /openapi/v2. `istio_schemas.json` has the structure
of the five custom resource definitions of Istio (https://istio.io, Apache-2.0) as a cluster served them,
with descriptions for `kubectl explain`. `scripts/record` writes both. Nothing of either is kept here. The
Gateway API's are in kata_lib/engines/gateway_api.py.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from kata_lib.engines import gateway_api

_KUBERNETES_FILE = Path(__file__).with_name("kubernetes_schemas.json")
_CUSTOM_FILE = Path(__file__).with_name("istio_schemas.json")
_CORE = "io.k8s.api.core.v1."
META = "io.k8s.apimachinery.pkg.apis.meta.v1."
DEFINITIONS = {
    "configmaps": _CORE + "ConfigMap",
    "customresourcedefinitions": (
        "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition"
    ),
    "deployments": "io.k8s.api.apps.v1.Deployment",
    "endpointslices": "io.k8s.api.discovery.v1.EndpointSlice",
    "events": _CORE + "Event",
    "namespaces": _CORE + "Namespace",
    "nodes": _CORE + "Node",
    "pods": _CORE + "Pod",
    "replicasets": "io.k8s.api.apps.v1.ReplicaSet",
    "secrets": _CORE + "Secret",
    "serviceaccounts": _CORE + "ServiceAccount",
    "services": _CORE + "Service",
    "clusterrolebindings": "io.k8s.api.rbac.v1.ClusterRoleBinding",
    "clusterroles": "io.k8s.api.rbac.v1.ClusterRole",
    "horizontalpodautoscalers": "io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler",
    "horizontalpodautoscalers.v1": "io.k8s.api.autoscaling.v1.HorizontalPodAutoscaler",
    "ingressclasses": "io.k8s.api.networking.v1.IngressClass",
    "ingresses": "io.k8s.api.networking.v1.Ingress",
    "jobs": "io.k8s.api.batch.v1.Job",
    "leases": "io.k8s.api.coordination.v1.Lease",
    "poddisruptionbudgets": "io.k8s.api.policy.v1.PodDisruptionBudget",
    "rolebindings": "io.k8s.api.rbac.v1.RoleBinding",
    "roles": "io.k8s.api.rbac.v1.Role",
    "validatingadmissionpolicies": "io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicy",
    "validatingadmissionpolicybindings": (
        "io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicyBinding"
    ),
    "scales": "io.k8s.api.autoscaling.v1.Scale",
}
"""The definition of each of Kubernetes' own resources, by its shape; Scale is what the subresource takes."""

CUSTOM_KINDS = {
    "destinationrules": "DestinationRule",
    "gateways": "Gateway",
    "serviceentries": "ServiceEntry",
    "sidecars": "Sidecar",
    "virtualservices": "VirtualService",
}

_REF = "#/definitions/"


def raw_definitions(names: Iterable[str]) -> dict[str, Any]:
    """Read the definitions of `names` and of all that they refer to, with descriptions.

    The whole file is parsed (some 3 ms, 2 MB for that moment): nothing of it is kept here.
    """
    return with_referenced(msgspec.json.decode(_KUBERNETES_FILE.read_bytes()), names)


def with_referenced(definitions: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return of an API server's definitions those of `names` and all that they refer to."""
    wanted = list(names)
    found: dict[str, Any] = {}
    while wanted:
        name = wanted.pop()
        if name not in found:
            found[name] = definitions[name]
            wanted.extend(_references(definitions[name]))
    return found


def referenced(reference: str) -> str:
    """Return the name of the definition that a reference in a raw definition means."""
    return reference.removeprefix(_REF)


def sources() -> bytes:
    """Return the files from which all schemas are made, one after the other."""
    return _KUBERNETES_FILE.read_bytes() + _CUSTOM_FILE.read_bytes()


def custom_definition(kind: str) -> dict[str, Any]:
    """Read one of Istio's definitions: group, names, printer columns (`columns`) and `schema`."""
    definition: dict[str, Any] = msgspec.json.decode(_CUSTOM_FILE.read_bytes())[kind]
    return definition


@cache
def gateway_api_names() -> frozenset[str]:
    """Return the names of the Gateway API's definitions."""
    return frozenset(definition["metadata"]["name"] for definition in gateway_api.definitions())


def _references(node: Any) -> Iterable[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref" and isinstance(value, str):
                yield referenced(value)
            else:
                yield from _references(value)
    elif isinstance(node, list):
        for item in node:
            yield from _references(item)
