"""Names, labels, annotations, finalizers: what holds for the metadata of every object."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kata_lib.engines.embedded.registry import names
from kata_lib.engines.embedded.registry.resources import Resource
from kata_lib.engines.embedded.registry.status import Cause
from kata_lib.engines.embedded.registry.validation.causes import (
    forbidden,
    invalid,
    required,
    show_struct,
    too_long,
)
from kata_lib.engines.embedded.store import Obj

ANNOTATIONS_BYTES = 256 * 1024

_STANDARD_FINALIZERS = ("orphan", "foregroundDeletion", "kubernetes")
_OWNER_FIELDS = ("apiVersion", "kind", "name", "uid", "controller", "blockOwnerDeletion")

_NAME_RULES: dict[str, names.NameRule] = {
    "namespaces": names.dns_label,
    "services": names.dns_label,
}


def check(kind: Resource, obj: Obj) -> Iterator[Cause]:
    """Return what is wrong with the metadata of an object of a kind."""
    metadata = obj.get("metadata", {})
    rule = _NAME_RULES.get(kind.key, names.dns_subdomain)
    name = metadata.get("name", "")
    if prefix := metadata.get("generateName"):
        masked = f"{prefix[:-2]}a" if len(prefix) > 1 and prefix.endswith("-") else prefix
        yield from (invalid("metadata.generateName", prefix, why) for why in rule(masked))
    if not name:
        yield required("metadata.name", "name or generateName is required")
    else:
        yield from (invalid("metadata.name", name, why) for why in rule(name))
    yield from labels("metadata.labels", metadata.get("labels", {}))
    yield from annotations("metadata.annotations", metadata.get("annotations", {}))
    for finalizer in metadata.get("finalizers", ()):
        for why in names.qualified_name(finalizer):
            yield invalid("metadata.finalizers", finalizer, why)
    if not kind.custom:
        yield from _finalizers(metadata.get("finalizers", ()))
    yield from _owners("metadata.ownerReferences", metadata.get("ownerReferences", ()))


def changes(obj: Obj, old: Obj) -> Iterator[Cause]:
    """Return what an update of metadata may not do."""
    before = old["metadata"].get("finalizers", ())
    added = [name for name in obj["metadata"].get("finalizers", ()) if name not in before]
    if added and "deletionTimestamp" in old["metadata"]:
        found = f"[]string{{{', '.join(map(json.dumps, added))}}}"
        why = f"no new finalizers can be added if the object is being deleted, found new finalizers {found}"
        yield forbidden("metadata.finalizers", why)


def labels(path: str, found: Mapping[str, str]) -> Iterator[Cause]:
    """Return what is wrong with labels, or with a selector that is a plain map of labels."""
    for key, value in found.items():
        yield from (invalid(path, key, why) for why in names.qualified_name(key))
        yield from (invalid(path, value, why) for why in names.label_value(value))


def annotations(path: str, found: Mapping[str, str]) -> Iterator[Cause]:
    """Return what is wrong with annotations: their keys, or their size in all."""
    for key in found:
        yield from (invalid(path, key, why) for why in names.qualified_name(key.lower()))
    if sum(len(key.encode()) + len(value.encode()) for key, value in found.items()) > ANNOTATIONS_BYTES:
        yield too_long(path, ANNOTATIONS_BYTES)


def _finalizers(found: Sequence[str]) -> Iterator[Cause]:
    for position, finalizer in enumerate(found):
        if "/" not in finalizer and finalizer not in _STANDARD_FINALIZERS:
            why = "name is neither a standard finalizer name nor is it fully qualified"
            yield invalid(f"metadata.finalizers[{position}]", finalizer, why)


def _owners(path: str, owners: Sequence[Mapping[str, Any]]) -> Iterator[Cause]:
    for owner in owners:
        for field in ("apiVersion", "kind", "name", "uid"):
            if not owner.get(field):
                words = "version must not be empty" if field == "apiVersion" else "must not be empty"
                yield invalid(f"{path}.{field}", owner.get(field, ""), words)
    controllers = [f"{owner['kind']}/{owner['name']}" for owner in owners if owner.get("controller")]
    if len(controllers) > 1:
        shown = show_struct([{key: owner[key] for key in _OWNER_FIELDS if key in owner} for owner in owners])
        found = f'Found "true" in references for {controllers[0]} and {controllers[1]}'
        why = f"Only one reference can have Controller set to true. {found}"
        yield Cause(path, "FieldValueInvalid", f"Invalid value: {shown}: {why}")
