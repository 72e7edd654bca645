"""The numbers of replicas in a custom resource, where the subresource `scale` finds them."""

from collections.abc import Iterator
from typing import Any

from kata_lib.engines.embedded.registry.decoding_words import go_text
from kata_lib.engines.embedded.registry.resources import Resource
from kata_lib.engines.embedded.registry.status import Cause
from kata_lib.engines.embedded.registry.validation.causes import invalid
from kata_lib.engines.embedded.store import Obj

_GO_TYPES = {dict: "map[string]interface {}", list: "[]interface {}", str: "string", bool: "bool"}


def check(kind: Resource, obj: Obj, *, status: bool = False) -> Iterator[Cause]:
    """Return what is wrong with the replicas that are wanted, or with those in the status."""
    if kind.scale is None:
        return
    path = kind.scale.found if status else kind.scale.wanted
    yield from _number(f".{path}", path.split("."), obj)


def _number(path: str, names: list[str], obj: Obj) -> Iterator[Cause]:
    value: Any = obj
    for name in names:
        if not isinstance(value, dict):
            yield _not(path, value, "map[string]interface{}")
            return
        value = value.get(name)
        if value is None:
            return
    if not isinstance(value, int) or isinstance(value, bool):
        yield _not(path, value, "int64")
    elif value < 0:
        yield invalid(path, value, "should be a non-negative integer")


def _not(path: str, value: Any, wanted: str) -> Cause:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    found = ("int64" if isinstance(value, int) else "float64") if is_number else _GO_TYPES[type(value)]
    why = f"{path} accessor error: {go_text(value)} is of the type {found}, expected {wanted}"
    return invalid(path, 0, why)
