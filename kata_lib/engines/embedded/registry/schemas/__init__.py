"""What the fields of each served kind are: Kubernetes' own schemas and Istio's, as small immutable trees.

A `Schema` keeps what the registry needs of a definition: types, list and map kinds, merge keys, limits, but
no descriptions. Equal parts of the trees are shared: together they take less than half a megabyte.

tree.py      one node
building.py  from definitions to trees
"""

from dataclasses import replace
from functools import cache
from types import MappingProxyType
from typing import Any

from kata_lib.engines.embedded.registry.definitions import (
    CUSTOM_KINDS,
    DEFINITIONS,
    custom_definition,
    raw_definitions,
)
from kata_lib.engines.embedded.registry.schemas.building import VALUE_KEYWORDS, Builder
from kata_lib.engines.embedded.registry.schemas.tree import ANY, FREE, Rule, Schema

__all__ = ["ANY", "FREE", "VALUE_KEYWORDS", "Rule", "Schema", "custom_schema", "part_schema", "schema_for"]


@cache
def schema_for(resource: str) -> Schema:
    """Return the schema of a served resource, by its plural. Raises KeyError for one that has none."""
    if resource in CUSTOM_KINDS:
        kind = CUSTOM_KINDS[resource]
        return custom_schema(kind, custom_definition(kind)["schema"])
    return _kubernetes_schemas()[DEFINITIONS[resource]]


@cache
def _kubernetes_schemas() -> dict[str, Schema]:
    """Compile every served definition in one reading of the file; keep the roots only."""
    builder = Builder(raw_definitions(DEFINITIONS.values()))
    return {name: builder.definition(name) for name in DEFINITIONS.values()}


def custom_schema(kind: str, node: dict[str, Any]) -> Schema:
    """Return the schema of a kind whose structure a CustomResourceDefinition gives (openAPIV3Schema)."""
    common = _common()
    schema = Builder(common=common).compile(node, name=kind)
    properties = dict(schema.properties) | common
    return replace(schema, name=kind, properties=MappingProxyType(properties), custom=True)


def part_schema(node: dict[str, Any]) -> Schema:
    """Return the schema of a part of a combination (allOf and its like)."""
    return Builder().compile(node)


def _common() -> dict[str, Schema]:
    """Return what every object has."""
    service = _kubernetes_schemas()[DEFINITIONS["services"]]
    return {key: service.properties[key] for key in ("apiVersion", "kind", "metadata")}
