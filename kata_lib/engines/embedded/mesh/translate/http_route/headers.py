"""http.headers, and headers of one destination: what is set, added and removed on the way."""

from collections.abc import Mapping
from typing import Any

from kata_lib.engines.embedded.mesh.translate.fields import LEAF, Keys, Tree
from kata_lib.engines.embedded.mesh.translate.model import Envoy

_OPERATIONS: Tree = {"set": Keys(LEAF), "add": Keys(LEAF), "remove": [LEAF]}
FIELDS: Tree = {"request": _OPERATIONS, "response": _OPERATIONS}


def envoy(headers: Mapping[str, Any]) -> Envoy:
    """Return the header operations of a route or of one of its clusters."""
    made: Envoy = {}
    for direction in ("request", "response"):
        operations = headers.get(direction, {})
        added = [
            {"append_action": "OVERWRITE_IF_EXISTS_OR_ADD", "header": {"key": key, "value": value}}
            for key, value in sorted(operations.get("set", {}).items())
        ]
        added += [{"header": {"key": k, "value": v}} for k, v in sorted(operations.get("add", {}).items())]
        if added:
            made[f"{direction}_headers_to_add"] = added
        if removed := operations.get("remove"):
            made[f"{direction}_headers_to_remove"] = list(removed)
    return made
