"""One node of a schema, and a rule that values must keep: immutable, small, shared where equal."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

NOTHING: Mapping[str, Any] = MappingProxyType({})


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
    `always` names the fields that exist in every object, `custom` marks a custom resource's schema. `open`
    marks an object that keeps fields which the schema does not know, `embedded` one that is itself an object
    of the API; `default` is what a field has that is not given (None: nothing).
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
    embedded: bool = False
    default: Any = None

    def child(self, name: str) -> "Schema | None":
        """Return the schema of one field or map entry, None when the schema does not know it."""
        return self.properties.get(name, self.values)

    @property
    def any(self) -> bool:
        """Whether nothing is known of the value's inside, so that it is one leaf for its owner."""
        return not self.type or (self.type == "object" and not self.properties and self.values is None)

    def inside(self, name: str) -> "Schema":
        """Return the schema of one field or map entry; inside an open object everything has one."""
        return self.child(name) or (FREE if self.open else ANY)


ANY = Schema()
FREE = Schema(type="object", open=True)
"""What an open object may hold: maps that are shared entry by entry, everything else as it is."""
