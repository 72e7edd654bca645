"""http.corsPolicy: which other origins a browser may call from."""

from collections.abc import Mapping
from typing import Any

from kata_lib.cluster.durations import seconds
from kata_lib.engines.embedded.mesh.translate.fields import LEAF, OneOf, Tree
from kata_lib.engines.embedded.mesh.translate.http_route.match import STRING, string_match
from kata_lib.engines.embedded.mesh.translate.model import Envoy

FILTER = "envoy.filters.http.cors"
TYPE = "type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy"
FIELDS: Tree = {
    "allowOrigins": [STRING],
    "allowMethods": [LEAF],
    "allowHeaders": [LEAF],
    "exposeHeaders": [LEAF],
    "maxAge": LEAF,
    "allowCredentials": LEAF,
    "unmatchedPreflights": OneOf(("UNSPECIFIED", "FORWARD", "IGNORE")),
}

_LISTS = {"allowMethods": "allow_methods", "allowHeaders": "allow_headers", "exposeHeaders": "expose_headers"}


def envoy(policy: Mapping[str, Any]) -> Envoy:
    """Return the CORS filter's configuration for a route."""
    made: Envoy = {
        "@type": TYPE,
        "filter_enabled": {"default_value": {"numerator": 100}},
        "forward_not_matching_preflights": policy.get("unmatchedPreflights") != "IGNORE",
    }
    if origins := policy.get("allowOrigins"):
        made["allow_origin_string_match"] = [string_match(origin) for origin in origins]
    for field, name in _LISTS.items():
        if policy.get(field):
            made[name] = ",".join(policy[field])
    if "maxAge" in policy:
        made["max_age"] = str(int(seconds(policy["maxAge"])))
    if "allowCredentials" in policy:
        made["allow_credentials"] = policy["allowCredentials"]
    return made
