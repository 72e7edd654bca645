"""http.redirect: an answer that sends the client elsewhere."""

from collections.abc import Mapping
from typing import Any

from kata_lib.engines.embedded.mesh.translate.fields import LEAF, OneOf, Tree
from kata_lib.engines.embedded.mesh.translate.model import Envoy

_CODES = {
    301: "MOVED_PERMANENTLY",
    302: "FOUND",
    303: "SEE_OTHER",
    307: "TEMPORARY_REDIRECT",
    308: "PERMANENT_REDIRECT",
}

FIELDS: Tree = {
    "uri": LEAF,
    "authority": LEAF,
    "scheme": LEAF,
    "port": LEAF,
    "redirectCode": OneOf(tuple(_CODES)),
}


def envoy(redirect: Mapping[str, Any]) -> Envoy:
    """Return Envoy's redirect."""
    action: Envoy = {"response_code": _CODES[redirect.get("redirectCode", 301)]}
    if "uri" in redirect:
        action["path_redirect"] = redirect["uri"]
    if "authority" in redirect:
        action["host_redirect"] = redirect["authority"]
    if "scheme" in redirect:
        action["scheme_redirect"] = redirect["scheme"]
    if "port" in redirect:
        action["port_redirect"] = redirect["port"]
    return action
