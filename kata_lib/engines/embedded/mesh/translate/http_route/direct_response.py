"""http.directResponse: an answer by the proxy itself."""

from collections.abc import Mapping
from typing import Any

from kata_lib.engines.embedded.mesh.translate.fields import LEAF, Tree
from kata_lib.engines.embedded.mesh.translate.model import Envoy

FIELDS: Tree = {"status": LEAF, "body": {"string": LEAF, "bytes": LEAF}}


def envoy(response: Mapping[str, Any]) -> Envoy:
    """Return Envoy's direct response."""
    made: Envoy = {"status": response["status"]}
    body = response.get("body", {})
    if "string" in body:
        made["body"] = {"inline_string": body["string"]}
    elif "bytes" in body:
        made["body"] = {"inline_bytes": body["bytes"]}
    return made
