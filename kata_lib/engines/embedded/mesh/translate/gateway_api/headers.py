"""Filters RequestHeaderModifier and ResponseHeaderModifier, of rules and of backends."""

from collections.abc import Mapping, Sequence
from typing import Any

from kata_lib.engines.embedded.mesh.translate.fields import LEAF, Tree
from kata_lib.engines.embedded.mesh.translate.gateway_api.problems import Problem

_HEADERS: Tree = [{"name": LEAF, "value": LEAF}]
_MODIFIER: Tree = {"set": _HEADERS, "add": _HEADERS, "remove": [LEAF]}
FIELDS: dict[str, Tree] = {"requestHeaderModifier": _MODIFIER, "responseHeaderModifier": _MODIFIER}

DIRECTIONS = {"RequestHeaderModifier": "request", "ResponseHeaderModifier": "response"}
_TAB, _SPACE, _DELETE = 0x09, 0x20, 0x7F


def istio(modifier: Mapping[str, Any]) -> dict[str, Any]:
    """Return Istio's operations; of several headers of one name the first counts. Raises Problem."""
    for header in (*modifier.get("set", ()), *modifier.get("add", ())):
        if not all(_is_allowed(byte) for byte in header["value"].encode()):
            raise Problem("InvalidFilter", f'header "{header["name"]}" value contains invalid characters')
    made: dict[str, Any] = {
        field: _values(modifier[field]) for field in ("set", "add") if modifier.get(field)
    }
    return made | ({"remove": modifier["remove"]} if modifier.get("remove") else {})


def _values(headers: Sequence[Mapping[str, str]]) -> dict[str, str]:
    return {header["name"].lower(): header["value"] for header in reversed(headers)}


def _is_allowed(byte: int) -> bool:
    return byte == _TAB or (byte >= _SPACE and byte != _DELETE)
