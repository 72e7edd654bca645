"""Namespaces carry their own name as a label, which selectors of namespaces rely on."""

from kata_lib.engines.embedded.store import Obj


def fill(obj: Obj) -> None:
    """Add a Namespace's defaults in place; the label comes back when someone removes it."""
    metadata = obj.setdefault("metadata", {})
    if "name" in metadata:
        metadata.setdefault("labels", {})["kubernetes.io/metadata.name"] = metadata["name"]
