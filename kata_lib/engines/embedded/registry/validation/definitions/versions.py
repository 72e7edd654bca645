"""A definition's versions: their names, which one is stored, and their columns and subresources."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from kata_lib.engines.embedded.registry import names
from kata_lib.engines.embedded.registry.jsonpath import BadPath, compiled
from kata_lib.engines.embedded.registry.status import Cause
from kata_lib.engines.embedded.registry.validation.causes import invalid, required, show_struct
from kata_lib.engines.embedded.store import Obj

_TYPES = ("boolean", "date", "integer", "number", "string")
_FORMATS = ("byte", "date", "date-time", "double", "float", "int32", "int64", "password")

Part = tuple[str, Any]
"""A path and what one version, or all of them, have there."""


def parts(spec: Obj, field: str, alone: str, name: str = "") -> Iterator[Part]:
    """Return what versions have under `field`: once at the path `alone` where it is the same in all."""
    found = spec.get("versions") or []
    if found and all(version.get(field) == found[0].get(field) for version in found):
        yield alone, found[0].get(field)
        return
    for position, version in enumerate(found):
        yield f"spec.versions[{position}].{name or field}", version.get(field)


def check(spec: Obj) -> Iterator[Cause]:
    """Return what is wrong with the versions as such."""
    found = spec.get("versions")
    for position, version in enumerate(found or ()):
        path = f"spec.versions[{position}]"
        if "deprecationWarning" in version and not version.get("deprecated"):
            why = "can only be set for deprecated versions"
            yield invalid(f"{path}.deprecationWarning", version["deprecationWarning"], why)
        if not (version.get("schema") or {}).get("openAPIV3Schema"):
            yield required(f"{path}.schema.openAPIV3Schema")
    for position, version in enumerate(found or ()):
        if wrong := ",".join(names.dns_1035_label(version.get("name", ""))):
            yield invalid(f"spec.versions[{position}].name", version.get("name", ""), wrong)
    if any(count > 1 for count in Counter(version.get("name") for version in found or ()).values()):
        yield _of_all(found, spec, "must contain unique version names")
    if sum(version["storage"] for version in found or ()) != 1:
        yield _of_all(found, spec, "must have exactly one version marked as storage version")
    first = (found or [{}])[0].get("name", "")
    if found and (wrong := ",".join(names.dns_1035_label(first))):
        yield invalid("spec.version", first, wrong)


def _of_all(found: list[Obj] | None, spec: Obj, why: str) -> Cause:
    """Return a cause that shows all versions as Go does, without what is the same in all of them."""
    shown = (
        None
        if found is None
        else [
            {
                "Name": version.get("name", ""),
                "Served": version["served"],
                "Storage": version["storage"],
                "Deprecated": version.get("deprecated", False),
                "DeprecationWarning": version.get("deprecationWarning"),
                **{
                    name: None
                    for name in ("Schema", "Subresources", "AdditionalPrinterColumns", "SelectableFields")
                },
            }
            for version in found
        ]
    )
    return Cause("spec.versions", "FieldValueInvalid", f"Invalid value: {show_struct(shown)}: {why}")


def check_parts(spec: Obj) -> Iterator[Cause]:
    """Return what is wrong with subresources and columns."""
    for path, subresources in parts(spec, "subresources", "spec.subresources"):
        if (scale := (subresources or {}).get("scale")) or scale == {}:
            yield from _scale(f"{path}.scale", scale)
    for path, columns in parts(spec, "additionalPrinterColumns", "spec.additionalPrinterColumns"):
        for position, column in enumerate(columns or ()):
            yield from _column(f"{path}[{position}]", column)


def _scale(path: str, scale: Obj) -> Iterator[Cause]:
    for field, below, words in (
        ("specReplicasPath", (".spec.",), "should be a json path under .spec"),
        ("statusReplicasPath", (".status.",), "should be a json path under .status"),
        ("labelSelectorPath", (".spec.", ".status."), "should be a json path under either .spec or .status"),
    ):
        value = scale.get(field, "")
        if not value:
            if field != "labelSelectorPath":
                yield required(f"{path}.{field}")
        elif wrong := list(_simple_path(f"{path}.{field}", value)):
            yield from wrong
        elif not value.startswith(below):
            yield invalid(f"{path}.{field}", value, words)


def _column(path: str, column: Obj) -> Iterator[Cause]:
    if not column.get("name"):
        yield required(f"{path}.name")
    type_, format_ = column.get("type", ""), column.get("format", "")
    if not type_:
        yield required(f"{path}.type", f"must be one of {','.join(_TYPES)}")
    elif type_ not in _TYPES:
        yield invalid(f"{path}.type", type_, f"must be one of {','.join(_TYPES)}")
    if format_ and format_ not in _FORMATS:
        yield invalid(f"{path}.format", format_, f"must be one of {','.join(_FORMATS)}")
    found = column.get("jsonPath", "")
    if not found:
        yield required(f"{path}.JSONPath")
    elif not found.startswith("."):
        yield invalid(f"{path}.JSONPath", found, "must be a simple json path starting with .")
    elif not format_:
        try:
            compiled(found)
        except BadPath as error:
            yield invalid(f"{path}.JSONPath", found, str(error))


def _simple_path(path: str, value: str) -> Iterator[Cause]:
    if not value.startswith("."):
        yield invalid(path, value, "must be a simple json path starting with .")
    elif "[" in value:
        yield invalid(path, value, "must be a json path in the dot notation")
