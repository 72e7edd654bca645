"""Durations in Go's syntax, such as 1m30s or 250ms, which Kubernetes, Istio and Argo Rollouts write."""

import re
from decimal import Decimal

UNITS = {
    "h": Decimal(3600),
    "m": Decimal(60),
    "s": Decimal(1),
    "ms": Decimal("1e-3"),
    "us": Decimal("1e-6"),
    "µs": Decimal("1e-6"),
    "ns": Decimal("1e-9"),
}
"""Seconds in each unit."""

_NUMBER = re.compile(r"[0-9]*\.?[0-9]*")
_UNIT = re.compile(r"[^0-9.]*")


def seconds(text: str) -> Decimal:
    """Return the seconds of a duration; raise ValueError with the words of Go's time.ParseDuration."""
    rest, total = _unsigned(text), Decimal(0)
    if not rest:
        raise ValueError(f'invalid duration "{text}"')
    if rest == "0":
        return total
    while rest:
        number, unit, rest = _part(rest, text)
        total += number * unit
    return -total if text.startswith("-") else total


def _unsigned(text: str) -> str:
    return text[1:] if text.startswith(("-", "+")) else text


def _part(rest: str, text: str) -> tuple[Decimal, Decimal, str]:
    """Return the first number, the seconds of its unit, and what follows."""
    number = _NUMBER.match(rest)
    if not number or not number[0].strip("."):
        raise ValueError(f'invalid duration "{text}"')
    unit = _UNIT.match(rest, number.end())
    if not unit or not unit[0]:
        raise ValueError(f'missing unit in duration "{text}"')
    if unit[0] not in UNITS:
        raise ValueError(f'unknown unit "{unit[0]}" in duration "{text}"')
    return Decimal(number[0]), UNITS[unit[0]], rest[unit.end() :]
