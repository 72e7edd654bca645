"""Lists in a custom resource whose items are told apart by value or by keys, and objects of the API in it."""

from collections.abc import Iterator
from typing import Any

from kata_lib.engines.embedded.registry import names
from kata_lib.engines.embedded.registry.schemas import Schema
from kata_lib.engines.embedded.registry.status import Cause
from kata_lib.engines.embedded.registry.validation.causes import duplicate, invalid, required


def check(schema: Schema, value: Any, path: str = "") -> Iterator[Cause]:
    """Return which items are there twice, and which objects do not say what they are."""
    if isinstance(value, list) and schema.items:
        yield from _duplicates(schema, value, path)
        for position, item in enumerate(value):
            yield from check(schema.items, item, f"{path}[{position}]")
    elif isinstance(value, dict):
        if schema.embedded:
            yield from _embedded(value, path)
        for name, item in value.items():
            if (child := schema.child(name)) and (path or name != "metadata"):
                yield from check(child, item, f"{path}.{name}" if path else name)


def _duplicates(schema: Schema, value: list[Any], path: str) -> Iterator[Cause]:
    seen: list[Any] = []
    for position, item in enumerate(value):
        if schema.list_type == "map" and isinstance(item, dict):
            item = {key: item[key] for key in schema.keys if key in item}
        elif schema.list_type != "set":
            return
        if item in seen:
            yield duplicate(f"{path}[{position}]", item)
        seen.append(item)


def _embedded(value: dict[str, Any], path: str) -> Iterator[Cause]:
    version, kind = value.get("apiVersion"), value.get("kind")
    if not version:
        yield required(f"{path}.apiVersion")
    elif isinstance(version, str) and version.count("/") > 1:
        yield invalid(f"{path}.apiVersion", version, f"unexpected GroupVersion string: {version}")
    if not kind:
        yield required(f"{path}.kind")
    elif isinstance(kind, str) and (wrong := ",".join(names.dns_1035_label(kind.lower()))):
        yield invalid(f"{path}.kind", kind, f"may have mixed case, but should otherwise match: {wrong}")
