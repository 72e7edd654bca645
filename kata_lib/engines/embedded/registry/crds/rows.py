"""From a CustomResourceDefinition to the rows of the resource that it defines."""

from typing import Any

from kata_lib.engines.embedded.registry.crds.stability import by_stability
from kata_lib.engines.embedded.registry.crds.status import is_true
from kata_lib.engines.embedded.registry.definitions import gateway_api_names
from kata_lib.engines.embedded.registry.resources import ALL_VERBS, Column, Resource, Scale
from kata_lib.engines.embedded.registry.table import RESOURCES
from kata_lib.engines.embedded.store import Obj

KEY = "customresourcedefinitions"
_AGE = Column("Age", "date", ".metadata.creationTimestamp")


def own(name: str) -> Resource | None:
    """Return the resource that the API serves by itself, if a definition of this name would be its."""
    row = RESOURCES.get(name.partition(".")[0])
    return row if row and row.custom and row.qualified == name else None


def is_provided(name: str) -> bool:
    """Return whether the API has a definition of this name by itself: Istio's, and the Gateway API's."""
    return own(name) is not None or name in gateway_api_names()


def rows(definition: Obj) -> tuple[Resource, ...]:
    """Return a row for each version, first the one that is stored; none while the definition has no names."""
    if own(definition["metadata"]["name"]) or not is_true(definition, "Established"):
        return ()
    versions = sorted(definition["spec"]["versions"], key=lambda version: not version["storage"])
    return tuple(_row(definition, version) for version in versions)


def _row(definition: Obj, version: dict[str, Any]) -> Resource:
    spec, names = definition["spec"], definition["status"]["acceptedNames"]
    stored = next(found["name"] for found in spec["versions"] if found["storage"])
    parts = version.get("subresources") or {}
    served = tuple(found["name"] for found in spec["versions"] if found["served"])
    return Resource(
        names["plural"],
        names["kind"],
        spec["group"],
        stored,
        singular=names["singular"],
        short_names=tuple(names.get("shortNames", ())),
        namespaced=spec["scope"] == "Namespaced",
        categories=tuple(names.get("categories", ())),
        subresources=tuple(name for name in ("status", "scale") if name in parts),
        versions=served,
        verbs=ALL_VERBS,
        custom=True,
        defined=True,
        spoken=version["name"],
        list_kind=names["listKind"],
        columns=tuple(map(_column, version.get("additionalPrinterColumns", ()))) or (_AGE,),
        selectable=tuple(field["jsonPath"].lstrip(".") for field in version.get("selectableFields", ())),
        scale=_scale(parts["scale"]) if "scale" in parts else None,
        deprecation=_deprecation(spec, names["kind"], version),
        edition=f"{definition['metadata']['uid']}.{definition['metadata']['generation']}",
        closing="deletionTimestamp" in definition["metadata"],
    )


def _column(column: dict[str, Any]) -> Column:
    return Column(
        column["name"],
        column["type"],
        column["jsonPath"],
        column.get("format", ""),
        column.get("description", ""),
        column.get("priority", 0),
    )


def _scale(paths: dict[str, str]) -> Scale:
    return Scale(
        paths["specReplicasPath"].lstrip("."),
        paths["statusReplicasPath"].lstrip("."),
        paths.get("labelSelectorPath", "").lstrip("."),
    )


def _deprecation(spec: Obj, kind: str, version: dict[str, Any]) -> str:
    """Return the warning of a version that should not be used any more, with one that should."""
    if not version.get("deprecated"):
        return ""
    if warning := version.get("deprecationWarning"):
        return str(warning)
    name = version["name"]
    known = {found["name"]: found for found in spec["versions"] if found["served"]}
    better = by_stability(list(known))
    better = better[: better.index(name)] if name in better else []
    instead = [other for other in better if not known[other].get("deprecated")]
    use = f"; use {spec['group']}/{instead[0]} {kind}" if instead else ""
    return f"{spec['group']}/{name} {kind} is deprecated{use}"
