"""Roles and their bindings: rules, if only none, and the group of what is named."""

from kata_lib.engines.embedded.registry.resources import RBAC
from kata_lib.engines.embedded.store import Obj


def complete_role(obj: Obj) -> None:
    """Add what the server gives a Role or ClusterRole, in place."""
    obj.setdefault("rules", None)


def fill_binding(obj: Obj) -> None:
    """Add a binding's defaults in place."""
    reference = obj.setdefault("roleRef", {"kind": "", "name": ""})
    if not reference.get("apiGroup"):
        reference["apiGroup"] = RBAC
    for subject in obj.get("subjects", ()):
        if subject.get("kind") in ("User", "Group"):
            subject.setdefault("apiGroup", RBAC)
