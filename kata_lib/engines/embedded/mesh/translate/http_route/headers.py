"""http.headers, and headers of one destination: what is set, added and removed on the way."""

from collections.abc import Mapping
from typing import Any

from kata_lib.engines.embedded.mesh.translate.fields import LEAF, Keys, Tree
from kata_lib.engines.embedded.mesh.translate.model import Envoy

_OPERATIONS: Tree = {"set": Keys(LEAF), "add": Keys(LEAF), "remove": [LEAF]}
FIELDS: Tree = {"request": _OPERATIONS, "response": _OPERATIONS}


_HOST = ("host", ":authority")


def envoy(headers: Mapping[str, Any]) -> Envoy:
    """Return the header operations of a route or of one of its clusters; the host is none of them."""
    made: Envoy = {}
    for direction in ("request", "response"):
        operations = headers.get(direction, {})
        added = [
            {"append_action": "OVERWRITE_IF_EXISTS_OR_ADD", "header": {"key": key, "value": value}}
            for key, value in _ordinary(operations.get("set", {}))
        ]
        added += [{"header": {"key": k, "value": v}} for k, v in _ordinary(operations.get("add", {}))]
        if added:
            made[f"{direction}_headers_to_add"] = added
        removed = [name for name in operations.get("remove", ()) if not _is_internal(name)]
        if removed:
            made[f"{direction}_headers_to_remove"] = removed
    return made


def host(headers: Mapping[str, Any]) -> str:
    """Return the host that the destination sees, "" where the headers do not change it."""
    request = headers.get("request", {})
    given = (
        value
        for operation in ("set", "add")
        for name, value in request.get(operation, {}).items()
        if name.lower() in _HOST
    )
    return next(given, "")


def _ordinary(values: Mapping[str, str]) -> list[tuple[str, str]]:
    return sorted((name, value) for name, value in values.items() if not _is_internal(name))


def _is_internal(name: str) -> bool:
    return name.startswith(":") or name.lower() == "host"
