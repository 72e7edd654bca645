"""http.match: under which condition a route is taken."""

from collections.abc import Mapping
from typing import Any

from kata_lib.engines.embedded.mesh.translate.fields import LEAF, Keys, Tree
from kata_lib.engines.embedded.mesh.translate.http_route.context import RouteContext
from kata_lib.engines.embedded.mesh.translate.model import Envoy

STRING: Tree = {"exact": LEAF, "prefix": LEAF, "regex": LEAF}
KNOWN_BEFOREHAND: dict[str, Tree] = {
    "port": LEAF,
    "sourceLabels": Keys(LEAF),
    "sourceNamespace": LEAF,
    "gateways": [LEAF],
}
FIELDS: Tree = [
    {
        "name": LEAF,
        "uri": STRING,
        "ignoreUriCase": LEAF,
        "scheme": STRING,
        "method": STRING,
        "authority": STRING,
        "headers": Keys(STRING),
        "withoutHeaders": Keys(STRING),
        "queryParams": Keys(STRING),
        **KNOWN_BEFOREHAND,
    }
]

_PSEUDO_HEADERS = {"method": ":method", "authority": ":authority", "scheme": ":scheme"}


def can_hold(condition: Mapping[str, Any], context: RouteContext) -> bool:
    """Return whether a match on port, source or gateway, all known beforehand, can hold for this proxy.

    A match that names gateways says nothing of sources, whatever it has beside them.
    """
    if (condition.get("port") or context.port) != context.port:
        return False
    if gateways := condition.get("gateways"):
        return context.gateway in gateways
    namespace = condition.get("sourceNamespace") or context.proxy_namespace
    labels = condition.get("sourceLabels", {})
    return labels.items() <= context.proxy_labels.items() and namespace == context.proxy_namespace


def takes_all(envoy_match: Envoy) -> bool:
    """Return whether a route's match holds for every request."""
    if envoy_match.keys() & {"headers", "query_parameters"}:
        return False
    regex = envoy_match.get("safe_regex", {}).get("regex")
    return envoy_match.get("prefix") == "/" or regex == ".*"


def envoy(condition: Mapping[str, Any] | None, *, whole_segments: bool = False) -> Envoy:
    """Return Envoy's match for one of a route's matches, or for a route that has none.

    `whole_segments` is the Gateway API's meaning of a prefix: /a is one of /a/b, and none of /ab.
    """
    if condition is None:
        return {"prefix": "/"}
    made = _path(condition.get("uri", {}), whole_segments)
    made["case_sensitive"] = not condition.get("ignoreUriCase", False)
    headers = [_named(name, value) for name, value in condition.get("headers", {}).items()]
    headers += [_without(name, value) for name, value in condition.get("withoutHeaders", {}).items()]
    headers.sort(key=lambda header: str(header["name"]))
    headers += [
        _named(_PSEUDO_HEADERS[name], condition[name]) for name in _PSEUDO_HEADERS if name in condition
    ]
    if headers:
        made["headers"] = headers
    if parameters := condition.get("queryParams"):
        made["query_parameters"] = [_named(name, value) for name, value in sorted(parameters.items())]
    return made


def string_match(wanted: Mapping[str, str]) -> Envoy:
    """Return Envoy's form of exact, prefix or regex."""
    if "regex" in wanted:
        return {"safe_regex": {"regex": wanted["regex"]}}
    return dict(wanted)


def _path(uri: Mapping[str, str], whole_segments: bool) -> Envoy:
    if "exact" in uri:
        return {"path": uri["exact"]}
    if "regex" in uri:
        return {"safe_regex": {"regex": uri["regex"]}}
    prefix = uri.get("prefix", "/")
    if whole_segments and prefix != "/":
        return {"path_separated_prefix": prefix.removesuffix("/")}
    return {"prefix": prefix}


def _named(name: str, wanted: Mapping[str, str]) -> Envoy:
    """Return the match of a header or of a query parameter."""
    if not wanted or wanted.get("regex") == "*":
        return {"name": name, "present_match": True}
    return {"name": name, "string_match": string_match(wanted)}


def _without(name: str, wanted: Mapping[str, str]) -> Envoy:
    inverted = {**_named(name, wanted), "invert_match": True}
    if "string_match" in inverted:
        inverted["treat_missing_header_as_empty"] = True
    return inverted
