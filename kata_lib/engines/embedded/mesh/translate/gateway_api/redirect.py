"""Filter RequestRedirect."""

from collections.abc import Mapping
from typing import Any

from kata_lib.engines.embedded.mesh.translate.fields import LEAF, Tree
from kata_lib.engines.embedded.mesh.translate.gateway_api.rewrite import PATH

FIELDS: dict[str, Tree] = {
    "requestRedirect": {
        "scheme": LEAF,
        "hostname": LEAF,
        "path": PATH,
        "port": LEAF,
        "statusCode": LEAF,
    }
}

_FIELDS = {"statusCode": "redirectCode", "hostname": "authority", "scheme": "scheme", "port": "port"}
_PATHS = {"replaceFullPath": "uri", "replacePrefixMatch": "prefixRewrite"}


def istio(redirect: Mapping[str, Any]) -> dict[str, Any]:
    """Return Istio's redirect: without a port it is the request's, but with a scheme the scheme's."""
    made = {name: redirect[field] for field, name in _FIELDS.items() if field in redirect}
    if "port" not in redirect:
        made["derivePort"] = "FROM_PROTOCOL_DEFAULT" if "scheme" in redirect else "FROM_REQUEST_PORT"
    path = redirect.get("path", {})
    return made | {name: path[field] for field, name in _PATHS.items() if field in path}
