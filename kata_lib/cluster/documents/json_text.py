"""JSON as Go reads it: text goes in, its value comes out, or the refusal that encoding/json would word."""

import json
import math
import re
from typing import Any

from kata_lib.cluster.documents.values import as_text
from kata_lib.cluster.documents.words import MAX_DEPTH, TooMany, Unreadable

_LONE_SURROGATE = re.compile(
    r"\\u[dD][89aAbB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[dD][89a-fA-F][0-9a-fA-F]{2}|\\."
)
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_LOOKED_BACK = 10_000
_MOST_BRACKETS = 100_000
"""Opening ones of a text that is counted: up to here it is read, and what is wrong with it is told."""
_MOST_DIGITS = 309
"""Of a whole number: one with more is beyond every float, and Python reads no more than 4,300."""
_STRING_OR_CONSTANT = re.compile(r'"(?:[^"\\]|\\.)*"|NaN|-?Infinity', re.DOTALL)
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)
_EXPECTED = {
    "Expecting value": "looking for beginning of value",
    "Expecting property name enclosed in double quotes": "looking for beginning of object key string",
    "Illegal trailing comma before end of object": "looking for beginning of object key string",
    "Illegal trailing comma before end of array": "looking for beginning of value",
    "Expecting ':' delimiter": "after object key",
    "Invalid control character at": "in string literal",
    "Extra data": "after top-level value",
}


class JsonUnreadable(Unreadable):
    """A text is no JSON; `offset` counts the characters read when that was seen, None at the text's end."""

    def __init__(self, message: str, offset: int | None = None) -> None:
        super().__init__(message)
        self.offset = offset


def read_json(raw: bytes, most: float = math.inf) -> Any:
    """Return what a text says; raise Unreadable in Go's words, TooMany for more than `most` values."""
    if most < math.inf and raw.count(b"[") + raw.count(b"{") > _MOST_BRACKETS:
        raise TooMany("it has too many values")
    text = as_text(raw)
    value, end = leading_json(text, most)
    if rest := text[end:].lstrip():
        raise _invalid(rest[0], "after top-level value", len(text) - len(rest))
    return value


def leading_json(text: str, most: float = math.inf) -> tuple[Any, int]:
    """Return the first JSON value of a text and where it ends; raise JsonUnreadable."""
    begin = len(text) - len(text.lstrip(" \t\r\n"))
    try:
        value, end = _DECODER.raw_decode(text, begin)
    except json.JSONDecodeError as error:
        raise _in_go_words(error) from None
    except _Constant:
        raise _constant(text, begin) from None
    except RecursionError:
        raise _too_deep(text[begin]) from None
    if _SURROGATE.search(text, begin, end):
        value, _ = _DECODER.raw_decode(_LONE_SURROGATE.sub(_whole, text[begin:end]))
    count(value, most)
    return value, end


def _whole(match: re.Match[str]) -> str:
    is_lone = len(match[0]) == 6
    return r"\ufffd" if is_lone else match[0]


def count(value: Any, most: float = math.inf) -> int:
    """Return how many values it holds; raise Unreadable for too many levels, TooMany over `most`."""
    level, counted = [value], 0
    for _ in range(MAX_DEPTH + 1):
        counted += len(level)
        if counted > most:
            raise TooMany("it has too many values")
        level = [part for of in level if isinstance(of, dict | list) for part in _parts(of)]
        if not level:
            return counted
    raise _too_deep("{" if isinstance(level[0], dict) else "[")


def _parts(of: dict[str, Any] | list[Any]) -> Any:
    return of.values() if isinstance(of, dict) else of


class _Constant(Exception):
    """NaN or Infinity, which Python reads and JSON has not."""


def _no_constant(word: str) -> None:
    raise _Constant(word)


def _constant(text: str, begin: int) -> JsonUnreadable:
    match = next(match for match in _STRING_OR_CONSTANT.finditer(text, begin) if match[0][0] != '"')
    if match[0][0] == "-":
        return _invalid("I", "in numeric literal", match.start() + 1)
    return _invalid(match[0][0], "looking for beginning of value", match.start())


def _finite(digits: str) -> float:
    if abs(number := float(digits)) == float("inf"):
        raise JsonUnreadable(f"json: cannot unmarshal number {digits} into Go value of type float64")
    return number


def _whole_number(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise JsonUnreadable(
            f"json: cannot unmarshal number {digits[:_MOST_DIGITS]}... into Go value of type float64"
        )
    return int(digits)


_DECODER = json.JSONDecoder(parse_float=_finite, parse_int=_whole_number, parse_constant=_no_constant)


def _in_go_words(error: json.JSONDecodeError) -> JsonUnreadable:
    text, at = error.doc, error.pos
    if error.msg.startswith("Unterminated string"):
        at = len(text)
    if error.msg.startswith("Invalid \\"):
        return _invalid_escape(text, at)
    if at >= len(text):
        return JsonUnreadable("unexpected end of JSON input")
    if text[at] == "-" and error.msg == "Expecting value":
        return _invalid(text[at + 1], "in numeric literal", at + 1) if text[at + 1 :] else _ended()
    expected = _EXPECTED.get(error.msg) or f"after {_enclosing(text, at)}"
    return _invalid(text[at], expected, at)


def _invalid_escape(text: str, at: int) -> JsonUnreadable:
    at = text.index("\\", at - 1 if at and text[at : at + 1] != "\\" else at) + 1
    if text[at : at + 1] != "u":
        return _invalid(text[at], "in string escape code", at)
    at += 1
    while text[at : at + 1] and text[at] in "0123456789abcdefABCDEF":
        at += 1
    return _invalid(text[at], r"in \u hexadecimal character escape", at) if text[at:] else _ended()


def _ended() -> JsonUnreadable:
    return JsonUnreadable("unexpected end of JSON input")


def _enclosing(text: str, at: int) -> str:
    opened: list[str] = []
    for match in _TOKEN.finditer(text, max(0, at - _LOOKED_BACK), at):
        if match[0] in "[{":
            opened.append(match[0])
        elif match[0] in "]}" and opened:
            opened.pop()
    return "array element" if opened and opened[-1] == "[" else "object key:value pair"


def _invalid(character: str, where: str, at: int) -> JsonUnreadable:
    shown = {"'": r"'\''", '"': "'\"'"}.get(character) or f"'{_quoted(character)}'"
    return JsonUnreadable(f"invalid character {shown} {where}", at + 1)


def _quoted(character: str) -> str:
    short = {"\n": r"\n", "\r": r"\r", "\t": r"\t", "\\": r"\\"}
    return short.get(character) or (character if character >= " " else f"\\x{ord(character):02x}")


def _too_deep(character: str) -> JsonUnreadable:
    return JsonUnreadable(f"invalid character '{character}' exceeded max depth")
