"""Which requests a route of Envoy's takes: a RouteMatch as its JSON says it and a request in, yes or no out.

After Envoy's own rules (https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/route/v3/route_components.proto,
RouteMatch, HeaderMatcher, QueryParameterMatcher). A condition that cannot be known from a request alone, such
as its certificate, counts as one that does not hold.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Match = Mapping[str, Any]
"""An envoy.config.route.v3.RouteMatch as JSON."""


@dataclass(frozen=True)
class Request:
    """What routes look at; names of headers in lower case, path without its query."""

    path: str = "/"
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    authority: str = ""

    @property
    def all_headers(self) -> Mapping[str, str]:
        """The headers and those that HTTP/2 makes of the request's first line."""
        first = {":method": self.method, ":path": self.path, ":authority": self.authority, ":scheme": "http"}
        return {**first, **self.headers}


PLAIN = Request()
"""A GET of / without headers of its own."""


def takes(match: Match, request: Request) -> bool:
    """Return whether a route with this match takes the request."""
    return all(_holds(key, match, request) for key in match)


def text(match: Match) -> str:
    """Return the match in words, such as `header x-tester is yes`."""
    words = [*_path_words(match), *map(_header_words, match.get("headers", []))]
    words += [f"query {_value_words(parameter)}" for parameter in match.get("query_parameters", [])]
    others = match.keys() - _PATHS.keys() - {"headers", "query_parameters", "case_sensitive"}
    return " and ".join([*words, *sorted(others)]) or "every request"


def fits(value: str, regex: str) -> bool:
    """Return whether a whole value fits a regular expression; none that only Envoy's RE2 knows does."""
    try:
        return re.fullmatch(regex, value) is not None
    except re.error:
        return False


def _holds(key: str, match: Match, request: Request) -> bool:
    if key in _PATHS:
        path, wanted = request.path, match[key]
        if key != "safe_regex" and not match.get("case_sensitive", True):
            path, wanted = path.lower(), wanted.lower()
        return _PATHS[key](path, wanted)
    match key:
        case "headers":
            return all(_header(wanted, request.all_headers) for wanted in match[key])
        case "query_parameters":
            return all(_value(wanted, request.query) for wanted in match[key])
        case _:
            return key == "case_sensitive"


def _header(wanted: Match, headers: Mapping[str, str]) -> bool:
    if wanted.get("treat_missing_header_as_empty"):
        headers = {wanted["name"].lower(): "", **headers}
    held = _value({**wanted, "name": wanted["name"].lower()}, headers)
    missing = "string_match" in wanted and wanted["name"].lower() not in headers
    return not missing and held != bool(wanted.get("invert_match"))


def _value(wanted: Match, values: Mapping[str, str]) -> bool:
    if "string_match" in wanted:
        value = values.get(wanted["name"])
        return value is not None and _string(wanted["string_match"], value)
    return (wanted["name"] in values) == bool(wanted.get("present_match", True))


def _string(wanted: Match, value: str) -> bool:
    fold = str.lower if wanted.get("ignore_case") else str
    return any(_STRINGS[how](fold(value), _folded(wanted[how], fold)) for how in wanted if how in _STRINGS)


def _folded(wanted: Any, fold: Callable[[str], str]) -> Any:
    return fold(wanted) if isinstance(wanted, str) else wanted


def _fits_regex(value: str, wanted: Match) -> bool:
    return fits(value, wanted["regex"])


def _below(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(f"{prefix}/")


_PATHS: Mapping[str, Callable[[str, Any], bool]] = {
    "prefix": str.startswith,
    "path": str.__eq__,
    "path_separated_prefix": _below,
    "safe_regex": _fits_regex,
}
_STRINGS: Mapping[str, Callable[[str, Any], bool]] = {
    "exact": str.__eq__,
    "prefix": str.startswith,
    "suffix": str.endswith,
    "contains": str.__contains__,
    "safe_regex": _fits_regex,
}
_SAID = {
    "exact": "is",
    "prefix": "begins with",
    "suffix": "ends in",
    "contains": "contains",
    "safe_regex": "fits",
    "path": "is",
    "path_separated_prefix": "is below",
}


def _path_words(match: Match) -> list[str]:
    if match.get("prefix") in ("/", ""):
        return []
    return [f"path {_SAID[key]} {_written(match[key])}" for key in _PATHS if key in match]


def _header_words(wanted: Match) -> str:
    name = wanted["name"].removeprefix(":")
    word = _value_words({**wanted, "name": name})
    return (
        ("not " if wanted.get("invert_match") else "") + ("" if ":" in wanted["name"] else "header ") + word
    )


def _value_words(wanted: Match) -> str:
    for how, value in wanted.get("string_match", {}).items():
        if how in _SAID:
            return f"{wanted['name']} {_SAID[how]} {_written(value)}"
    return f"{wanted['name']} is {'there' if wanted.get('present_match', True) else 'missing'}"


def _written(value: Any) -> str:
    return str(value["regex"]) if isinstance(value, Mapping) else str(value)
