"""ReferenceGrants: what of one namespace those of another may refer to."""

from collections.abc import Iterable
from dataclasses import dataclass

from kata_lib.engines.embedded.store import Obj

KEY = "referencegrants.gateway.networking.k8s.io"
GROUP = "gateway.networking.k8s.io"


@dataclass(frozen=True)
class Reference:
    """From an object of a kind of the Gateway API in a namespace to a named object in another."""

    from_kind: str
    from_namespace: str
    kind: str
    namespace: str
    name: str
    group: str = ""


def allows(grants: Iterable[Obj], reference: Reference) -> bool:
    """Return whether an object may be referred to: its own namespace always may, others by a grant there."""
    if reference.from_namespace == reference.namespace:
        return True
    asker = {"group": GROUP, "kind": reference.from_kind, "namespace": reference.from_namespace}
    return any(
        grant["metadata"]["namespace"] == reference.namespace
        and asker in grant["spec"]["from"]
        and any(_names(entry, reference) for entry in grant["spec"]["to"])
        for grant in grants
    )


def _names(entry: Obj, reference: Reference) -> bool:
    kind = (entry.get("group", ""), entry["kind"]) == (reference.group, reference.kind)
    return kind and entry.get("name") in (None, "", reference.name)
