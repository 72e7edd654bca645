"""Who wrote a field of an object last, as the API server keeps it in metadata.managedFields.

Source: https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
"""

from kata_lib.cluster.client import Obj

KUBECTL_APPLY = "kubectl-client-side-apply"
"""kubectl's own name: what the library and a hand with kubectl apply has one owner."""
KATA = "kata"
"""The library's name for what it changes in place: weights and replicas."""


def of(obj: Obj, *path: str) -> set[str]:
    """Return the managers of a field, such as of(deployment, "spec", "replicas")."""
    entries = obj["metadata"].get("managedFields") or []
    return {entry["manager"] for entry in entries if _holds(entry.get("fieldsV1") or {}, path)}


def _holds(fields: Obj, path: tuple[str, ...]) -> bool:
    for name in path:
        if f"f:{name}" not in fields:
            return False
        fields = fields[f"f:{name}"]
    return True
