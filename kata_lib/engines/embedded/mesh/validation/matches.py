"""The conditions of a rule: texts that are to match, ports, labels and gateways that are to hold."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kata_lib.engines.embedded.mesh.validation import headers, names
from kata_lib.engines.embedded.mesh.validation.expressions import expression

_Value = Mapping[str, Any]


def problems(conditions: Sequence[_Value | None]) -> Iterator[str]:
    """Return what is wrong with the list `match` of a rule."""
    found = [condition for condition in conditions if condition]
    for condition in found:
        yield from _texts(condition)
    for condition in found:
        if condition.get("port"):
            yield from names.port(condition["port"])
        yield from names.labels(condition.get("sourceLabels", {}))
        yield from names.gateways(condition.get("gateways", ()))
        namespace = condition.get("sourceNamespace", "")
        if namespace and not names.is_label(namespace):
            yield f"sourceNamespace match {namespace} is invalid"


def _texts(condition: _Value) -> Iterator[str]:
    for name, wanted in condition.get("headers", {}).items():
        if wanted is None:
            yield f"header match {name} cannot be null"
        yield from headers.matched_name(name)
        yield from _text("headers", wanted)
    for name, wanted in condition.get("withoutHeaders", {}).items():
        yield from headers.matched_name(name)
        if (wanted or {}).get("regex") != "*":
            yield from _text("withoutHeaders", wanted)
    if "regex" in condition.get("uri", {}):
        yield from expression("uri", condition["uri"]["regex"])
    for field in ("scheme", "method", "authority"):
        yield from _text(field, condition.get(field))
    for wanted in condition.get("queryParams", {}).values():
        yield from _text("queryParams", wanted)


def _text(field: str, wanted: _Value | None) -> Iterator[str]:
    wanted = wanted or {}
    if wanted.get("prefix") == "":
        yield f'"{field}": prefix string match should not be empty'
    if "regex" in wanted:
        yield from expression(field, wanted["regex"])
