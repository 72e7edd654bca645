"""Rules of roles and of their bindings."""

from collections.abc import Iterator, Mapping
from typing import Any

from kata_lib.engines.embedded.registry.status import Cause
from kata_lib.engines.embedded.registry.validation.causes import (
    invalid,
    not_supported,
    required,
    show_struct,
)
from kata_lib.engines.embedded.store import Obj

_SUBJECTS = ("ServiceAccount", "User", "Group")


def role(obj: Obj, old: Obj | None) -> Iterator[Cause]:
    """Return what is wrong with a Role."""
    for position, rule in enumerate(obj.get("rules") or ()):
        yield from _rule(f"rules[{position}]", rule, namespaced=True)


def cluster_role(obj: Obj, old: Obj | None) -> Iterator[Cause]:
    """Return what is wrong with a ClusterRole."""
    for position, rule in enumerate(obj.get("rules") or ()):
        yield from _rule(f"rules[{position}]", rule, namespaced=False)


def role_binding(obj: Obj, old: Obj | None) -> Iterator[Cause]:
    """Return what is wrong with a RoleBinding."""
    yield from _binding(obj, old, ("Role", "ClusterRole"))


def cluster_role_binding(obj: Obj, old: Obj | None) -> Iterator[Cause]:
    """Return what is wrong with a ClusterRoleBinding."""
    yield from _binding(obj, old, ("ClusterRole",))


def _rule(path: str, rule: Mapping[str, Any], *, namespaced: bool) -> Iterator[Cause]:
    if not rule.get("verbs"):
        yield required(f"{path}.verbs", "verbs must contain at least one value")
    if urls := rule.get("nonResourceURLs"):
        if namespaced:
            why = "namespaced rules cannot apply to non-resource URLs"
            yield invalid(f"{path}.nonResourceURLs", urls, why)
        return
    if not rule.get("apiGroups"):
        yield required(f"{path}.apiGroups", "resource rules must supply at least one api group")
    if not rule.get("resources"):
        yield required(f"{path}.resources", "resource rules must supply at least one resource")


def _binding(obj: Obj, old: Obj | None, kinds: tuple[str, ...]) -> Iterator[Cause]:
    reference = obj["roleRef"]
    if old is not None and reference != old["roleRef"]:
        fields = (("APIGroup", "apiGroup"), ("Kind", "kind"), ("Name", "name"))
        shown = show_struct({name: reference.get(field, "") for name, field in fields})
        yield Cause("roleRef", "FieldValueInvalid", f"Invalid value: {shown}: cannot change roleRef")
    if reference.get("kind") not in kinds:
        yield not_supported("roleRef.kind", reference.get("kind", ""), kinds)
    if not reference.get("name"):
        yield required("roleRef.name")
    for position, subject in enumerate(obj.get("subjects", ())):
        path, kind = f"subjects[{position}]", subject.get("kind", "")
        if not subject.get("name"):
            yield required(f"{path}.name")
        if kind not in _SUBJECTS:
            yield not_supported(f"{path}.kind", kind, _SUBJECTS)
        elif kind == "ServiceAccount" and not subject.get("namespace") and "namespace" not in obj["metadata"]:
            yield required(f"{path}.namespace")
