"""Filter URLRewrite."""

from collections.abc import Mapping
from typing import Any

from kata_lib.engines.embedded.mesh.translate.fields import LEAF, Tree

PATH: Tree = {"type": LEAF, "replaceFullPath": LEAF, "replacePrefixMatch": LEAF}
FIELDS: dict[str, Tree] = {"urlRewrite": {"hostname": LEAF, "path": PATH}}


def istio(rewrite: Mapping[str, Any]) -> dict[str, Any]:
    """Return Istio's rewrite, {} where nothing is rewritten."""
    path = rewrite.get("path", {})
    made: dict[str, Any] = {}
    if path.get("type") == "ReplacePrefixMatch":
        made["uri"] = path["replacePrefixMatch"].removesuffix("/") or "/"
    elif path.get("type") == "ReplaceFullPath":
        made["uriRegexRewrite"] = {"match": "/.*", "rewrite": path["replaceFullPath"]}
    return made | ({"authority": rewrite["hostname"]} if "hostname" in rewrite else {})
