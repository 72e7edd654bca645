"""What the API server fills in where a manifest is silent, and what may never change: one module a kind.

Each module has `fill(obj)`, which adds to the object in place what counts as sent by the client, and some
have `complete(obj)`, which adds what the server gives on its own account. Where there is `IMMUTABLE`, an
update must leave those paths as they are. Values as Kubernetes shows them with `kubectl get -o yaml`.
"""

from collections.abc import Callable

from kata_lib.engines.embedded.registry.defaults import (
    autoscalers,
    definitions,
    deployments,
    endpointslices,
    events,
    jobs,
    namespaces,
    others,
    pods,
    rbac,
    replicasets,
    secrets,
    services,
)
from kata_lib.engines.embedded.store import Obj

_FILL: dict[str, Callable[[Obj], None]] = {
    "customresourcedefinitions": definitions.fill,
    "deployments": deployments.fill,
    "clusterrolebindings": rbac.fill_binding,
    "endpointslices": endpointslices.fill,
    "horizontalpodautoscalers": autoscalers.fill,
    "horizontalpodautoscalers.v1": autoscalers.fill_v1,
    "ingressclasses": others.fill_ingress_class,
    "jobs": jobs.fill,
    "leases": others.fill_lease,
    "rolebindings": rbac.fill_binding,
    "namespaces": namespaces.fill,
    "pods": pods.fill,
    "replicasets": replicasets.fill,
    "secrets": secrets.fill,
    "services": services.fill,
}

_COMPLETE: dict[str, Callable[[Obj], None]] = {
    "endpointslices": endpointslices.complete,
    "clusterroles": rbac.complete_role,
    "events": events.complete,
    "horizontalpodautoscalers": autoscalers.complete,
    "jobs": jobs.complete,
    "roles": rbac.complete_role,
    "pods": pods.complete,
    "services": services.complete,
}

IMMUTABLE: dict[str, tuple[str, ...]] = {
    "deployments": deployments.IMMUTABLE,
    "endpointslices": endpointslices.IMMUTABLE,
    "replicasets": replicasets.IMMUTABLE,
    "secrets": secrets.IMMUTABLE,
}
"""Dotted paths, by plural, that keep the value with which the object was created."""


def apply_defaults(shape: str, obj: Obj) -> None:
    """Fill in `obj`, an object of that shape, in place; twice is as good as once."""
    if fill := _FILL.get(shape):
        fill(obj)


def complete(resource: str, obj: Obj) -> None:
    """Add to `obj`, which has its defaults, what the server itself gives such an object, in place."""
    if finish := _COMPLETE.get(resource):
        finish(obj)
