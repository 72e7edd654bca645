"""The nodes of one YAML document: a text goes in, scalars, lists, maps and aliases come out."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from kata_lib.cluster.documents.words import MAX_DEPTH, TooMany, Unreadable

_OTHER_VERSION = re.compile(rb"(?:\s*#[^\n]*\n)*\s*%YAML +(?!1\.1\s)[0-9]+\.[0-9]+\s")
_ESCAPED_SLASH = re.compile(r'"(?:[^"\\]|\\[^/])*\\/')
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(slots=True)
class Node:
    """One node: `children` of a list are its elements, of a map its keys and values in turn."""

    kind: str
    text: str = ""
    tag: str = ""
    plain: bool = False
    flow: bool = False
    children: list["Node"] = field(default_factory=list)
    target: "Node | None" = None


def compose(text: bytes, most: float = math.inf) -> Node | None:
    """Return the root of a text's first document, None where it has none; raise Unreadable."""
    if _OTHER_VERSION.match(text):
        raise Unreadable("yaml: found incompatible YAML document")
    try:
        return _composed(_first_document(text), text, 2 * most)
    except yaml.reader.ReaderError as error:
        raise Unreadable(f"yaml: {_reader_words(error)}") from None
    except yaml.MarkedYAMLError as error:
        if "nesting depth" in str(error.problem):
            raise _too_deep() from None
        raise Unreadable(f"yaml: {_place(error)}{error.problem}") from None


def _first_document(text: bytes) -> Iterator[yaml.Event]:
    loader = _Loader(text)
    try:
        while not isinstance(event := loader.get_event(), yaml.DocumentEndEvent | yaml.StreamEndEvent):
            if isinstance(event, yaml.NodeEvent | yaml.CollectionEndEvent):
                yield event
    finally:
        loader.dispose()


def _composed(events: Iterator[yaml.Event], text: bytes, most: float) -> Node | None:
    root = Node("document")
    open_nodes, anchors = [root], dict[str, Node]()
    for event in events:
        if isinstance(event, yaml.CollectionEndEvent):
            open_nodes.pop()
            continue
        if isinstance(event, yaml.ScalarEvent):
            _refuse_newer(event, open_nodes[-1], text)
        node = _node(event, anchors)
        open_nodes[-1].children.append(node)
        most -= 1
        if most < 0:
            raise TooMany("it has too many values")
        if isinstance(event, yaml.CollectionStartEvent):
            open_nodes.append(node)
            if len(open_nodes) > MAX_DEPTH + 1:
                raise _too_deep()
    return root.children[0] if root.children else None


def _node(event: Any, anchors: dict[str, Node]) -> Node:
    if isinstance(event, yaml.AliasEvent):
        if event.anchor not in anchors:
            raise Unreadable(f"yaml: unknown anchor '{event.anchor}' referenced")
        return Node("alias", event.anchor, target=anchors[event.anchor])
    if isinstance(event, yaml.ScalarEvent):
        node = Node("scalar", event.value, event.tag or "", plain=event.implicit[0])
    else:
        kind = "map" if isinstance(event, yaml.MappingStartEvent) else "list"
        node = Node(kind, flow=bool(event.flow_style))
    if event.anchor is not None:
        anchors[event.anchor] = node
    return node


def _refuse_newer(event: Any, parent: Node, text: bytes) -> None:
    """Refuse what libyaml takes and its older translation does not: an escaped slash, ? in a flow."""
    line = event.start_mark.line
    if event.style == '"' and b"\\/" in text and _ESCAPED_SLASH.match(text.decode(), event.start_mark.index):
        raise Unreadable(f"yaml: {_line(line + (line > 0))}found unknown escape character")
    if event.implicit[0] and parent.flow and "?" in event.value:
        closing = "}" if parent.kind == "map" else "]"
        raise Unreadable(f"yaml: {_line(line)}did not find expected ',' or '{closing}'")


def _too_deep() -> Unreadable:
    return Unreadable(f"yaml: exceeded max depth of {MAX_DEPTH}")


def _place(error: yaml.MarkedYAMLError) -> str:
    """Return where go-yaml says that a problem is: the first line is none."""
    line = 0
    if error.problem_mark and error.problem_mark.line:
        line = error.problem_mark.line + isinstance(error, yaml.scanner.ScannerError)
    elif error.context_mark:
        line = error.context_mark.line
    return _line(line)


def _line(line: int) -> str:
    return f"line {line}: " if line else ""


def _reader_words(error: yaml.reader.ReaderError) -> str:
    return str(error.reason).replace(
        "special characters are not allowed", "control characters are not allowed"
    )
