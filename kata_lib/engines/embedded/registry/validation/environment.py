"""Rules of a container's environment variables, and of where their values come from."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from kata_lib.engines.embedded.registry import names
from kata_lib.engines.embedded.registry.status import Cause
from kata_lib.engines.embedded.registry.validation.causes import invalid, required

_FIELD_PATHS = frozenset(
    {
        "metadata.name",
        "metadata.namespace",
        "metadata.uid",
        "spec.nodeName",
        "spec.serviceAccountName",
        "status.hostIP",
        "status.hostIPs",
        "status.podIP",
        "status.podIPs",
    }
)
_KEYED_FIELD_PATH = re.compile(r"metadata\.(labels|annotations)\['.+'\]")


def environment(path: str, variables: Any) -> Iterator[Cause]:
    """Return what is wrong with a container's `env`."""
    for position, variable in enumerate(variables):
        inner, name = f"{path}[{position}]", variable.get("name", "")
        if not name:
            yield required(f"{inner}.name")
        else:
            yield from (invalid(f"{inner}.name", name, why) for why in names.variable_name(name))
        source = variable.get("valueFrom")
        if source is not None:
            yield from _source(f"{inner}.valueFrom", source, variable)


def _source(path: str, source: Mapping[str, Any], variable: Mapping[str, Any]) -> Iterator[Cause]:
    if not source:
        kinds = "`fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"
        yield invalid(path, "", f"must specify one of: {kinds}")
    elif variable.get("value"):
        yield invalid(path, "", "may not be specified when `value` is not empty")
    elif len(source) > 1:
        yield invalid(path, "", "may not have more than one field specified at a time")
    if "fieldRef" in source:
        yield from _field(f"{path}.fieldRef.fieldPath", source["fieldRef"].get("fieldPath", ""))
    for kind in ("configMapKeyRef", "secretKeyRef"):
        if kind in source:
            yield from _key(f"{path}.{kind}", source[kind])


def _field(path: str, wanted: str) -> Iterator[Cause]:
    if not wanted:
        yield required(path)
    elif wanted not in _FIELD_PATHS and not _KEYED_FIELD_PATH.fullmatch(wanted):
        yield invalid(path, wanted, f"error converting fieldPath: field label not supported: {wanted}")


def _key(path: str, reference: Mapping[str, Any]) -> Iterator[Cause]:
    name, key = reference.get("name", ""), reference.get("key", "")
    yield from (invalid(f"{path}.name", name, why) for why in names.dns_subdomain(name))
    if not key:
        yield required(f"{path}.key")
    else:
        yield from (invalid(f"{path}.key", key, why) for why in names.config_key(key))
