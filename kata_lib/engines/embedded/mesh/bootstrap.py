"""How an Envoy starts: who it is, where the daemon's discovery service is, and what it counts."""

from pathlib import Path
from typing import Any

from kata_lib.cluster.pods import is_gateway
from kata_lib.engines.embedded.envoy import INBOUND_CONNECTIONS
from kata_lib.engines.embedded.mesh.translate.model import ProxyKind
from kata_lib.engines.embedded.mesh.translate.sources import DISCOVERY_CLUSTER, discovery
from kata_lib.engines.embedded.store import Obj

_INTERNAL_LISTENER = "envoy.bootstrap.internal_listener"
_INTERNAL_LISTENER_TYPE = (
    "type.googleapis.com/envoy.extensions.bootstrap.internal_listener.v3.InternalListener"
)
_TYPE = "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions"

# By default each thread wakes ten times a second to say that it lives: two thirds of what idle Envoys take.
# What follows from a miss is a counter, which nobody reads.
_SELDOM = {"miss_timeout": "60s", "megamiss_timeout": "60s"}


def proxy_kind(pod: Obj) -> ProxyKind:
    """Return what a pod's Envoy is: the sidecar of an application, or a router alone."""
    return "router" if is_gateway(pod) else "sidecar"


def node_id(pod: Obj) -> str:
    """Return the name under which a pod's Envoy asks for its configuration."""
    metadata = pod["metadata"]
    return f"{proxy_kind(pod)}~{metadata['uid']}~{metadata['name']}.{metadata['namespace']}"


def bootstrap(
    node_id: str, *, xds_socket: Path, admin_socket: Path, kind: ProxyKind, cluster: str = ""
) -> dict[str, Any]:
    """Return Envoy's bootstrap; `cluster` names its workload in Envoy's own words, the kind by default."""
    return {
        "node": {"id": node_id, "cluster": cluster or kind, "metadata": {"kind": kind}},
        "admin": {"address": _pipe(admin_socket)},
        "dynamic_resources": {"cds_config": discovery(), "lds_config": discovery()},
        "static_resources": {"clusters": [_discovery_cluster(xds_socket)]},
        "bootstrap_extensions": [
            {"name": _INTERNAL_LISTENER, "typed_config": {"@type": _INTERNAL_LISTENER_TYPE}}
        ],
        "watchdogs": {"main_thread_watchdog": _SELDOM, "worker_watchdog": _SELDOM},
        "stats_flush_interval": "1s",
        "stats_config": {
            "stats_matcher": {
                "inclusion_list": {"patterns": [{"prefix": "istio."}, {"exact": INBOUND_CONNECTIONS}]}
            },
            "histogram_bucket_settings": [
                {
                    "match": {"prefix": "istio."},
                    "buckets": [1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000],
                }
            ],
        },
    }


def _discovery_cluster(socket: Path) -> dict[str, Any]:
    # While the daemon is away each poll waits in a retry with back-off. Without one, Envoy asks again after
    # every refresh delay: that took a third of a core for two subscriptions, and 500 lines of log a second.
    retries = {
        "retry_on": "connect-failure,reset",
        "num_retries": 1_000_000,
        "retry_back_off": {"base_interval": "0.05s", "max_interval": "0.5s"},
    }
    endpoint = {"endpoint": {"address": _pipe(socket)}}
    return {
        "name": DISCOVERY_CLUSTER,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {"cluster_name": DISCOVERY_CLUSTER, "endpoints": [{"lb_endpoints": [endpoint]}]},
        "circuit_breakers": {
            "thresholds": [
                {
                    "max_connections": 100_000,
                    "max_pending_requests": 100_000,
                    "max_requests": 100_000,
                    "max_retries": 100_000,
                }
            ]
        },
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": _TYPE,
                "explicit_http_config": {"http_protocol_options": {}},
                "retry_policy": retries,
            }
        },
    }


def _pipe(path: Path) -> dict[str, Any]:
    return {"pipe": {"path": str(path)}}
