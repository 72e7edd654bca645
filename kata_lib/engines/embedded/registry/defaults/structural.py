"""The defaults in a custom resource's schema."""

import copy
from typing import Any

from kata_lib.cluster import documents
from kata_lib.engines.embedded.registry.metadata import MAX_VALUES
from kata_lib.engines.embedded.registry.schemas import Schema
from kata_lib.engines.embedded.registry.status import too_many_values


def fill(schema: Schema, value: Any) -> None:
    """Fill in, in place, what is not given and has a default; null counts as not given unless it is allowed.

    Afterwards a field that may not be null is not there at all. Twice is as good as once. Raises StatusError
    413 where the defaults are more than an object may hold.
    """
    _Filling().fill(schema, value)


class _Filling:
    def __init__(self) -> None:
        self._left = MAX_VALUES

    def fill(self, schema: Schema, value: Any) -> None:
        if isinstance(value, dict):
            for name, child in schema.properties.items():
                if child.default is not None and (name not in value or _no_null(child, value[name])):
                    value[name] = self._copy(child.default)
            for name in list(value):
                known = schema.child(name)
                if known is None:
                    continue
                if _no_null(known, value[name]):
                    if known.default is None:
                        del value[name]
                        continue
                    value[name] = self._copy(known.default)
                self.fill(known, value[name])
        elif isinstance(value, list) and schema.items:
            for position, item in enumerate(value):
                if _no_null(schema.items, item) and schema.items.default is not None:
                    value[position] = self._copy(schema.items.default)
                self.fill(schema.items, value[position])

    def _copy(self, default: Any) -> Any:
        self._left -= documents.count(default)
        if self._left < 0:
            raise too_many_values(MAX_VALUES)
        return copy.deepcopy(default)


def _no_null(schema: Schema, value: Any) -> bool:
    return value is None and not schema.nullable
