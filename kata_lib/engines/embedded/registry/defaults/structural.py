"""The defaults in a custom resource's schema."""

import copy
from typing import Any

from kata_lib.engines.embedded.registry.schemas import Schema


def fill(schema: Schema, value: Any) -> None:
    """Fill in, in place, what is not given and has a default; null counts as not given unless it is allowed.

    Afterwards a field that may not be null is not there at all. Twice is as good as once.
    """
    if isinstance(value, dict):
        for name, child in schema.properties.items():
            if child.default is not None and (name not in value or _no_null(child, value[name])):
                value[name] = copy.deepcopy(child.default)
        for name in list(value):
            known = schema.child(name)
            if known is None:
                continue
            if _no_null(known, value[name]):
                if known.default is None:
                    del value[name]
                    continue
                value[name] = copy.deepcopy(known.default)
            fill(known, value[name])
    elif isinstance(value, list) and schema.items:
        for position, item in enumerate(value):
            if _no_null(schema.items, item) and schema.items.default is not None:
                value[position] = copy.deepcopy(schema.items.default)
            fill(schema.items, value[position])


def _no_null(schema: Schema, value: Any) -> bool:
    return value is None and not schema.nullable
