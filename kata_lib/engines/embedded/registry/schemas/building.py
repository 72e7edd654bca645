"""Definitions in, as they lie on disk or in a CustomResourceDefinition; trees of schemas out."""

from collections.abc import Mapping
from dataclasses import replace
from operator import attrgetter
from types import MappingProxyType
from typing import Any

from kata_lib.engines.embedded.registry.definitions import referenced
from kata_lib.engines.embedded.registry.schemas.tree import NOTHING, Rule, Schema

# A struct that Go holds by value is in every object; the definitions do not say which are.
_ALWAYS_PRESENT = {
    "CustomResourceDefinition": ("metadata", "spec", "status"),
    "CustomResourceDefinitionSpec": ("names",),
    "CustomResourceDefinitionStatus": ("acceptedNames", "conditions", "storedVersions"),
    "Deployment": ("metadata", "spec", "status"),
    "DeploymentSpec": ("strategy", "template"),
    "HorizontalPodAutoscaler": ("metadata", "spec", "status"),
    "HorizontalPodAutoscalerSpec": ("scaleTargetRef",),
    "Ingress": ("metadata", "spec", "status"),
    "IngressClass": ("metadata", "spec"),
    "IngressStatus": ("loadBalancer",),
    "Job": ("metadata", "spec", "status"),
    "JobSpec": ("template",),
    "Lease": ("metadata", "spec"),
    "Namespace": ("metadata", "spec", "status"),
    "Node": ("metadata", "spec", "status"),
    "NodeStatus": ("daemonEndpoints", "nodeInfo"),
    "PodDisruptionBudget": ("metadata", "spec", "status"),
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
    | {"exclusiveMinimum", "exclusiveMaximum", "multipleOf", "pattern"}
)
VALUE_KEYWORDS = _LIMITS | {"enum", "format", "type"}
"""Keywords of a part of a combination that are about the value itself."""

_COMBINATIONS = frozenset({"allOf", "anyOf", "oneOf", "not"})
_INT_OR_STRING = "x-kubernetes-int-or-string"

_SPECIAL = {"IntOrString": Schema(type="int-or-string"), "Quantity": Schema(type="quantity")}


class Builder:
    """Turns definitions into shared schemas.

    `definitions` are Kubernetes' own; without them the schema is a custom resource's, of which `common` says
    what every object has: apiVersion, kind and metadata.
    """

    def __init__(
        self, definitions: dict[str, Any] | None = None, common: Mapping[str, Schema] = NOTHING
    ) -> None:
        self._definitions = definitions or {}
        self._custom = definitions is None
        self._common = common
        self._done: dict[str, Schema] = {}
        self._shared: dict[Any, Schema] = {}
        self._leaves: dict[str, Schema] = {}

    def definition(self, name: str) -> Schema:
        if name not in self._done:
            short = name.rsplit(".", 1)[-1]
            self._done[name] = itself = Schema(name=short)  # what a definition that contains itself finds
            self._done[name] = _SPECIAL.get(short) or self.compile(self._definitions[name], name=short)
            for field_name in Schema.__slots__:
                object.__setattr__(itself, field_name, getattr(self._done[name], field_name))
        return self._done[name]

    def compile(self, node: dict[str, Any], *, name: str = "") -> Schema:
        if name or not node.keys().isdisjoint(_INNER):
            return self._compile(node, name)
        same = repr(node)
        if same not in self._leaves:
            self._leaves[same] = self._compile(node, name)
        return self._leaves[same]

    def _compile(self, node: dict[str, Any], name: str) -> Schema:
        if "$ref" in node:
            target = self.definition(referenced(node["$ref"]))
            strategy, key = _merging(node)
            if not strategy and not key:
                return target
            return self._share(replace(target, merge=strategy, merge_key=key))
        properties = {key: self.compile(value) for key, value in node.get("properties", {}).items()}
        if embedded := bool(self._custom and node.get("x-kubernetes-embedded-resource")):
            properties |= self._common
        strategy, merge_key = _merging(node)
        values = node.get("additionalProperties")
        items = self.compile(node["items"]) if "items" in node else None
        keys = tuple(node.get("x-kubernetes-list-map-keys", ()))
        defaults = {key: value for key in keys if items and (value := _key_default(items, key)) is not None}
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
                always=() if self._custom else _ALWAYS_PRESENT.get(name, ()),
                nullable=bool(node.get("nullable")),
                open=bool(node.get("x-kubernetes-preserve-unknown-fields")),
                merge=strategy,
                merge_key=merge_key,
                embedded=embedded,
                default=node.get("default") if self._custom else None,
            )
        )

    def _share(self, schema: Schema) -> Schema:
        parts = tuple(part if type(part) in _PLAIN else _identity(part) for part in _parts(schema))
        return self._shared.setdefault(parts, schema)


_INNER = frozenset({"$ref", "properties", "items", "additionalProperties"})
_parts = attrgetter(*Schema.__slots__)
_PLAIN = frozenset({str, bool, type(None)})
"""What stands for itself as a part of a schema."""


def _key_default(items: Schema, key: str) -> Any:
    """Return what a key of a list's item is that is not given."""
    known = items.properties.get(key)
    return _KEY_DEFAULTS.get((items.name, key), known.default if known else None)


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
    if isinstance(value, dict | MappingProxyType):
        return tuple((key, _identity(value[key])) for key in sorted(value))
    if isinstance(value, list):
        return tuple(map(_identity, value))
    return value
