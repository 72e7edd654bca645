"""The rules of CustomResourceDefinitions; those of the schemas in them are in `schemas` and `structure`.

Where all versions say the same, the real server judges it once, under the path that it had before there were
versions: `spec.validation` and the like.
"""

from collections.abc import Iterator

from kata_lib.engines.embedded.registry import names
from kata_lib.engines.embedded.registry.crds import is_true
from kata_lib.engines.embedded.registry.status import Cause
from kata_lib.engines.embedded.registry.subresources import at
from kata_lib.engines.embedded.registry.validation.causes import (
    invalid,
    not_supported,
    required,
)
from kata_lib.engines.embedded.registry.validation.definitions import schemas, versions
from kata_lib.engines.embedded.store import Obj

APPROVED = "api-approved.kubernetes.io"
_PROTECTED = (".k8s.io", ".kubernetes.io")
_NAME_FIELDS = ("plural", "singular", "kind", "listKind")


def definition(obj: Obj, old: Obj | None) -> Iterator[Cause]:
    """Return what is wrong with a definition."""
    spec = obj["spec"]
    plural, group = spec["names"].get("plural", ""), spec.get("group", "")
    if obj["metadata"]["name"] != f"{plural}.{group}" and old is None:
        yield invalid("metadata.name", obj["metadata"]["name"], 'must be spec.names.plural+"."+spec.group')
    yield from _spec(spec, plural)
    if old is not None and is_true(old, "Established"):
        for path in ("spec.group", "spec.scope", "spec.names.plural", "spec.names.kind"):
            if at(obj, path) != at(old, path):
                yield invalid(path, at(obj, path), "field is immutable")
    yield from _stored(obj)
    if group.endswith(_PROTECTED) or group in ("k8s.io", "kubernetes.io"):
        yield from _approval(obj)
    if spec.get("preserveUnknownFields"):
        where = "set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead"
        yield invalid("spec.preserveUnknownFields", True, f"cannot set to true, {where}")


def _spec(spec: Obj, plural: str) -> Iterator[Cause]:
    group, scope = spec.get("group", ""), spec.get("scope")
    if not group:
        yield required("spec.group")
    elif wrong := list(names.dns_subdomain(group)):
        yield invalid("spec.group", group, ",".join(wrong))
    elif "." not in group:
        yield invalid("spec.group", group, "should be a domain with at least one dot")
    if not scope:
        yield required("spec.scope")
    elif scope not in ("Cluster", "Namespaced"):
        yield not_supported("spec.scope", scope, ("Cluster", "Namespaced"))
    yield from versions.check(spec)
    yield from _names(spec["names"])
    yield from schemas.check(spec)
    yield from versions.check_parts(spec)
    yield from _conversion(spec["conversion"])


def _names(found: Obj) -> Iterator[Cause]:
    for field in _NAME_FIELDS:
        if not found.get(field):
            yield required(f"spec.names.{field}")
    for field in _NAME_FIELDS:
        name = found.get(field, "")
        if name and (wrong := ",".join(names.dns_1035_label(name.lower() if "ind" in field else name))):
            mixed = "may have mixed case, but should otherwise match: " if "ind" in field else ""
            yield invalid(f"spec.names.{field}", name, f"{mixed}{wrong}")
    for position, name in enumerate(found.get("shortNames", ())):
        if wrong := ",".join(names.dns_1035_label(name)):
            yield invalid(f"spec.names.shortNames[{position}]", name, wrong)
    if found.get("kind") and found.get("kind") == found.get("listKind"):
        yield invalid("spec.names.listKind", found["listKind"], "kind and listKind may not be the same")
    for position, name in enumerate(found.get("categories", ())):
        if wrong := ",".join(names.dns_1035_label(name)):
            yield invalid(f"spec.names.categories[{position}]", name, wrong)


def _conversion(conversion: Obj) -> Iterator[Cause]:
    strategy = conversion.get("strategy")
    if strategy not in ("None", "Webhook"):
        yield not_supported("spec.conversion.strategy", strategy, ("None", "Webhook"))
    if strategy == "Webhook" and conversion.get("webhook"):
        why = "the embedded engine calls no webhooks; a real cluster does"
        yield invalid("spec.conversion.strategy", strategy, why)
    if strategy == "Webhook" and not conversion.get("webhook"):
        why = "required when strategy is set to Webhook"
        yield required("spec.conversion.webhookClientConfig", why)
        yield required("spec.conversion.conversionReviewVersions")


def _stored(obj: Obj) -> Iterator[Cause]:
    stored = obj.get("status", {}).get("storedVersions") or []
    if not stored:
        yield invalid("status.storedVersions", None, "must have at least one stored version")
        return
    found = {version["name"]: version for version in obj["spec"].get("versions", ())}
    for version in found.values():
        if version["storage"] and version["name"] not in stored:
            yield invalid("status.storedVersions", stored, f"must have the storage version {version['name']}")
    for position, name in enumerate(stored):
        if name not in found:
            why = (
                f"missing from spec.versions; {name} was previously a storage version, and must remain in "
                "spec.versions until a storage migration ensures no data remains persisted in "
                f"{name} and removes {name} from status.storedVersions"
            )
            yield invalid(f"status.storedVersions[{position}]", name, why)


def _approval(obj: Obj) -> Iterator[Cause]:
    found = obj["metadata"].get("annotations", {}).get(APPROVED, "")
    if not found:
        why = (
            f'protected groups must have approval annotation "{APPROVED}", '
            "see https://github.com/kubernetes/enhancements/pull/1111"
        )
        yield required(f"metadata.annotations[{APPROVED}]", why)
