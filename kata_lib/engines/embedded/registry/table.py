"""The resources that the API serves by itself: one row each."""

from collections.abc import Iterator
from dataclasses import replace

from kata_lib.engines.embedded.registry.resources import (
    ADMISSION,
    ALL_VERBS,
    APPS,
    AUTOSCALING,
    BATCH,
    COORDINATION,
    CORE,
    DISCOVERY,
    EXTENSIONS,
    GATEWAY_API,
    ISTIO,
    METRICS,
    NETWORKING,
    POLICY,
    RBAC,
    SCHEDULING,
    STORAGE,
    Resource,
)

ISTIO_VERSIONS = ("v1", "v1beta1", "v1alpha3")


def _istio(plural: str, kind: str, *short_names: str) -> Resource:
    return Resource(
        plural,
        kind,
        ISTIO,
        singular=kind.lower(),
        short_names=short_names,
        categories=("istio-io", "networking-istio-io"),
        subresources=("status",),
        versions=ISTIO_VERSIONS,
        custom=True,
    )


def _unsupported(
    plural: str, kind: str, group: str, versions: tuple[str, ...], *short_names: str, namespaced: bool = True
) -> Resource:
    return Resource(
        plural,
        kind,
        group,
        versions[0],
        singular=kind.lower(),
        short_names=short_names,
        versions=versions,
        namespaced=namespaced,
        custom=group.endswith("istio.io"),
        unsupported=True,
    )


def _rbac() -> Iterator[Resource]:
    """Return the kinds of role-based access control, which this engine keeps and does not enforce."""
    for prefix, namespaced in (("Cluster", False), ("", True)):
        for name in ("RoleBinding", "Role"):
            kind = f"{prefix}{name}"
            yield Resource(
                f"{kind.lower()}s",
                kind,
                RBAC,
                singular=kind.lower(),
                namespaced=namespaced,
                inert=f"this {kind} is kept and not enforced: on the embedded engine everything is allowed",
            )


def _policies() -> Iterator[Resource]:
    """Return the kinds of admission by expressions, which the Gateway API's definitions come with."""
    for kind, plural in (("Policy", "policies"), ("PolicyBinding", "policybindings")):
        kind = f"ValidatingAdmission{kind}"
        yield Resource(
            f"validatingadmission{plural}",
            kind,
            ADMISSION,
            singular=kind.lower(),
            namespaced=False,
            categories=("api-extensions",),
            inert=f"this {kind} is kept and refuses nothing: the embedded engine does not evaluate it",
        )


_SERVED = (
    Resource("configmaps", "ConfigMap", singular="configmap", short_names=("cm",)),
    Resource("events", "Event", singular="event", short_names=("ev",)),
    Resource(
        "namespaces",
        "Namespace",
        singular="namespace",
        short_names=("ns",),
        namespaced=False,
        subresources=("finalize", "status"),
        verbs=tuple(verb for verb in ALL_VERBS if verb != "deletecollection"),
    ),
    Resource(
        "nodes", "Node", singular="node", short_names=("no",), namespaced=False, subresources=("status",)
    ),
    Resource(
        "pods",
        "Pod",
        singular="pod",
        short_names=("po",),
        categories=("all",),
        subresources=("log", "status"),
    ),
    Resource("secrets", "Secret", singular="secret"),
    Resource("serviceaccounts", "ServiceAccount", singular="serviceaccount", short_names=("sa",)),
    Resource(
        "services",
        "Service",
        singular="service",
        short_names=("svc",),
        categories=("all",),
        subresources=("status",),
    ),
    Resource(
        "deployments",
        "Deployment",
        APPS,
        singular="deployment",
        short_names=("deploy",),
        categories=("all",),
        subresources=("scale", "status"),
    ),
    Resource(
        "replicasets",
        "ReplicaSet",
        APPS,
        singular="replicaset",
        short_names=("rs",),
        categories=("all",),
        subresources=("scale", "status"),
    ),
    Resource("endpointslices", "EndpointSlice", DISCOVERY, singular="endpointslice"),
    Resource("leases", "Lease", COORDINATION, singular="lease"),
    Resource(
        "jobs",
        "Job",
        BATCH,
        singular="job",
        categories=("all",),
        subresources=("status",),
        inert="this Job is kept and does not run: the embedded engine has no controller for it",
    ),
    Resource(
        "horizontalpodautoscalers",
        "HorizontalPodAutoscaler",
        AUTOSCALING,
        "v2",
        singular="horizontalpodautoscaler",
        short_names=("hpa",),
        categories=("all",),
        subresources=("status",),
        versions=("v2", "v1"),
        inert="this HorizontalPodAutoscaler is kept and keeps its target within its bounds only:"
        " the embedded engine does not measure what pods take",
    ),
    Resource(
        "ingressclasses",
        "IngressClass",
        NETWORKING,
        singular="ingressclass",
        namespaced=False,
    ),
    Resource(
        "ingresses",
        "Ingress",
        NETWORKING,
        singular="ingress",
        short_names=("ing",),
        subresources=("status",),
        inert="this Ingress is kept and routes nothing: the embedded engine has no ingress controller",
    ),
    Resource(
        "poddisruptionbudgets",
        "PodDisruptionBudget",
        POLICY,
        singular="poddisruptionbudget",
        short_names=("pdb",),
        subresources=("status",),
        inert="this PodDisruptionBudget is kept and has no effect: the embedded engine evicts no pods",
    ),
    *_policies(),
    *_rbac(),
    _istio("destinationrules", "DestinationRule", "dr"),
    _istio("gateways", "Gateway", "gw"),
    _istio("serviceentries", "ServiceEntry", "se"),
    _istio("sidecars", "Sidecar"),
    _istio("virtualservices", "VirtualService", "vs"),
    Resource(
        "customresourcedefinitions",
        "CustomResourceDefinition",
        EXTENSIONS,
        singular="customresourcedefinition",
        short_names=("crd", "crds"),
        namespaced=False,
        categories=("api-extensions",),
        subresources=("status",),
    ),
    _unsupported("envoyfilters", "EnvoyFilter", ISTIO, ("v1alpha3",)),
    _unsupported("proxyconfigs", "ProxyConfig", ISTIO, ("v1beta1",)),
    _unsupported("workloadentries", "WorkloadEntry", ISTIO, ISTIO_VERSIONS, "we"),
    _unsupported("workloadgroups", "WorkloadGroup", ISTIO, ISTIO_VERSIONS, "wg"),
    _unsupported(
        "authorizationpolicies", "AuthorizationPolicy", "security.istio.io", ("v1", "v1beta1"), "ap"
    ),
    _unsupported("peerauthentications", "PeerAuthentication", "security.istio.io", ("v1", "v1beta1"), "pa"),
    _unsupported(
        "requestauthentications", "RequestAuthentication", "security.istio.io", ("v1", "v1beta1"), "ra"
    ),
    _unsupported("telemetries", "Telemetry", "telemetry.istio.io", ("v1", "v1alpha1"), "telemetry"),
    _unsupported("wasmplugins", "WasmPlugin", "extensions.istio.io", ("v1alpha1",)),
    _unsupported(
        "mutatingwebhookconfigurations",
        "MutatingWebhookConfiguration",
        ADMISSION,
        ("v1",),
        namespaced=False,
    ),
    _unsupported(
        "validatingwebhookconfigurations",
        "ValidatingWebhookConfiguration",
        ADMISSION,
        ("v1",),
        namespaced=False,
    ),
    _unsupported("limitranges", "LimitRange", CORE, ("v1",), "limits"),
    _unsupported("resourcequotas", "ResourceQuota", CORE, ("v1",), "quota"),
    _unsupported("persistentvolumeclaims", "PersistentVolumeClaim", CORE, ("v1",), "pvc"),
    _unsupported("persistentvolumes", "PersistentVolume", CORE, ("v1",), "pv", namespaced=False),
    _unsupported("replicationcontrollers", "ReplicationController", CORE, ("v1",), "rc"),
    _unsupported("daemonsets", "DaemonSet", APPS, ("v1",), "ds"),
    _unsupported("statefulsets", "StatefulSet", APPS, ("v1",), "sts"),
    _unsupported("cronjobs", "CronJob", BATCH, ("v1",), "cj"),
    _unsupported("networkpolicies", "NetworkPolicy", NETWORKING, ("v1",), "netpol"),
    _unsupported("priorityclasses", "PriorityClass", SCHEDULING, ("v1",), "pc", namespaced=False),
    _unsupported("storageclasses", "StorageClass", STORAGE, ("v1",), "sc", namespaced=False),
)

RESOURCES: dict[str, Resource] = {resource.plural: resource for resource in _SERVED}
"""Every such resource by its plural, the name by which the registry's methods know it."""

CONVERTED: dict[tuple[str, str], Resource] = {
    (plural, version): replace(RESOURCES[plural], spoken=version)
    for plural, version in (("horizontalpodautoscalers", "v1"),)
}
"""The rows of versions whose objects have another shape than those that are stored."""

GROUP_ORDER = (
    CORE,
    APPS,
    AUTOSCALING,
    BATCH,
    NETWORKING,
    POLICY,
    RBAC,
    ADMISSION,
    EXTENSIONS,
    SCHEDULING,
    COORDINATION,
    DISCOVERY,
    STORAGE,
    GATEWAY_API,
    ISTIO,
    "security.istio.io",
    "telemetry.istio.io",
    "extensions.istio.io",
    METRICS,
)
"""The groups in the order of discovery: a name that two groups share means the earlier one."""
