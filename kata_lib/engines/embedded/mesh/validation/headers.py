"""Names of headers, and the operations on them: what may be set, added and removed."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

_NAME = re.compile(r"[!#$%&'*+\-.^_`|~A-Za-z0-9]+")
_VALUE = re.compile("[^\x00-\x08\x0a-\x1f\x7f]*")
_PSEUDO = frozenset({":method", ":scheme", ":authority", ":path", ":status"})

_INVALID = "invalid header configuration."


def problems(operations: Mapping[str, Any]) -> Iterator[str]:
    """Return what is wrong with the field `headers` of a rule or of a destination."""
    request, response = operations.get("request", {}), operations.get("response", {})
    for field in ("add", "set"):
        for header, value in request.get(field, {}).items():
            yield from _changed(header, authority=True)
            yield from _value(value)
    for header in request.get("remove", ()):
        yield from _changed(header)
    for field in ("add", "set"):
        for header, value in response.get(field, {}).items():
            yield from _changed(header)
            yield from _value(value)
    for header in response.get("remove", ()):
        yield from _changed(header)


def name(header: str) -> Iterator[str]:
    """Return what is wrong with the name of a header."""
    if not header:
        yield "header name cannot be empty"
    elif not _NAME.fullmatch(header):
        yield f"header name {header} is not a valid header name"


def matched_name(header: str) -> Iterator[str]:
    """Return what is wrong with the name of a header that is matched, which may be one of HTTP/2's own."""
    return name("" if not header else header.removeprefix(":") if header in _PSEUDO else header)


def _changed(header: str, *, authority: bool = False) -> Iterator[str]:
    """Check the name of a header that is changed; with `authority`, the host's name may be one."""
    if not header:
        yield "header name cannot be empty"
    elif authority and header.lower() in (":authority", "host"):
        return
    elif header.lower() == "host":
        yield f'invalid header "{header}": cannot set Host header'
    elif header.startswith(":"):
        yield f'invalid header "{header}": header cannot have ":" prefix'


def _value(value: str) -> Iterator[str]:
    if not _VALUE.fullmatch(value):
        yield f"header value configuration {value} is invalid"
    elif why := _unreadable(value):
        yield f"header value configuration: {why}"


def _unreadable(value: str) -> str:
    """Return why Envoy cannot read the %VARIABLES% in a header's value."""
    rest = value
    while "%" in rest:
        rest = rest[rest.index("%") + 1 :]
        if not rest:
            return f"{_INVALID} Un-escaped %"
        if rest.startswith("%"):
            rest = rest[1:]
            continue
        end = re.match(r"[^%(]*(?:\((?:[^)\\]|\\.)*\) *)?%", rest)
        if not end:
            return f"{_INVALID} Un-terminated variable expression '{value}'"
        rest = rest[end.end() :]
    return ""
