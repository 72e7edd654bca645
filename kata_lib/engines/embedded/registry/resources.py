"""What a resource is: one row of a table, from which discovery, paths and storage follow.

The rows that the API has by itself are in `table`; what CustomResourceDefinitions add, in `served`.
"""

from dataclasses import dataclass

CORE = ""
APPS = "apps"
ADMISSION = "admissionregistration.k8s.io"
AUTOSCALING = "autoscaling"
BATCH = "batch"
COORDINATION = "coordination.k8s.io"
DISCOVERY = "discovery.k8s.io"
GATEWAY_API = "gateway.networking.k8s.io"
ISTIO = "networking.istio.io"
NETWORKING = "networking.k8s.io"
POLICY = "policy"
RBAC = "rbac.authorization.k8s.io"
SCHEDULING = "scheduling.k8s.io"
STORAGE = "storage.k8s.io"
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
    `inert` is what whoever writes an object is told of a kind that is kept, and of which nothing comes here.
    `custom` marks a kind with a structural schema. `spoken` names a row's version where each has a shape of
    its own, as has a kind that a CustomResourceDefinition in the store adds. It is `defined`: it has the
    columns of its tables, the paths by which its objects can be selected, and where the subresource `scale`
    finds its numbers. `deprecation` is what whoever uses the version is told; `closing` says that the
    definition is being deleted; `edition` is another with each change of it.
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
    inert: str = ""
    defined: bool = False
    spoken: str = ""
    list_kind: str = ""
    columns: tuple[Column, ...] = ()
    selectable: tuple[str, ...] = ()
    scale: Scale | None = None
    deprecation: str = ""
    closing: bool = False
    edition: str = ""

    @property
    def key(self) -> str:
        """The name by which registry and store know the resource."""
        return self.qualified if self.defined else self.plural

    @property
    def shape(self) -> str:
        """The name of the definition of what is shown: the plural, with the version where it is converted."""
        return f"{self.plural}.{self.spoken}" if self.spoken and not self.defined else self.plural

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


SCALES = Resource("scales", "Scale", AUTOSCALING, singular="scale")
"""What the subresource `scale` takes and shows; there is no collection of it."""
