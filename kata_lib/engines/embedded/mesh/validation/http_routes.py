"""One rule of a VirtualService's `http`: what excludes what, and each of its fields."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kata_lib.engines.embedded.mesh.validation import headers, matches, names
from kata_lib.engines.embedded.mesh.validation.expressions import expression
from kata_lib.engines.embedded.mesh.validation.problems import Listed

_Value = Mapping[str, Any]

_CORS_METHODS = frozenset(
    {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE", "*"}
)
_RETRY_ON = frozenset(
    {
        *("5xx", "gateway-error", "reset", "reset-before-request", "connect-failure", "retriable-4xx"),
        *("refused-stream", "retriable-status-codes", "retriable-headers", "envoy-ratelimited"),
        *("http3-post-connect-failure", "cancelled", "deadline-exceeded", "internal"),
        *("resource-exhausted", "unavailable"),
    }
)
_STATUS_CODES = frozenset(
    {
        *(*range(100, 104), *range(200, 209), 226, *range(300, 306), 307, 308),
        *(*range(400, 419), *range(421, 427), 428, 429, 431, 451),
        *(*range(500, 509), 510, 511),
    }
)
_LARGE = 1024 * 1024


def problems(rule: _Value, *, delegated: bool) -> Iterator[str]:
    """Return what is wrong with a rule; `delegated` is one of a VirtualService without hosts."""
    yield from _conflicts(rule, delegated=delegated)
    yield from matches.problems(rule.get("match") or ())
    yield from headers.problems(rule.get("headers", {}))
    yield from _cors(rule.get("corsPolicy", {}))
    yield from _fault(rule.get("fault"))
    yield from _mirrors(rule)
    if "redirect" in rule:
        yield from _redirect(rule["redirect"])
    if "directResponse" in rule:
        yield from _direct_response(rule["directResponse"])
    yield from _retries(rule.get("retries", {}))
    if "rewrite" in rule:
        yield from _rewrite(rule["rewrite"])
    yield from route(rule.get("route") or ())


def _conflicts(rule: _Value, *, delegated: bool) -> Iterator[str]:
    if "delegate" in rule and not delegated:
        for field in ("redirect", "route"):
            if field in rule:
                yield f"root HTTP route {rule.get('name', '')} must not specify {field}"
        return
    if "delegate" in rule:
        yield "delegate HTTP route cannot contain delegate"
    for field, name in (("redirect", "redirect"), ("directResponse", "direct_response")):
        if field in rule:
            yield from _excluded(rule, name)
            break
    else:
        if not rule.get("route"):
            yield "HTTP route, redirect or direct_response is required"
    if "mirror" in rule and rule.get("mirrors"):
        yield "HTTP route cannot contain both mirror and mirrors"


def _excluded(rule: _Value, name: str) -> Iterator[str]:
    if rule.get("route"):
        yield f"HTTP route cannot contain both route and {name}"
    if "fault" in rule:
        yield f"HTTP route cannot contain both fault and {name}"
    if "rewrite" in rule:
        yield f"HTTP route rule cannot contain both rewrite and {name}"
    if name == "redirect" and "directResponse" in rule:
        yield "HTTP route rule cannot contain both direct_response and redirect"


def _cors(policy: _Value) -> Iterator[str]:
    for origin in policy.get("allowOrigins", ()):
        found = next(iter(origin.values()), "")
        if not found:
            yield f"'{found}' is not a valid match type for CORS allow origins"
        elif "regex" in origin:
            yield from expression("corsPolicy.allowOrigins", origin["regex"])
    for method in policy.get("allowMethods", ()):
        if method not in _CORS_METHODS:
            yield f'"{method}" is not a supported HTTP method'
    for field in ("allowHeaders", "exposeHeaders"):
        for name in policy.get(field, ()):
            if name != "*":
                yield from headers.name(name)


def _fault(fault: _Value | None) -> Iterator[str]:
    if fault is None:
        return
    if "abort" not in fault and "delay" not in fault:
        yield Listed("HTTP fault injection must have an abort and/or a delay")
    abort, delay = fault.get("abort", {}), fault.get("delay", {})
    yield from _percentage(abort)
    if "httpStatus" in abort:
        yield from _status(abort["httpStatus"])
    yield from _percentage(delay)


def _percentage(part: _Value) -> Iterator[str]:
    share = (part.get("percentage") or {}).get("value", 0)
    if share != 0 and not 0.0001 <= share <= 100:
        yield f"percentage {share:g} is neither 0.0, nor in range [0.0001, 100.0]"


def _status(code: int) -> Iterator[str]:
    if not 200 <= code <= 600:
        yield f"HTTP status {code} is not in range 200-599"


def _mirrors(rule: _Value) -> Iterator[str]:
    yield from _mirrored("mirror_percentage", rule.get("mirrorPercentage"))
    if "mirror" in rule:
        yield from names.destination(rule["mirror"])
    for mirror in rule.get("mirrors", ()):
        if "destination" not in mirror:
            yield "destination is required for mirrors"
            continue
        yield from names.destination(mirror["destination"])
        yield from _mirrored("mirror percentage", mirror.get("percentage"))


def _mirrored(field: str, share: _Value | None) -> Iterator[str]:
    value = (share or {}).get("value", 0)
    if value > 100:
        yield f"{field} must have a max value of 100 (it has {value:f})"
    if value < 0:
        yield f"{field} must have a min value of 0 (it has {value:f})"


def _redirect(redirect: _Value) -> Iterator[str]:
    fields = ("uri", "authority", "scheme", "port", "derivePort", "prefixRewrite")
    code, scheme = redirect.get("redirectCode", 0), redirect.get("scheme", "")
    if redirect.get("uri") and redirect.get("prefixRewrite"):
        yield "redirect may only specify one of uri or prefix_rewrite"
    elif not any(redirect.get(field) for field in fields):
        yield "redirect must specify URI, authority, scheme, or port"
    elif code and not 300 <= code <= 399:
        yield f"{code} is not a valid redirect code, must be 3xx"
    elif scheme not in ("", "http", "https"):
        yield 'invalid redirect scheme, must be "http" or "https"'
    elif redirect.get("port"):
        yield from names.port(redirect["port"])


def _direct_response(answer: _Value) -> Iterator[str]:
    body = answer.get("body", {})
    if len(body.get("string", body.get("bytes", "")).encode()) > _LARGE:
        yield "large direct_responses may impact control plane performance, must be less than 1MB"
    yield from _status(answer.get("status", 0))


def _retries(retries: _Value) -> Iterator[str]:
    attempts, retry_on = retries.get("attempts", 0), retries.get("retryOn", "")
    if attempts < 0:
        yield Listed("attempts cannot be negative")
    if not attempts and ("perTryTimeout" in retries or retry_on or "retryRemoteLocalities" in retries):
        yield "http retry policy configured when attempts are set to 0 (disabled)"
    for policy in retry_on.split(",") if retry_on else ():
        if policy not in _RETRY_ON and not (policy.isdigit() and int(policy) in _STATUS_CODES):
            yield f'"{policy}" is not a valid retryOn policy'


def _rewrite(rewrite: _Value) -> Iterator[str]:
    regex = rewrite.get("uriRegexRewrite")
    if rewrite.get("uri") and regex is not None:
        yield "rewrite may only contain one of URI or UriRegexRewrite"
    elif not rewrite.get("uri") and regex is None and not rewrite.get("authority"):
        only_one = "Only one of URI or UriRegexRewrite may be specified"
        yield f"rewrite must specify at least one of URI, UriRegexRewrite, or authority. {only_one}"
    elif regex is not None:
        wrong = ["UriRegexRewrite requires both Rewrite and Match fields to be specified"]
        if regex.get("match") and regex.get("rewrite"):
            wrong = list(expression("HTTPRewrite.UriRegexRewrite.Match", regex["match"]))
        yield from (f"UriRegexRewrite has errors\n{why}" for why in wrong)


def route(destinations: Sequence[_Value]) -> Iterator[str]:
    """Return what is wrong with the destinations of a rule, and with their weights."""
    weights = [destination.get("weight", 0) for destination in destinations]
    for destination in destinations:
        yield from headers.problems(destination.get("headers", {}))
        yield from names.destination(destination.get("destination", {}))
        if destination.get("weight", 0) < 0:
            yield f"weight {destination['weight']} < 0"
    if len(weights) > 1 and sum(weights) == 0:
        yield "total destination weight = 0"
