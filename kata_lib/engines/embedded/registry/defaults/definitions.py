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
        if schema := (version.get("schema") or {}).get("openAPIV3Schema"):
            version["schema"]["openAPIV3Schema"] = _without_nulls(schema)


def _without_nulls(value: Any) -> Any:
    """Return a schema without the keywords that are null, which count as not given."""
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value
