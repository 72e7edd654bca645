"""Fields of a plan: what YAML says goes in; checked values come out, or a ReleaseError with their name."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from kata_lib.cluster import durations
from kata_lib.errors import ReleaseError

_NUMBER = re.compile(r"\d+(\.\d+)?")


def fields(given: Any, what: str, needed: Collection[str], others: Collection[str] = ()) -> dict[str, Any]:
    """Return an object with the fields that are needed, and no others than those known."""
    if not isinstance(given, Mapping):
        raise ReleaseError(f"Expected fields in {what} ({', '.join((*needed, *others))}), found {given!r}.")
    for name in given:
        choice(name, f"a field of {what}", (*needed, *others))
    if missing := [name for name in needed if name not in given]:
        raise ReleaseError(f"{what} lacks {', '.join(missing)}.")
    return dict(given)


def choice(value: Any, what: str, known: Collection[str]) -> str:
    """Return one of the known words."""
    if value not in known:
        raise ReleaseError(f"Expected {what} to be one of {', '.join(known)}; found {value!r}.")
    return str(value)


def text(value: Any, what: str) -> str:
    """Return a word."""
    if not isinstance(value, str) or not value:
        raise ReleaseError(f"Expected a word for {what}, found {value!r}.")
    return value


def whole(value: Any, what: str, most: int | None = None) -> int:
    """Return a whole number from 0 on."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 0 or (most and value > most):
        upwards = f"from 0 to {most}" if most else "from 0 on"
        raise ReleaseError(f"Expected a whole number {upwards} for {what}, found {value!r}.")
    return value


def number(value: Any, what: str) -> float:
    """Return a number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ReleaseError(f"Expected a number for {what}, found {value!r}.")
    return float(value)


def fraction(value: Any, what: str) -> float:
    """Return a number between 0 and 0.5, both excluded: a chance of being wrong."""
    found = number(value, what)
    if not 0 < found < 0.5:
        raise ReleaseError(
            f"Expected a fraction between 0 and 0.5 for {what}, such as 0.01, found {value!r}."
        )
    return found


def duration(value: Any, what: str) -> float:
    """Return seconds above 0 from 10, or from Go's "10s", "1m30s", "1h" or "500ms"."""
    written = f"{value}s" if _NUMBER.fullmatch(str(value)) else str(value)
    try:
        seconds = float(durations.seconds(written))
    except ValueError:
        seconds = 0.0
    if isinstance(value, bool) or seconds <= 0:
        raise ReleaseError(f"Expected a time for {what}, such as 30s, 5m or 500ms, found {value!r}.")
    return seconds
