"""What the API server fills in of a CustomResourceDefinition."""

from typing import Any

from kata_lib.engines.embedded.store import Obj


def fill(obj: Obj) -> None:
    """Fill in the names that follow from the kind, and that objects are not converted between versions."""
    spec: dict[str, Any] = obj.setdefault("spec", {})
    names = spec.setdefault("names", {})
    kind = names.get("kind", "")
    if not names.get("singular"):
        names["singular"] = kind.lower()
    if not names.get("listKind") and kind:
        names["listKind"] = f"{kind}List"
    spec.setdefault("conversion", {"strategy": "None"})
    for version in spec.get("versions", ()):
        version.setdefault("served", False)
        version.setdefault("storage", False)
