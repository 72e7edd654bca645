"""Filter CORS."""

import re
from collections.abc import Mapping
from typing import Any

from kata_lib.engines.embedded.mesh.translate.fields import LEAF, Tree
from kata_lib.engines.embedded.mesh.translate.http_route.rewrite import quoted

_LISTS = ("allowMethods", "allowHeaders", "exposeHeaders")
FIELDS: dict[str, Tree] = {
    "cors": {
        **{field: [LEAF] for field in ("allowOrigins", *_LISTS)},
        "allowCredentials": LEAF,
        "maxAge": LEAF,
    }
}

_ANY_ORIGIN = r"^[a-zA-Z][a-zA-Z0-9+.-]*://[^/\s?#]+$"


def istio(cors: Mapping[str, Any]) -> dict[str, Any]:
    """Return Istio's policy; a preflight of another origin is answered here, as the Gateway API wants it."""
    made: dict[str, Any] = {field: cors[field] for field in _LISTS if cors.get(field)}
    if origins := cors.get("allowOrigins"):
        made["allowOrigins"] = [_origin(origin) for origin in origins]
    if cors.get("allowCredentials"):
        made["allowCredentials"] = True
    if cors.get("maxAge"):
        made["maxAge"] = f"{cors['maxAge']}s"
    return made | {"unmatchedPreflights": "IGNORE"}


def _origin(origin: str) -> dict[str, str]:
    if origin == "*":
        return {"regex": _ANY_ORIGIN}
    if "*" not in origin:
        return {"exact": origin}
    if origin.index("*") == len(origin) - 1:
        return {"prefix": origin[:-1]}
    return {"regex": "^" + re.sub(r"\\\*", ".*", quoted(origin)) + "$"}
