"""The resources that the API serves by itself: one table, from which discovery, paths and storage follow.

What CustomResourceDefinitions add to them while the cluster runs is in `served`.
"""

from dataclasses import dataclass

CORE = ""
APPS = "apps"
DISCOVERY = "discovery.k8s.io"
ISTIO = "networking.istio.io"
EXTENSIONS = "apiextensions.k8s.io"
METRICS = "metrics.k8s.io"
"""What `kubectl top` asks; it is there to say what to use instead."""

ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True)
class Column:
    """A column of a defined kind's tables: its name, type and format, and the JSONPath to its cells."""

    name: str
    type: str
    path: str
    format: str = ""
    description: str = ""
    priority: int = 0


@dataclass(frozen=True)
class Scale:
    """Where the subresource `scale` finds an object's replicas and (as text) its selector: dotted paths."""

    wanted: str = "spec.replicas"
    found: str = "status.replicas"
    selector: str = ""


@dataclass(frozen=True)
class Resource:
    """One kind of object: its names, where it is served, and what can be done with it.

    Objects are stored in `version`; each of `versions` is served, the first of them as preferred.
    `unsupported` marks a kind that clients find in discovery, and whose creation is refused by name.
    `custom` marks a kind with a structural schema, `defined` one that a CustomResourceDefinition in the store
    adds: it has a row for each version, whose name is `spoken`, with the columns of its tables, the paths by
    which its objects can be selected, and where the subresource `scale` finds its numbers. `deprecation` is
    what whoever uses the version is told; `closing` says that the definition is being deleted.
    """

    plural: str
    kind: str
    group: str = CORE
    version: str = "v1"
    singular: str = ""
    short_names: tuple[str, ...] = ()
    namespaced: bool = True
    categories: tuple[str, ...] = ()
    subresources: tuple[str, ...] = ()
    versions: tuple[str, ...] = ("v1",)
    verbs: tuple[str, ...] = ALL_VERBS
    custom: bool = False
    unsupported: bool = False
    defined: bool = False
    spoken: str = ""
    list_kind: str = ""
    columns: tuple[Column, ...] = ()
    selectable: tuple[str, ...] = ()
    scale: Scale | None = None
    deprecation: str = ""
    closing: bool = False

    @property
    def key(self) -> str:
        """The name by which registry and store know the resource."""
        return self.qualified if self.defined else self.plural

    @property
    def api_version(self) -> str:
        """The apiVersion under which objects are stored."""
        return self.api_version_of(self.version)

    @property
    def qualified(self) -> str:
        """The name as error messages say it, for example deployments.apps."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    def api_version_of(self, version: str) -> str:
        """Return the apiVersion of one served version."""
        return f"{self.group}/{version}" if self.group else version


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
    plural: str, kind: str, group: str, versions: tuple[str, ...], *short_names: str
) -> Resource:
    return Resource(
        plural,
        kind,
        group,
        versions[0],
        singular=kind.lower(),
        short_names=short_names,
        versions=versions,
        custom=group.endswith("istio.io"),
        unsupported=True,
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
    _unsupported("limitranges", "LimitRange", CORE, ("v1",), "limits"),
    _unsupported("resourcequotas", "ResourceQuota", CORE, ("v1",), "quota"),
    _unsupported("daemonsets", "DaemonSet", APPS, ("v1",), "ds"),
    _unsupported("statefulsets", "StatefulSet", APPS, ("v1",), "sts"),
    _unsupported("cronjobs", "CronJob", "batch", ("v1",), "cj"),
    _unsupported("jobs", "Job", "batch", ("v1",)),
    _unsupported("horizontalpodautoscalers", "HorizontalPodAutoscaler", "autoscaling", ("v2",), "hpa"),
    _unsupported("ingresses", "Ingress", "networking.k8s.io", ("v1",), "ing"),
    _unsupported("networkpolicies", "NetworkPolicy", "networking.k8s.io", ("v1",), "netpol"),
)

RESOURCES: dict[str, Resource] = {resource.plural: resource for resource in _SERVED}
"""Every such resource by its plural, the name by which the registry's methods know it."""

SCALES = Resource("scales", "Scale", "autoscaling", singular="scale")
"""What the subresource `scale` takes and shows; there is no collection of it."""

GROUP_ORDER = (
    CORE,
    APPS,
    "autoscaling",
    "batch",
    "networking.k8s.io",
    EXTENSIONS,
    DISCOVERY,
    ISTIO,
    "security.istio.io",
    "telemetry.istio.io",
    "extensions.istio.io",
    METRICS,
)
"""The groups in the order of discovery: a name that two groups share means the earlier one."""
