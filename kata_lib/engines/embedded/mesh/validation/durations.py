"""Durations that the schema does not look at: texts that Go's parser cannot read."""

import re
from collections.abc import Iterator
from typing import Any

_UNCHECKED = frozenset({"ttl", "idleTimeout", "budgetInterval"})
_NUMBER = re.compile(r"[0-9]*\.?[0-9]*")
_UNITS = frozenset({"ns", "us", "µs", "ms", "s", "m", "h"})


def undecodable(value: Any, name: str = "") -> Iterator[str]:
    """Return why each duration in a specification that has no rule in its schema is none."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from undecodable(item, key)
    elif isinstance(value, list):
        for item in value:
            yield from undecodable(item)
    elif name in _UNCHECKED and isinstance(value, str) and (why := _unreadable(value)):
        yield f"bad Duration: time: {why}"


def _unreadable(text: str) -> str:
    rest = text.removeprefix("-").removeprefix("+")
    if rest == "0":
        return ""
    if not rest:
        return f'invalid duration "{text}"'
    while rest:
        number = _NUMBER.match(rest)
        if not number or not number[0].strip("."):
            return f'invalid duration "{text}"'
        rest = rest[number.end() :]
        unit = re.match(r"[^0-9.]*", rest)
        if not unit or not unit[0]:
            return f'missing unit in duration "{text}"'
        if unit[0] not in _UNITS:
            return f'unknown unit "{unit[0]}" in duration "{text}"'
        rest = rest[unit.end() :]
    return ""
