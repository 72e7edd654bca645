"""matches: a request's path, headers, query parameters and method."""

from collections.abc import Mapping, Sequence
from typing import Any

from kata_lib.engines.embedded.mesh.translate.fields import LEAF, Tree

_TEXT: Tree = {"type": LEAF, "name": LEAF, "value": LEAF}
FIELDS: Tree = {
    "path": {"type": LEAF, "value": LEAF},
    "headers": [_TEXT],
    "queryParams": [_TEXT],
    "method": LEAF,
}

Match = dict[str, Any]
_PATHS = {"Exact": "exact", "PathPrefix": "prefix", "RegularExpression": "regex"}
_TEXTS = {"Exact": "exact", "RegularExpression": "regex"}


def istio(match: Mapping[str, Any]) -> Match:
    """Return Istio's form of a match; without a path it is for all below /."""
    made: Match = {"uri": _path(match.get("path", {}))}
    for field in ("headers", "queryParams"):
        if texts := match.get(field):
            made[field] = _texts(texts)
    if "method" in match:
        made["method"] = {"exact": match["method"]}
    return made


def _path(path: Mapping[str, str]) -> dict[str, str]:
    how, value = _PATHS[path.get("type", "PathPrefix")], path.get("value", "/")
    return {how: value.removesuffix("/") or "/" if how == "prefix" else value}


def _texts(texts: Sequence[Mapping[str, str]]) -> dict[str, dict[str, str]]:
    return {text["name"]: {_TEXTS[text.get("type", "Exact")]: text["value"]} for text in texts}
