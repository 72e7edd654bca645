"""What a scalar of YAML means to go-yaml v2 (resolve.go): its text and its tag go in, its value comes out.

`12:30:00` and `2020-01-01` are strings. Whole numbers are written as in Go (`0123`, `0o17`, `0x1F`, `0b11`),
`08` is a float, and `y` and `n` are booleans.
"""

import base64
import binascii
import re
from datetime import date

from kata_lib.cluster.documents.words import Unreadable

Scalar = str | bytes | int | float | bool | None

_LONG = "tag:yaml.org,2002:"
_RESOLVED = tuple(_LONG + word for word in ("str", "bool", "int", "float", "null", "timestamp"))
_SPELT: dict[bool | None, str] = {
    True: "y Y yes Yes YES true True TRUE on On ON",
    False: "n N no No NO false False FALSE off Off OFF",
    None: "~ null Null NULL",
}
_WORDS: dict[str, tuple[str, Scalar]] = {
    "": ("null", None),
    **{
        text: ("null" if meaning is None else "bool", meaning)
        for meaning, texts in _SPELT.items()
        for text in texts.split()
    },
    **dict.fromkeys((".nan", ".NaN", ".NAN"), ("float", float("nan"))),
    **{sign + text: ("float", float("inf")) for sign in ("", "+") for text in (".inf", ".Inf", ".INF")},
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), ("float", float("-inf"))),
}
_INTEGER = re.compile(r"([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))")
_BASES = (16, 2, 8, 10)
_SIGNED_BINARY = re.compile(r"(-?)0b([-+]?[01]+)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_POINT_FIRST = re.compile(r"\.[0-9]+(_[0-9]+)*([eE][-+]?[0-9]+)?")
_CLOCK = r"(?:[01]?[0-9]|2[0-3]):[0-5]?[0-9]:[0-5]?[0-9](?:[.,][0-9]+)?"
_TIMESTAMP = re.compile(
    rf"([0-9]{{4}})-([0-9]{{1,2}})-([0-9]{{1,2}})(?:[Tt]{_CLOCK}(?:Z|[-+][0-9]{{2}}:[0-9]{{2}})| {_CLOCK})?"
)
_LEAST, _MOST, _MOST_UNSIGNED = -(2**63), 2**63 - 1, 2**64 - 1


def value_of(text: str, tag: str, *, plain: bool) -> Scalar:
    """Return what a scalar means, bytes for a !!binary; raise Unreadable where its tag does not fit its text.

    tag: the long form, empty where the scalar has none. plain: neither in quotes nor a block.
    """
    if not tag and not plain:
        return text
    if tag == _LONG + "binary":
        return _binary(text)
    if (tag and tag not in _RESOLVED) or tag == _LONG + "str":
        return text
    wanted = tag.removeprefix(_LONG)
    found, value = _resolve(text, wanted)
    if wanted == "float" and found == "int" and isinstance(value, int) and value <= _MOST:
        return float(value)
    if wanted not in ("", found):
        raise Unreadable(f"yaml: cannot decode !!{found} `{text}` as a !!{wanted}")
    return value


def _binary(text: str) -> bytes:
    try:
        return base64.b64decode(text.replace("\n", "").replace("\r", ""), validate=True)
    except (binascii.Error, ValueError):
        raise Unreadable("yaml: !!binary value contains invalid base64 data") from None


def _resolve(text: str, wanted: str) -> tuple[str, Scalar]:
    """Return the short tag and the value that a plain scalar's text has."""
    if known := _WORDS.get(text):
        return known
    if text[0] == ".":
        return ("float", float(text)) if _POINT_FIRST.fullmatch(text) else ("str", text)
    if text[0] not in "+-0123456789":
        return "str", text
    if wanted in ("", "timestamp") and _is_timestamp(text):
        return "timestamp", text
    return _number(text.replace("_", "")) or ("str", text)


def _number(text: str) -> tuple[str, Scalar] | None:
    """Return a whole number of 64 bits or a finite float, None where the text is neither."""
    if match := _INTEGER.fullmatch(text):
        digits, base = next(pair for pair in zip(match.groups()[1:], _BASES, strict=True) if pair[0])
        whole = int(match[1] + digits, base) if len(digits) <= 64 else _MOST_UNSIGNED + 1
        if _LEAST <= whole <= (_MOST_UNSIGNED if not match[1] else _MOST):
            return "int", whole
    if _FLOAT.fullmatch(text) and abs(number := float(text)) != float("inf"):
        return "float", number
    if match := _SIGNED_BINARY.fullmatch(text):
        return _signed_binary(match[1] + match[2])
    return None


def _signed_binary(digits: str) -> tuple[str, Scalar] | None:
    if digits[:2] in ("--", "-+"):
        return None
    whole = int(digits, 2)
    return ("int", whole) if _LEAST <= whole <= (_MOST if digits[0] in "+-" else _MOST_UNSIGNED) else None


def _is_timestamp(text: str) -> bool:
    if not (match := _TIMESTAMP.fullmatch(text)):
        return False
    year, month, day = map(int, match.groups())
    try:
        return bool(date(year or 2000, month, day))  # the year 0, which Go knows, was a leap year
    except ValueError:
        return False
