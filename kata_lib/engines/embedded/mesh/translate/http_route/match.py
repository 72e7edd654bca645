"""http.match: under which condition a route is taken."""

from collections.abc import Mapping
from typing import Any

from kata_lib.engines.embedded.mesh.translate.fields import LEAF, Keys, Tree
from kata_lib.engines.embedded.mesh.translate.hosts import MESH_GATEWAY
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

_PSEUDO_HEADERS = {"scheme": ":scheme", "method": ":method", "authority": ":authority"}


def can_hold(condition: Mapping[str, Any], context: RouteContext) -> bool:
    """Return whether a match on port, source or gateway, all known beforehand, can hold for this proxy."""
    labels = condition.get("sourceLabels", {})
    return (
        condition.get("port", context.port) == context.port
        and labels.items() <= context.proxy_labels.items()
        and condition.get("sourceNamespace", context.proxy_namespace) == context.proxy_namespace
        and MESH_GATEWAY in condition.get("gateways", [MESH_GATEWAY])
    )


def takes_all(envoy_match: Envoy) -> bool:
    """Return whether a route's match holds for every request."""
    return envoy_match.get("prefix") == "/" and envoy_match.keys() <= {"prefix", "case_sensitive"}


def envoy(condition: Mapping[str, Any] | None) -> Envoy:
    """Return Envoy's match for one of a route's matches, or for a route that has none."""
    if condition is None:
        return {"prefix": "/"}
    made = _path(condition.get("uri", {}))
    made["case_sensitive"] = not condition.get("ignoreUriCase", False)
    headers = [_header(name, value) for name, value in sorted(condition.get("headers", {}).items())]
    headers += [_without(name, value) for name, value in sorted(condition.get("withoutHeaders", {}).items())]
    headers += [
        _header(_PSEUDO_HEADERS[name], condition[name]) for name in _PSEUDO_HEADERS if name in condition
    ]
    if headers:
        made["headers"] = headers
    if parameters := condition.get("queryParams"):
        made["query_parameters"] = [_parameter(name, value) for name, value in sorted(parameters.items())]
    return made


def string_match(wanted: Mapping[str, str]) -> Envoy:
    """Return Envoy's form of exact, prefix or regex."""
    if "regex" in wanted:
        return {"safe_regex": {"regex": wanted["regex"]}}
    return dict(wanted)


def _path(uri: Mapping[str, str]) -> Envoy:
    if "exact" in uri:
        return {"path": uri["exact"]}
    if "regex" in uri:
        return {"safe_regex": {"regex": uri["regex"]}}
    return {"prefix": uri.get("prefix", "/")}


def _header(name: str, wanted: Mapping[str, str]) -> Envoy:
    if not wanted or wanted.get("regex") == "*":
        return {"name": name, "present_match": True}
    return {"name": name, "string_match": string_match(wanted)}


def _without(name: str, wanted: Mapping[str, str]) -> Envoy:
    inverted = {**_header(name, wanted), "invert_match": True}
    if "string_match" in inverted:
        inverted["treat_missing_header_as_empty"] = True
    return inverted


def _parameter(name: str, wanted: Mapping[str, str]) -> Envoy:
    if not wanted:
        return {"name": name, "present_match": True}
    return {"name": name, "string_match": string_match(wanted)}
