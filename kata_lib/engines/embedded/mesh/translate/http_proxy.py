"""The last step: every port's table in one, for the listener at which an application's http_proxy points.

There a request names its port in the host (name:5000), and none means 80. What nobody knows gets 502: the
mesh is no open proxy. Istio's own name for this table, behind its setting proxyHttpPort, is the same. Ports
that are not HTTP are not in Istio's; here a passage leads from it to the listener that passes bytes on.
"""

from collections.abc import Sequence
from typing import Any

from kata_lib.engines.embedded.mesh.translate.clusters import unlimited
from kata_lib.engines.embedded.mesh.translate.endpoints import socket_address
from kata_lib.engines.embedded.mesh.translate.http_route import cors, fault
from kata_lib.engines.embedded.mesh.translate.model import Envoy
from kata_lib.engines.embedded.mesh.translate.sources import route_discovery
from kata_lib.engines.embedded.mesh.translate.tcp_ports import TcpPort, tcp_proxy
from kata_lib.engines.embedded.mesh.translate.traffic_policy.connection_pool import http_options
from kata_lib.engines.embedded.mesh.translate.virtual_hosts import Tables, virtual_host

ROUTE_TABLE = "http_proxy"
PASSAGE = "tcp"
_PASSAGE_IDLE = "5s"
_SOURCE = "kata.source"
_HTTP_PORT = 80
MAX_DIRECT_RESPONSE = 1024 * 1024  # as istiod sets it; Envoy's own limit is 4 kB
_CONNECTION_MANAGER = "envoy.filters.network.http_connection_manager"
_MANAGER_TYPE = (
    "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
)
_ROUTER_TYPE = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
_FILTER_STATE_TYPE = "type.googleapis.com/envoy.extensions.filters.network.set_filter_state.v3.Config"
_CORS_TYPE = "type.googleapis.com/envoy.extensions.filters.http.cors.v3.Cors"


def merged(tables: Tables, tcp: Sequence[TcpPort] = ()) -> Envoy:
    """Return one route table from those of all ports, with the hosts that are asked at TCP ports."""
    hosts = [
        {**host, "domains": _with_port(host["domains"], port)}
        for port, hosts_of_port in sorted(tables.items())
        for host in hosts_of_port
    ]
    hosts += [_passage_host(port) for port in tcp]
    refused = {
        "name": "block_all",
        "match": {"prefix": "/"},
        "direct_response": {"status": 502},
        "metadata": {"filter_metadata": {"kata": {"name": "BlackHoleCluster"}}},
    }
    return {
        "name": ROUTE_TABLE,
        "virtual_hosts": [*hosts, virtual_host("block_all", ["*"], [refused])],
        "validate_clusters": False,
        "max_direct_response_body_size_bytes": MAX_DIRECT_RESPONSE,
    }


def listener(address: tuple[str, int], access_log: list[Envoy]) -> Envoy:
    """Return the listener that serves the merged table."""
    manager = connection_manager(
        "outbound",
        {"rds": {"config_source": route_discovery(), "route_config_name": ROUTE_TABLE}},
        outbound_filters(),
        access_log,
    )
    return {
        "name": ROUTE_TABLE,
        "address": socket_address(*address),
        "traffic_direction": "OUTBOUND",
        "filter_chains": [{"filters": [manager]}],
    }


def passage_listener(tcp: TcpPort, source: str, access_log: list[Envoy]) -> Envoy:
    """Return the listener inside this Envoy at which connections to a TCP port begin, as istiod makes it.

    They have no address there. Where one is asked for, `source`, which is the pod's own, stands for it.
    """
    clusters, filters = tcp.clusters, []
    if "hash_policy" in clusters:
        clusters = {**clusters, "hash_policy": [{"filter_state": {"key": _SOURCE}}]}
        filters = [_remember(source)]
    return {
        "name": _passage_name(tcp),
        "internal_listener": {},
        "traffic_direction": "OUTBOUND",
        "filter_chains": [{"filters": [*filters, tcp_proxy(clusters, access_log)]}],
    }


def passage_cluster(tcp: TcpPort) -> Envoy:
    """Return the cluster that leads to that listener.

    Each connection of the application has one of its own there: where it goes is chosen once, for all the
    requests on it. Envoy does not end it with the application's, so that it ends when it has been idle.
    """
    name = _passage_name(tcp)
    endpoint = {"endpoint": {"address": {"envoy_internal_address": {"server_listener_name": name}}}}
    made: Envoy = {
        "name": name,
        "type": "STATIC",
        "connection_pool_per_downstream_connection": True,
        "circuit_breakers": unlimited(),
        "metadata": {"filter_metadata": {"kata": {"host": name}}},
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }
    options = http_options(made)
    options["common_http_protocol_options"] = {"idle_timeout": _PASSAGE_IDLE}
    return made


def outbound_filters() -> list[Envoy]:
    """Return the filters that carry out what a route asks for beside where requests go."""
    return [
        {"name": fault.FILTER, "typed_config": {"@type": fault.TYPE}},
        {"name": cors.FILTER, "typed_config": {"@type": _CORS_TYPE}},
    ]


def connection_manager(prefix: str, routes: Envoy, filters: list[Envoy], access_log: list[Envoy]) -> Envoy:
    """Return Envoy's HTTP filter with istiod's settings; `routes` says where its route table is."""
    config: dict[str, Any] = {
        "@type": _MANAGER_TYPE,
        "stat_prefix": prefix,
        **routes,
        "http_filters": [
            *filters,
            {"name": "envoy.filters.http.router", "typed_config": {"@type": _ROUTER_TYPE}},
        ],
        "access_log": access_log,
        "use_remote_address": False,
        "normalize_path": True,
        "stream_idle_timeout": "0s",
        "upgrade_configs": [{"upgrade_type": "websocket"}],
    }
    return {"name": _CONNECTION_MANAGER, "typed_config": config}


def _with_port(domains: list[str], port: int) -> list[str]:
    with_port = [f"{domain}:{port}" for domain in domains]
    return [*domains, *with_port] if port == _HTTP_PORT else with_port


def _passage_name(tcp: TcpPort) -> str:
    return f"{PASSAGE}|{tcp.port.number}|{tcp.service.hostname}"


def _passage_host(tcp: TcpPort) -> Envoy:
    name = _passage_name(tcp)
    route = {"name": PASSAGE, "match": {"prefix": "/"}, "route": {"cluster": name, "timeout": "0s"}}
    return virtual_host(name, _with_port(tcp.names, tcp.port.number), [route])


def _remember(source: str) -> Envoy:
    kept = {
        "object_key": _SOURCE,
        "factory_key": "envoy.hashable_string",
        "format_string": {"text_format_source": {"inline_string": source}},
    }
    config = {"@type": _FILTER_STATE_TYPE, "on_new_connection": [kept]}
    return {"name": "envoy.filters.network.set_filter_state", "typed_config": config}
