"""What the nodes of one YAML document mean: JSON values (go-yaml v2, decode.go, and sigs.k8s.io/yaml).

A merge (`<<`) is done where it stands: it replaces what stands before it. A key that is no string becomes
one. Aliases are copies; a document that is mostly aliases is refused before it is unfolded.
"""

import math
import re
from decimal import Decimal
from typing import Any

from kata_lib.cluster.documents.nodes import Node
from kata_lib.cluster.documents.scalars import value_of
from kata_lib.cluster.documents.words import Unreadable, go_float, go_syntax, shown_value

LARGEST_TEXT = 16 * 1024 * 1024
"""Characters of all scalars, each alias' among them; a manifest has 3 MB at most."""

_MERGE = "tag:yaml.org,2002:merge"
_FEW, _MANY = 400_000, 4_000_000


class _Decoder:
    """Counts what is decoded, so that aliases cannot make much of little."""

    def __init__(self) -> None:
        self._decoded = self._by_alias = self._depth = self._characters = 0
        self._open: set[int] = set()

    def value(self, node: Node) -> Any:
        self._count(node)
        match node.kind:
            case "scalar":
                return value_of(node.text, node.tag, plain=node.plain)
            case "list":
                return [self.value(child) for child in node.children]
            case "alias":
                return self._alias(node)
        return self._into(node, {})

    def _count(self, node: Node) -> None:
        self._decoded += 1
        self._by_alias += self._depth > 0
        self._characters += len(node.text)
        is_bomb = self._by_alias > 100 and self._decoded > 1000 and self._share() > _allowed(self._decoded)
        if is_bomb or self._characters > LARGEST_TEXT:
            raise Unreadable("yaml: document contains excessive aliasing")

    def _share(self) -> float:
        return self._by_alias / self._decoded

    def _alias(self, node: Node, into: dict[Any, Any] | None = None) -> Any:
        assert node.target is not None
        if id(node) in self._open:
            raise Unreadable(f"yaml: anchor '{node.text}' value contains itself")
        self._open.add(id(node))
        self._depth += 1
        try:
            return self.value(node.target) if into is None else self._merged(node.target, into)
        finally:
            self._depth -= 1
            self._open.discard(id(node))

    def _into(self, node: Node, made: dict[Any, Any]) -> dict[Any, Any]:
        for key_node, value_node in zip(node.children[::2], node.children[1::2], strict=True):
            if _is_merge(key_node):
                self._merge(value_node, made)
                continue
            key = self.value(key_node)
            if isinstance(key, dict | list):
                raise Unreadable(f"yaml: invalid map key: {go_syntax(key)}")
            made[(type(key), key)] = self.value(value_node)  # to Go 1, 1.0 and true are three keys
        return made

    def _merge(self, node: Node, made: dict[Any, Any]) -> None:
        for source in reversed(node.children) if node.kind == "list" else [node]:
            target = source.target if source.kind == "alias" else source
            if target is None or target.kind != "map":
                raise Unreadable("yaml: map merge requires map or sequence of maps as the value")
            self._merged(source, made)

    def _merged(self, node: Node, made: dict[Any, Any]) -> Any:
        self._count(node)
        return self._alias(node, made) if node.kind == "alias" else self._into(node, made)


def _allowed(decoded: int) -> float:
    """Return the share of what is decoded that may come by aliases: 99 %, of very large documents 10 %."""
    over = min(max(decoded - _FEW, 0) / (_MANY - _FEW), 1.0)
    return 0.99 - 0.89 * over


def _is_merge(node: Node) -> bool:
    return node.kind == "scalar" and node.text == "<<" and (node.plain or node.tag == _MERGE)


def json_value(root: Node | None) -> Any:
    """Return the JSON value of a document, None for none; raise Unreadable."""
    return None if root is None else _json_of(_Decoder().value(root))


def _json_of(value: Any) -> Any:
    match value:
        case dict():
            return {_key_text(key, of): _json_of(of) for (_, key), of in value.items()}
        case list():
            return [_json_of(element) for element in value]
        case bytes():
            return as_text(value)
    return as_number(value)


def _key_text(key: Any, value: Any) -> str:
    match key:
        case str():
            return key
        case bytes():
            return as_text(key)
        case bool():
            return str(key).lower()
        case int() if key < 2**63:
            return str(key)
        case float():
            return go_float(key)
    kind, shown = ("%!s(<nil>)", "<nil>") if key is None else ("uint64", hex(key))
    raise Unreadable(f"unsupported map key of type: {kind}, key: {shown}, value: {shown_value(value)}")


def as_text(raw: bytes) -> str:
    """Return bytes as text, as Go writes them into JSON: U+FFFD for each byte that is no UTF-8."""
    return re.sub("[\ud800-\udfff]", "\N{REPLACEMENT CHARACTER}", raw.decode(errors="surrogateescape"))


def with_numbers(value: Any) -> Any:
    """Return a JSON value with its numbers as kubectl keeps them."""
    match value:
        case dict():
            return {key: with_numbers(of) for key, of in value.items()}
        case list():
            return [with_numbers(element) for element in value]
    return as_number(value)


def as_number(value: Any) -> Any:
    """Return a number as kubectl keeps it: a whole one within 64 bits as such, every other as a float."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    if not math.isfinite(value):
        raise Unreadable(f"json: unsupported value: {shown_value(value)}")
    if not -(2**63) <= value < 2**63:
        return float(value)
    is_whole = isinstance(value, float) and value.is_integer()
    return (
        int(Decimal(repr(value))) if is_whole else value
    )  # the digits that Go writes: the fewest, then zeros
