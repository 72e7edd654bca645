"""Names, labels, annotations, finalizers: what holds for the metadata of every object."""

from collections.abc import Iterator, Mapping
from typing import Any

from kata_lib.engines.embedded.registry.status import Cause
from kata_lib.engines.embedded.registry.validation import names
from kata_lib.engines.embedded.registry.validation.causes import invalid, required, too_long
from kata_lib.engines.embedded.store import Obj

ANNOTATIONS_BYTES = 256 * 1024

_NAME_RULES: dict[str, names.NameRule] = {
    "namespaces": names.dns_label,
    "services": names.dns_1035_label,
}


def check(resource: str, obj: Obj) -> Iterator[Cause]:
    """Return what is wrong with the metadata of an object of the resource, a plural."""
    metadata = obj.get("metadata", {})
    rule = _NAME_RULES.get(resource, names.dns_subdomain)
    name = metadata.get("name", "")
    if not name:
        yield required("metadata.name", "name or generateName is required")
    else:
        yield from (invalid("metadata.name", name, why) for why in rule(name))
    yield from labels("metadata.labels", metadata.get("labels", {}))
    yield from annotations("metadata.annotations", metadata.get("annotations", {}))
    for finalizer in metadata.get("finalizers", ()):
        for why in names.qualified_name(finalizer):
            yield invalid("metadata.finalizers", finalizer, why)
    for position, owner in enumerate(metadata.get("ownerReferences", ())):
        yield from _owner(f"metadata.ownerReferences[{position}]", owner)


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


def _owner(path: str, owner: Mapping[str, Any]) -> Iterator[Cause]:
    for field in ("apiVersion", "kind", "name", "uid"):
        if not owner.get(field):
            words = "version must not be empty" if field == "apiVersion" else "must not be empty"
            yield invalid(f"{path}.{field}", owner.get(field, ""), words)
