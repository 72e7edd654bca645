"""The fields that are understood, as a tree beside each translation; whatever is not in a tree is refused.

A tree is a dict of field names to trees; [tree] is a list of such; `Keys(tree)` a map with free keys; LEAF
any value; OneOf(...) one of the values named.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


class Leaf:
    """A value of any kind, taken as it is."""


LEAF = Leaf()


@dataclass(frozen=True)
class OneOf:
    """A value that is understood only if it is one of these."""

    values: tuple[Any, ...]


@dataclass(frozen=True)
class Keys:
    """A map whose keys are free."""

    tree: "Tree"


Tree = dict[str, Any] | list[Any] | Keys | OneOf | Leaf


def not_understood(value: Any, tree: Tree, path: str = "") -> Iterator[str]:
    """Yield the path of each field that the tree has not, with its value where only that is the matter."""
    match tree, value:
        case OneOf(values), _:
            if value not in values:
                yield f"{path}: {value}"
        case Keys(inner), dict():
            for key, item in value.items():
                yield from not_understood(item, inner, f"{path}[{key}]")
        case [inner], list():
            for index, item in enumerate(value):
                yield from not_understood(item, inner, f"{path}[{index}]")
        case dict(), dict():
            for key, item in value.items():
                name = f"{path}.{key}" if path else key
                if key in tree:
                    yield from not_understood(item, tree[key], name)
                elif item not in (None, {}, []):
                    yield name
        case _:
            return
