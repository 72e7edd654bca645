"""Durations that the schema does not look at: texts that Go's parser cannot read."""

from collections.abc import Iterator
from typing import Any

from kata_lib.cluster.durations import seconds

_UNCHECKED = frozenset({"ttl", "idleTimeout", "budgetInterval"})


def undecodable(value: Any, name: str = "") -> Iterator[str]:
    """Return why each duration in a specification that has no rule in its schema is none."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from undecodable(item, key)
    elif isinstance(value, list):
        for item in value:
            yield from undecodable(item)
    elif name in _UNCHECKED and isinstance(value, str):
        try:
            seconds(value)
        except ValueError as why:
            yield f"bad Duration: time: {why}"
