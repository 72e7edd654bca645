"""trafficPolicy.connectionPool: limits of connections and requests."""

from collections.abc import Mapping
from typing import Any

from kata_lib.engines.embedded.mesh.translate.fields import LEAF, Tree
from kata_lib.engines.embedded.mesh.translate.model import Envoy
from kata_lib.engines.embedded.mesh.translate.numbers import duration

FIELDS: Tree = {
    "tcp": {"maxConnections": LEAF, "connectTimeout": LEAF},
    "http": {
        "http1MaxPendingRequests": LEAF,
        "http2MaxRequests": LEAF,
        "maxRequestsPerConnection": LEAF,
        "maxRetries": LEAF,
        "idleTimeout": LEAF,
    },
}

HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
HTTP1: Envoy = {"explicit_http_config": {"http_protocol_options": {}}}
HTTP2: Envoy = {"explicit_http_config": {"http2_protocol_options": {}}}
AS_ASKED: Envoy = {
    "use_downstream_protocol_config": {"http_protocol_options": {}, "http2_protocol_options": {}}
}
"""The version of the request itself."""

_LIMITS = {
    "max_connections": ("tcp", "maxConnections"),
    "max_pending_requests": ("http", "http1MaxPendingRequests"),
    "max_requests": ("http", "http2MaxRequests"),
    "max_retries": ("http", "maxRetries"),
}


def apply(pool: Mapping[str, Any], cluster: Envoy) -> None:
    """Write the limits into a cluster's circuit breakers, timeouts and protocol options."""
    tcp, http = pool.get("tcp", {}), pool.get("http", {})
    threshold = cluster["circuit_breakers"]["thresholds"][0]
    for limit, (layer, name) in _LIMITS.items():
        if value := pool.get(layer, {}).get(name):
            threshold[limit] = value
    if "connectTimeout" in tcp:
        cluster["connect_timeout"] = duration(tcp["connectTimeout"])
    options: Envoy = {}
    if http.get("maxRequestsPerConnection"):
        options["max_requests_per_connection"] = http["maxRequestsPerConnection"]
    if "idleTimeout" in http:
        options["idle_timeout"] = duration(http["idleTimeout"])
    if options:
        protocols = http_options(cluster)
        protocols["common_http_protocol_options"] = options


def http_options(cluster: Envoy, protocol: Envoy = HTTP1) -> Envoy:
    """Return the cluster's HTTP options, made for a protocol (HTTP1, HTTP2, AS_ASKED) if missing."""
    extensions: Envoy = cluster.setdefault("typed_extension_protocol_options", {})
    options: Envoy = extensions.setdefault(
        HTTP_OPTIONS, {"@type": f"type.googleapis.com/{HTTP_OPTIONS}", **protocol}
    )
    return options
