"""http.rewrite: the path and host that the destination sees."""

from collections.abc import Mapping, Sequence
from typing import Any

from kata_lib.engines.embedded.mesh.translate.fields import LEAF, Tree
from kata_lib.engines.embedded.mesh.translate.model import Envoy

FIELDS: Tree = {"uri": LEAF, "authority": LEAF, "uriRegexRewrite": {"match": LEAF, "rewrite": LEAF}}


def envoy(rewrite: Mapping[str, Any], matches: Sequence[Mapping[str, Any]]) -> Envoy:
    """Return the parts of a route action that rewrite."""
    action: Envoy = {}
    if "uri" in rewrite:
        if any("regex" in condition.get("uri", {}) for condition in matches):
            action["regex_rewrite"] = {"pattern": {"regex": "/.*"}, "substitution": rewrite["uri"]}
        else:
            action["prefix_rewrite"] = rewrite["uri"]
    if regex := rewrite.get("uriRegexRewrite"):
        action["regex_rewrite"] = {"pattern": {"regex": regex["match"]}, "substitution": regex["rewrite"]}
    if "authority" in rewrite:
        action["host_rewrite_literal"] = rewrite["authority"]
    return action
