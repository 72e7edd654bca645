"""What Istio's own validation refuses although the API server's schema lets it through, in Istio's words."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from kata_lib.engines.embedded.store import Obj

_Value = Mapping[str, Any]


def mistakes(resource: str, obj: Obj) -> list[str]:
    """Return what makes no sense in a VirtualService; of the other kinds the schema sees everything."""
    if resource != "virtualservices":
        return []
    return [text for rule in obj.get("spec", {}).get("http", []) for text in _of_rule(rule)]


def _of_rule(rule: _Value) -> Iterator[str]:
    if not any(field in rule for field in ("route", "redirect", "directResponse", "delegate")):
        yield "HTTP route, redirect or direct_response is required"
    weights = [destination.get("weight", 0) for destination in rule.get("route", [])]
    if len(weights) > 1 and sum(weights) == 0:
        yield "total destination weight = 0"
    for percent in _percentages(rule):
        if percent != 0 and not 0.0001 <= percent <= 100:
            yield f"percentage {percent:g} is neither 0.0, nor in range [0.0001, 100.0]"
    for condition in rule.get("match", []):
        for name, expression in _expressions(condition):
            yield from _of_expression(name, expression)


def _percentages(rule: _Value) -> Iterator[float]:
    fault = rule.get("fault", {})
    shares = [fault.get("delay", {}).get("percentage"), fault.get("abort", {}).get("percentage")]
    shares += [
        rule.get("mirrorPercentage"),
        *(mirror.get("percentage") for mirror in rule.get("mirrors", [])),
    ]
    for share in shares:
        yield (share or {}).get("value", 0)


def _expressions(condition: _Value) -> Iterator[tuple[str, str]]:
    for field in ("uri", "scheme", "method", "authority"):
        if "regex" in condition.get(field, {}):
            yield field, condition[field]["regex"]
    for field in ("headers", "withoutHeaders", "queryParams"):
        for name, wanted in condition.get(field, {}).items():
            if "regex" in (wanted or {}):
                yield f"{field}.{name}", wanted["regex"]


def _of_expression(name: str, expression: str) -> Iterator[str]:
    try:
        re.compile(expression)
    except re.error as error:
        yield (
            f'"{name}": error parsing regexp: {_in_words_of_re2(error)}; '
            "Istio uses RE2 style regex-based match (https://github.com/google/re2/wiki/Syntax)"
        )


def _in_words_of_re2(error: re.error) -> str:
    expression = str(error.pattern)
    rest = expression[error.pos or 0 :]
    match error.msg:
        case "unterminated character set":
            return f"missing closing ]: `{rest}`"
        case "missing ), unterminated subpattern":
            return f"missing closing ): `{expression}`"
        case "nothing to repeat":
            return f"missing argument to repetition operator: `{rest[:1]}`"
    return f"{error.msg}: `{expression}`"
