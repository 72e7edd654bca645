"""What Istio's own validation refuses although the API server's schema lets it through, in Istio's words."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from kata_lib.engines.embedded.store import Obj

_Value = Mapping[str, Any]

_DIRECT = "directResponse"
_EXCLUSIVE = (
    ("route", "redirect"),
    ("fault", "redirect"),
    ("rewrite", "redirect"),
    ("route", _DIRECT),
    ("fault", _DIRECT),
    ("rewrite", _DIRECT),
    ("redirect", _DIRECT),
    ("mirror", "mirrors"),
)
_NOT_IN_RE2 = re.compile(r"\\.|(\(\?(?:[=!>(#]|<[=!]|P=))")
_BACK_REFERENCE = re.compile(r"\\(?:([1-9])|.)")


def mistakes(resource: str, obj: Obj) -> list[str]:
    """Return what makes no sense in a VirtualService; of the other kinds the schema sees everything."""
    if resource != "virtualservices":
        return []
    return [text for rule in obj.get("spec", {}).get("http", []) for text in _of_rule(rule)]


def _of_rule(rule: _Value) -> Iterator[str]:
    if not any(field in rule for field in ("route", "redirect", "directResponse", "delegate")):
        yield "HTTP route, redirect or direct_response is required"
    yield from _conflicts(rule)
    yield from _of_parts(rule)
    for changed in (rule, *rule.get("route", [])):
        yield from _of_headers(changed.get("headers", {}))
    weights = [destination.get("weight", 0) for destination in rule.get("route", [])]
    yield from (f"weight {weight} < 0" for weight in weights if weight < 0)
    if len(weights) > 1 and sum(weights) == 0:
        yield "total destination weight = 0"
    for percent in _percentages(rule):
        if percent != 0 and not 0.0001 <= percent <= 100:
            yield f"percentage {percent:g} is neither 0.0, nor in range [0.0001, 100.0]"
    for condition in rule.get("match", []):
        for name, expression in _expressions(condition):
            yield from _of_expression(name, expression)


def _conflicts(rule: _Value) -> Iterator[str]:
    for one, other in _EXCLUSIVE:
        if one in rule and other in rule:
            name = "direct_response" if other == _DIRECT else other
            yield f"HTTP route cannot contain both {one} and {name}"
    if "delegate" in rule:
        for field in ("route", "redirect", _DIRECT):
            if field in rule:
                yield f"root HTTP route {rule.get('name', '')} must not specify {field}"


def _of_parts(rule: _Value) -> Iterator[str]:
    """Look at the fields of which some, together or alone, come to nothing that Envoy takes."""
    rewrite, fault, retries = rule.get("rewrite"), rule.get("fault"), rule.get("retries", {})
    if rewrite is not None:
        if "uri" in rewrite and "uriRegexRewrite" in rewrite:
            yield "rewrite may only contain one of URI or UriRegexRewrite"
        if not any(rewrite.get(field) for field in ("uri", "uriRegexRewrite", "authority")):
            yield "rewrite must specify at least one of URI, UriRegexRewrite, or authority"
        if regex := rewrite.get("uriRegexRewrite"):
            yield from _of_expression("HTTPRewrite.UriRegexRewrite.Match", regex.get("match", ""))
    if fault is not None:
        if "abort" not in fault and "delay" not in fault:
            yield "HTTP fault injection must have an abort and/or a delay"
        if "abort" in fault and "httpStatus" not in fault["abort"]:
            yield "abort configured, but error type not set"
        if "delay" in fault and "fixedDelay" not in fault["delay"]:
            yield "delay configured, but fixedDelay not set"
    for answer, field in ((fault or {}).get("abort", {}), "httpStatus"), (rule.get(_DIRECT, {}), "status"):
        if not 200 <= answer.get(field, 200) <= 599:
            yield f"HTTP status {answer[field]} is not in range 200-599"
    if retries.get("attempts", 0) < 0:
        yield "attempts cannot be negative"
    if not retries.get("attempts") and ("perTryTimeout" in retries or retries.get("retryOn")):
        yield "http retry policy configured when attempts are set to 0 (disabled)"


def _of_headers(headers: _Value) -> Iterator[str]:
    for operations in headers.values():
        changed = {**operations.get("set", {}), **operations.get("add", {})}
        for name in (*changed, *operations.get("remove", [])):
            if name.startswith(":") or name.lower() == "host":
                yield f'header "{name}" cannot be changed here; rewrite.authority changes the host'
        if any(value.count("%") % 2 for value in changed.values()):
            yield "single % not allowed.  Escape by doubling to %% or encase Envoy variable name in pair of %"


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
        wrong = _only_in_python(expression)
    except re.error as error:
        wrong = _in_words_of_re2(error)
    if wrong:
        yield (
            f'"{name}": error parsing regexp: {wrong}; '
            "Istio uses RE2 style regex-based match (https://github.com/google/re2/wiki/Syntax)"
        )


def _only_in_python(expression: str) -> str | None:
    for found in _NOT_IN_RE2.finditer(expression):
        if found[1]:
            return f"invalid or unsupported Perl syntax: `{found[1]}`"
    for found in _BACK_REFERENCE.finditer(expression):
        if found[1]:
            return f"invalid escape sequence: `{found[0]}`"
    return None


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
