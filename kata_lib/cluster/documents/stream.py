"""A text's documents: YAML between lines of `---`, or JSON after JSON (apimachinery, util/yaml)."""

import math
from collections.abc import Iterator
from typing import Any

from kata_lib.cluster.documents.json_text import JsonUnreadable, count, leading_json
from kata_lib.cluster.documents.nodes import compose
from kata_lib.cluster.documents.values import as_text, json_value, with_numbers
from kata_lib.cluster.documents.words import TooMany, Unreadable


def documents(raw: bytes) -> Iterator[Any]:
    """Yield what each document says, empty ones left out; raise Unreadable in kubectl's words.

    A text that begins with a brace is JSON; where its first value cannot be read, it is YAML after all.
    """
    rest, refused = raw, None
    if raw.lstrip().startswith(b"{"):
        values, rest, refused = _json_values(as_text(raw))
        yield from values
    try:
        for chunk in _chunks(rest):
            value = read_yaml(chunk)
            refused = None
            if value is not None:
                yield value
    except Unreadable:
        if refused:
            raise refused from None
        raise


def read_yaml(text: bytes, most: float = math.inf) -> Any:
    """Return what one YAML document says; raise Unreadable, TooMany where it has more than `most` values."""
    try:
        value = json_value(compose(text, most))
        count(value, most)
        return value
    except TooMany:
        raise
    except Unreadable as error:
        raise Unreadable(f"error converting YAML to JSON: {error}") from None


def _json_values(text: str) -> tuple[list[Any], bytes, Unreadable | None]:
    """Return the JSON values at a text's beginning, what is left for YAML, and why it is no JSON."""
    values: list[Any] = []
    at = 0
    while text[at:].strip():
        try:
            value, length = leading_json(text[at:])
        except Unreadable as error:
            if len(values) > 1:
                raise
            rest = text[at:].lstrip(" \t\r")
            return values, rest.removeprefix("\n").encode(), _offset(error, text[:at])
        values.append(with_numbers(value))
        at += length
    return values, b"", None


def _offset(error: Unreadable, before: str) -> Unreadable:
    if not isinstance(error, JsonUnreadable) or error.offset is None:
        return Unreadable("unexpected EOF") if "unexpected end" in str(error) else error
    return Unreadable(f"json: offset {len(before.encode()) + error.offset}: {error}")


def _chunks(raw: bytes) -> Iterator[bytes]:
    """Yield the text between the lines that separate documents."""
    chunk = b""
    for line in raw.replace(b"\r\n", b"\n").removesuffix(b"\n").split(b"\n"):
        if not line.startswith(b"---"):
            chunk += line + b"\n"
            continue
        after = line[3:].strip()
        if after and not after.startswith(b"#"):
            raise Unreadable(f"invalid Yaml document separator: {after.decode(errors='replace')}")
        if chunk:
            yield chunk
        chunk = b""
    yield chunk
