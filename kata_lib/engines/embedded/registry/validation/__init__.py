"""What makes an object wrong, in the API server's words: schema, names and labels, and rules of its kind.

`validate` gets an object after `decoding` and `defaults`. Kubernetes' own kinds have rules in the module of
their name; custom resources are checked against their schema by `structural`.
"""

from collections.abc import Callable, Iterator
from typing import Any

from kata_lib.engines.embedded.registry.decoding import unknown_fields
from kata_lib.engines.embedded.registry.defaults import IMMUTABLE
from kata_lib.engines.embedded.registry.definitions import CUSTOM_KINDS
from kata_lib.engines.embedded.registry.schemas import schema_for
from kata_lib.engines.embedded.registry.status import Cause
from kata_lib.engines.embedded.registry.validation import (
    metadata,
    others,
    pods,
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
    "deployments": workloads.deployment,
    "endpointslices": others.endpoint_slice,
    "events": others.event,
    "pods": pods.pod,
    "replicasets": workloads.replica_set,
    "secrets": others.secret,
    "services": services.service,
}


def validate(resource: str, obj: Obj, old: Obj | None = None) -> list[Cause]:
    """Return what is wrong with an object of the resource (a plural), in the real server's order.

    `old` is the stored object that it is to replace; None for a new one.
    """
    causes = list(metadata.check(resource, obj))
    if old is not None:
        causes.extend([*metadata.changes(obj, old)] * 2)  # as a real server: for every object, and by kind
    if resource in CUSTOM_KINDS:
        return causes + structural.check(schema_for(resource), obj, old)
    if rules := _RULES.get(resource):
        causes.extend(rules(obj, old))
    if old is not None:
        causes.extend(_immutable(resource, obj, old))
    return causes


def validate_status(resource: str, obj: Obj) -> list[Cause]:
    """Return what is wrong with an object's status."""
    return list(services.status(obj)) if resource == "services" else []


def _immutable(resource: str, obj: Obj, old: Obj) -> Iterator[Cause]:
    for path in IMMUTABLE.get(resource, ()):
        value = _at(obj, path)
        if value != _at(old, path):
            yield invalid(path, value, "field is immutable")


def _at(obj: Any, path: str) -> Any:
    for name in path.split("."):
        obj = obj.get(name) if isinstance(obj, dict) else None
    return obj
