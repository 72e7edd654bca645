"""Sets of field paths, as `managedFields` writes them down (FieldsV1).

A path is a tuple of elements, each spelled as in FieldsV1: `f:name` a field or map entry, `k:{"name":"a"}`
the list item with those keys, `v:"a"` the item of a set with that value. After `fieldpath` of
sigs.k8s.io/structured-merge-diff.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from kata_lib.engines.embedded.registry.schemas import ANY, Schema

Path = tuple[str, ...]


class FieldSet:
    """A set of paths, by their next element: those that end with it (`members`), or go on (`children`)."""

    __slots__ = ("children", "members")

    def __init__(
        self, members: set[str] | None = None, children: dict[str, "FieldSet"] | None = None
    ) -> None:
        self.members = members or set()
        self.children = children or {}

    @classmethod
    def read(cls, fields: Mapping[str, Any]) -> "FieldSet":
        """Return the set that a FieldsV1 object describes; raise ValueError for what is none."""
        if not isinstance(fields, Mapping):
            raise ValueError(f"{fields!r} is no set of fields")
        result = cls()
        for element, inner in fields.items():
            if element == ".":
                continue
            child = cls.read(inner) if inner else None
            if not inner or "." in inner:
                result.members.add(element)
            if child:
                result.children[element] = child
        return result

    def written(self) -> dict[str, Any]:
        """Return the FieldsV1 object for this set."""
        result: dict[str, Any] = {}
        for element in sorted(self.members | self.children.keys()):
            child = self.children.get(element)
            own: dict[str, Any] = {".": {}} if child and element in self.members else {}
            result[element] = own | (child.written() if child else {})
        return result

    def __bool__(self) -> bool:
        return bool(self.members or self.children)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FieldSet) and (
            self.members == other.members and self.children == other.children
        )

    def __contains__(self, path: Path) -> bool:
        if len(path) == 1:
            return path[0] in self.members
        child = self.children.get(path[0])
        return child is not None and path[1:] in child

    def __iter__(self) -> Iterator[Path]:
        """Yield every path, those that end first before those that go on."""
        for element in sorted(self.members):
            yield (element,)
        for element in sorted(self.children):
            for rest in self.children[element]:
                yield (element, *rest)

    def add(self, path: Path) -> None:
        """Put a path into this set."""
        node = self
        for element in path[:-1]:
            child = node.children.get(element)
            node = node.children.setdefault(element, FieldSet()) if child is None else child
        node.members.add(path[-1])

    def __or__(self, other: "FieldSet") -> "FieldSet":
        children = dict(self.children)
        for element, child in other.children.items():
            children[element] = children[element] | child if element in children else child
        return FieldSet(self.members | other.members, children)

    def __sub__(self, other: "FieldSet") -> "FieldSet":
        children = {}
        for element, child in self.children.items():
            rest = child - other.children[element] if element in other.children else child
            if rest:
                children[element] = rest
        return FieldSet(self.members - other.members, children)

    def __and__(self, other: "FieldSet") -> "FieldSet":
        children = {}
        for element, child in self.children.items():
            common = child & other.children[element] if element in other.children else None
            if common:
                children[element] = common
        return FieldSet(self.members & other.members, children)

    def with_struct_fields(self, schema: Schema) -> "FieldSet":
        """Return this set with every field of a struct in it of which something inside is in it."""
        members = set(self.members)
        children = {}
        for element, child in self.children.items():
            if element.startswith("f:") and element[2:] in schema.properties:
                members.add(element)
            children[element] = child.with_struct_fields(inner(schema, element))
        return FieldSet(members, children)


def inner(schema: Schema, element: str) -> Schema:
    """Return the schema of what a path element of a value with this schema leads to."""
    return schema.inside(element[2:]) if element.startswith("f:") else schema.items or ANY


def spoken(path: Path) -> str:
    """Return a path as conflicts name it, for example .spec.containers[name="a"].image."""
    return "".join(map(_spoken_element, path))


def _spoken_element(element: str) -> str:
    kind, _, rest = element.partition(":")
    if kind == "f":
        return f".{rest}"
    if kind == "k":
        keys = json.loads(rest)
        return f"[{','.join(f'{key}={json.dumps(keys[key])}' for key in sorted(keys))}]"
    if kind == "i":
        return f"[{rest}]"
    return f"[={rest}]"
