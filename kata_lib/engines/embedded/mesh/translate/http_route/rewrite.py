"""http.rewrite: the path that the destination sees; its authority is one of several words for the host."""

import re
from collections.abc import Mapping
from typing import Any

from kata_lib.engines.embedded.mesh.translate.fields import LEAF, Tree
from kata_lib.engines.embedded.mesh.translate.http_route.context import RouteContext
from kata_lib.engines.embedded.mesh.translate.model import Envoy

_SPECIAL = re.compile(r"[\\.+*?()|\[\]{}^$]")
"""What means something in a regular expression of RE2."""
FIELDS: Tree = {"uri": LEAF, "authority": LEAF, "uriRegexRewrite": {"match": LEAF, "rewrite": LEAF}}


def envoy(rewrite: Mapping[str, Any], envoy_match: Envoy, context: RouteContext) -> Envoy:
    """Return the parts of a route action that rewrite the path."""
    if regex := rewrite.get("uriRegexRewrite"):
        return _regex(regex["match"], regex["rewrite"])
    uri = rewrite.get("uri")
    if uri == "/" and context.gateway_api:
        prefix = quoted(envoy_match.get("path_separated_prefix", ""))
        return _regex(f"^{prefix}(/?)(.*)", "/\\2")
    return {"prefix_rewrite": uri} if uri else {}


def quoted(text: str) -> str:
    """Return the regular expression that matches a text and nothing else."""
    return _SPECIAL.sub(r"\\\g<0>", text)


def _regex(found: str, put: str) -> Envoy:
    return {"regex_rewrite": {"pattern": {"regex": found}, "substitution": put}}
