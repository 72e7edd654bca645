"""What the fields of each served kind are: Kubernetes' own schemas and Istio's, as small immutable trees.

A `Schema` keeps what the registry needs of a definition: types, list and map kinds, merge keys, limits, but
no descriptions. Equal parts of the trees are shared: together they take less than half a megabyte.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from types import MappingProxyType
from typing import Any

from kata_lib.engines.embedded.registry.definitions import (
    CUSTOM_KINDS,
    DEFINITIONS,
    custom_definition,
    raw_definitions,
    referenced,
)

NOTHING: Mapping[str, Any] = MappingProxyType({})

# A struct that Go holds by value is in every object; the definitions do not say which are.
_ALWAYS_PRESENT = {
    "Deployment": ("metadata", "spec", "status"),
    "DeploymentSpec": ("strategy", "template"),
    "Namespace": ("metadata", "spec", "status"),
    "Node": ("metadata", "spec", "status"),
    "NodeStatus": ("daemonEndpoints", "nodeInfo"),
    "Pod": ("metadata", "spec", "status"),
    "PodSpec": ("containers",),
    "PodTemplateSpec": ("metadata", "spec"),
    "ReplicaSet": ("metadata", "spec", "status"),
    "ReplicaSetSpec": ("template",),
    "Service": ("metadata", "spec", "status"),
    "ServiceStatus": ("loadBalancer",),
}

# The keys of list items that have a default, without which an item could not be found by its keys.
_KEY_DEFAULTS = {
    ("ContainerPort", "protocol"): "TCP",
    ("ServicePort", "protocol"): "TCP",
}

_LIMITS = frozenset(
    {"minimum", "maximum", "minItems", "maxItems", "minLength", "maxLength", "maxProperties", "minProperties"}
)
_COMBINATIONS = frozenset({"allOf", "anyOf", "oneOf", "not"})
_INT_OR_STRING = "x-kubernetes-int-or-string"


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule in CEL that a value must keep, and what is said of one that does not.

    `message_expression` makes the message out of the value, `reason` is the cause's (FieldValueInvalid unless
    it is given), `field_path` the path, below the value, of the field that is to blame.
    """

    text: str
    message: str = ""
    message_expression: str = ""
    reason: str = ""
    field_path: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Schema:
    """One node of a schema.

    `type` is that of JSON ("" for any value), "int-or-string" or "quantity". `values` is the schema of a
    map's values, `items` that of a list's items. `list_type` is "atomic", "set" or "map" (then `keys` names
    the fields that identify an item, `key_defaults` what they are where they are not given); `atomic` marks a
    map that has one owner. `merge` is the strategic merge patch's strategy ("merge", "replace", "retainKeys"
    or a comma-separated pair), `merge_key` its key.
    `limits` and `combinations` hold JSON schema's keywords of those names, `rules` the CEL rules.
    `always` names the fields that exist in every object, `custom` marks a custom resource's schema.
    """

    type: str = ""
    name: str = ""
    format: str = ""
    properties: Mapping[str, "Schema"] = field(default_factory=lambda: NOTHING)
    values: "Schema | None" = None
    items: "Schema | None" = None
    required: tuple[str, ...] = ()
    enum: tuple[Any, ...] = ()
    limits: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    combinations: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    rules: tuple[Rule, ...] = ()
    list_type: str = ""
    keys: tuple[str, ...] = ()
    key_defaults: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    atomic: bool = False
    merge: str = ""
    merge_key: str = ""
    always: tuple[str, ...] = ()
    nullable: bool = False
    open: bool = False
    custom: bool = False

    def child(self, name: str) -> "Schema | None":
        """Return the schema of one field or map entry, None when the schema does not know it."""
        return self.properties.get(name, self.values)

    @property
    def any(self) -> bool:
        """Whether nothing is known of the value's inside, so that it is one leaf for its owner."""
        return not self.type or (self.type == "object" and not self.properties and self.values is None)


ANY = Schema()

_SPECIAL = {"IntOrString": Schema(type="int-or-string"), "Quantity": Schema(type="quantity")}


@cache
def schema_for(resource: str) -> Schema:
    """Return the schema of a served resource, by its plural. Raises KeyError for one that has none."""
    if resource in CUSTOM_KINDS:
        return _custom_schema(CUSTOM_KINDS[resource])
    return _kubernetes_schemas()[DEFINITIONS[resource]]


@cache
def _kubernetes_schemas() -> dict[str, Schema]:
    """Compile every served definition in one reading of the file; keep the roots only."""
    builder = _Builder(raw_definitions(DEFINITIONS.values()))
    return {name: builder.definition(name) for name in DEFINITIONS.values()}


def _custom_schema(kind: str) -> Schema:
    schema = _Builder().compile(custom_definition(kind)["schema"], name=kind)
    meta = _kubernetes_schemas()[DEFINITIONS["services"]]
    common = {key: meta.properties[key] for key in ("apiVersion", "kind", "metadata")}
    return replace(
        schema, name=kind, properties=MappingProxyType(common | dict(schema.properties)), custom=True
    )


class _Builder:
    """Turns definitions into shared schemas."""

    def __init__(self, definitions: dict[str, Any] | None = None) -> None:
        self._definitions = definitions or {}
        self._custom = definitions is None
        self._done: dict[str, Schema] = {}
        self._shared: dict[Any, Schema] = {}

    def definition(self, name: str) -> Schema:
        if name not in self._done:
            short = name.rsplit(".", 1)[-1]
            self._done[name] = ANY  # what a definition that contains itself finds
            self._done[name] = _SPECIAL.get(short) or self.compile(self._definitions[name], name=short)
        return self._done[name]

    def compile(self, node: dict[str, Any], *, name: str = "") -> Schema:
        if "$ref" in node:
            target = self.definition(referenced(node["$ref"]))
            strategy, key = _merging(node)
            return self._share(replace(target, merge=strategy, merge_key=key))
        properties = {key: self.compile(value) for key, value in node.get("properties", {}).items()}
        strategy, merge_key = _merging(node)
        values = node.get("additionalProperties")
        items = self.compile(node["items"]) if "items" in node else None
        keys = tuple(node.get("x-kubernetes-list-map-keys", ()))
        named = [(items.name if items else "", key) for key in keys]
        defaults = {key: _KEY_DEFAULTS[name, key] for name, key in named if (name, key) in _KEY_DEFAULTS}
        return self._share(
            Schema(
                type=_type(node),
                name=name,
                format=node.get("format", ""),
                properties=MappingProxyType(properties) if properties else NOTHING,
                values=self.compile(values) if isinstance(values, dict) else None,
                items=items,
                required=tuple(node.get("required", ())),
                # In Kubernetes' definitions only apiVersion and kind have an enum; the path settles those.
                enum=tuple(node.get("enum", ())) if self._custom else (),
                limits=_part(node, _LIMITS),
                combinations=NOTHING if _INT_OR_STRING in node else _part(node, _COMBINATIONS),
                rules=tuple(map(_rule, node.get("x-kubernetes-validations", ()))),
                list_type=node.get("x-kubernetes-list-type", ""),
                keys=keys,
                key_defaults=defaults or NOTHING,
                atomic=node.get("x-kubernetes-map-type") == "atomic",
                always=_ALWAYS_PRESENT.get(name, ()),
                nullable=bool(node.get("nullable")),
                open=bool(node.get("x-kubernetes-preserve-unknown-fields")),
                merge=strategy,
                merge_key=merge_key,
            )
        )

    def _share(self, schema: Schema) -> Schema:
        parts = tuple(_identity(getattr(schema, name)) for name in Schema.__slots__)
        return self._shared.setdefault(parts, schema)


def _type(node: dict[str, Any]) -> str:
    if _INT_OR_STRING in node:
        return "int-or-string"
    kind = node.get("type", "")
    return next(name for name in kind if name != "null") if isinstance(kind, list) else str(kind)


def _rule(node: dict[str, Any]) -> Rule:
    return Rule(
        text=node["rule"].strip(),
        message=node.get("message", "").strip(),
        message_expression=node.get("messageExpression", ""),
        reason=node.get("reason", ""),
        field_path=node.get("fieldPath", ""),
    )


def _merging(node: dict[str, Any]) -> tuple[str, str]:
    """Return a strategic merge patch's strategy and key for the field; they may stand beside a reference."""
    return node.get("x-kubernetes-patch-strategy", ""), node.get("x-kubernetes-patch-merge-key", "")


def _part(node: dict[str, Any], keywords: frozenset[str]) -> Mapping[str, Any]:
    found = {key: value for key, value in node.items() if key in keywords}
    return found or NOTHING


def _identity(value: Any) -> Any:
    """Return something hashable that two equal parts of a schema share."""
    if isinstance(value, Schema):
        return id(value)
    if isinstance(value, Mapping):
        return tuple((key, _identity(value[key])) for key in sorted(value))
    if isinstance(value, list):
        return tuple(map(_identity, value))
    return value
