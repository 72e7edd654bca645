"""What makes an object wrong, in the API server's words: schema, names and labels, and rules of its kind.

`validate` gets an object after `decoding` and `defaults`. Kubernetes' own kinds have rules in the module of
their name; custom resources are checked against their schema by `structural`.
"""

from collections.abc import Callable, Iterator

from kata_lib.engines.embedded.registry.decoding import unknown_fields
from kata_lib.engines.embedded.registry.defaults import IMMUTABLE
from kata_lib.engines.embedded.registry.resources import Resource
from kata_lib.engines.embedded.registry.schemas import Schema
from kata_lib.engines.embedded.registry.status import Cause
from kata_lib.engines.embedded.registry.subresources import at
from kata_lib.engines.embedded.registry.validation import (
    autoscalers,
    definitions,
    kept,
    metadata,
    others,
    pods,
    rbac,
    scales,
    services,
    structural,
    workloads,
)
from kata_lib.engines.embedded.registry.validation.causes import invalid
from kata_lib.engines.embedded.store import Obj

__all__ = ["Cause", "unknown_fields", "validate", "validate_status"]

_Rules = Callable[[Obj, Obj | None], Iterator[Cause]]
_RULES: dict[str, _Rules] = {
    "configmaps": others.config_map,
    "customresourcedefinitions": definitions.definition,
    "deployments": workloads.deployment,
    "endpointslices": others.endpoint_slice,
    "events": others.event,
    "clusterrolebindings": rbac.cluster_role_binding,
    "clusterroles": rbac.cluster_role,
    "horizontalpodautoscalers": autoscalers.autoscaler,
    "ingressclasses": kept.ingress_class,
    "ingresses": kept.ingress,
    "jobs": kept.job,
    "leases": kept.lease,
    "poddisruptionbudgets": kept.disruption_budget,
    "pods": pods.pod,
    "replicasets": workloads.replica_set,
    "rolebindings": rbac.role_binding,
    "roles": rbac.role,
    "secrets": others.secret,
    "services": services.service,
}


def validate(kind: Resource, schema: Schema, obj: Obj, old: Obj | None = None) -> list[Cause]:
    """Return what is wrong with an object of a kind, in the real server's order.

    `old` is the stored object that it is to replace; None for a new one.
    """
    causes = list(metadata.check(kind, obj))
    if old is not None:
        causes.extend([*metadata.changes(obj, old)] * 2)  # as a real server: for every object, and by kind
    if kind.custom:
        return causes + structural.check(schema, obj, old, others=scales.check(kind, obj))
    if rules := _RULES.get(kind.key):
        causes.extend(rules(obj, old))
    if old is not None:
        causes.extend(_immutable(kind.key, obj, old))
    return causes


def validate_status(kind: Resource, schema: Schema, obj: Obj, old: Obj) -> list[Cause]:
    """Return what is wrong with an object whose status is written."""
    if kind.defined:
        return structural.check_status(schema, obj, old, others=scales.check(kind, obj, status=True))
    return list(services.status(obj)) if kind.key == "services" else []


def _immutable(resource: str, obj: Obj, old: Obj) -> Iterator[Cause]:
    for path in IMMUTABLE.get(resource, ()):
        value = at(obj, path)
        if value != at(old, path):
            yield invalid(path, value, "field is immutable")
