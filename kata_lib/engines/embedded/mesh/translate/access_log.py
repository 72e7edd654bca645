"""What a proxy counts, and what it writes of a traced request: Envoy's access loggers.

Counted is with the labels of Istio's metrics. Written is a line of Istio's own format to standard output, of
each request that has the header x-client-trace-id (Envoy's, for whoever wants to follow a request); Istio
writes one of every request where meshConfig.accessLogFile is set.

Which service was asked is told by the cluster, or else by the host that the caller named; which pod, by the
endpoint that was chosen. What the labels mean: https://istio.io/latest/docs/reference/config/metrics/
What they hold where something is not known: istio/proxy, source/extensions/filters/http/istio_stats
"""

import json
from collections.abc import Mapping
from typing import Literal

from kata_lib.engines.embedded.mesh.translate.model import Envoy

_TYPE = "type.googleapis.com/envoy.extensions.access_loggers.stats.v3.Config"
_STDOUT_TYPE = "type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog"
TRACED = "x-client-trace-id"
_LINE = (
    '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% '
    "%RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% "
    '"%UPSTREAM_TRANSPORT_FAILURE_REASON%" %BYTES_RECEIVED% %BYTES_SENT% %DURATION% '
    '%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" '
    '"%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%" %UPSTREAM_CLUSTER_RAW% '
    "%UPSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS% "
    "%REQUESTED_SERVER_NAME% %ROUTE_NAME%\n"
)
"""EnvoyTextLogFormat of istio/istio, pilot/pkg/model/telemetry_logging.go."""
_HOST = {"command": "REQ", "param": ":AUTHORITY"}


def _first_of(*places: Mapping[str, str]) -> str:
    """Return what the first of Envoy's operators gives that gives something."""
    return f"%COALESCE({json.dumps({'operators': places})})%"


_CALLED = {
    "destination_service": _first_of({"command": "CLUSTER_METADATA", "param": "kata:host"}, _HOST),
    "destination_service_name": _first_of(
        {"command": "CLUSTER_METADATA", "param": "kata:name"},
        {"command": "METADATA", "param": "ROUTE:kata:name"},
        _HOST,
    ),
    "destination_service_namespace": "%CLUSTER_METADATA(kata:namespace)%",
}
_PEER = {
    "workload": "workload",
    "workload_namespace": "namespace",
    "app": "app",
    "version": "version",
    "canonical_service": "canonical_service",
    "canonical_revision": "canonical_revision",
}
"""The labels of one side, without its name, and what describes them in a pod."""

_CONNECTED = {"log_type_filter": {"types": ["TcpUpstreamConnected"]}}
_ENDED = {"log_type_filter": {"types": ["TcpConnectionEnd"]}}
_FAILED = {"response_flag_filter": {"flags": ["NC", "UF", "UH", "UO"]}}
_OPENED = {"or_filter": {"filters": [_CONNECTED, {"and_filter": {"filters": [_ENDED, _FAILED]}}]}}
"""Of a connection that never came about, too, Istio counts that it was opened and closed."""


def outbound(source: Mapping[str, str]) -> list[Envoy]:
    """Return the logger of a sidecar's requests to others, where `source` describes its own pod."""
    counted = {"reporter": "source", **_outbound(source), "connection_security_policy": "unknown"}
    return [_requests(counted), _traced()]


def inbound(destination: Mapping[str, str], service: Mapping[str, str]) -> list[Envoy]:
    """Return the logger of requests to a pod at a port of a Service; who asks is not known there."""
    return [_requests(_inbound(destination, service)), _traced()]


def outbound_connections(source: Mapping[str, str]) -> list[Envoy]:
    """Return the loggers of a sidecar's connections to others' ports that are not HTTP."""
    return _connections({"reporter": "source", **_outbound(source), "connection_security_policy": "unknown"})


def inbound_connections(destination: Mapping[str, str], service: Mapping[str, str]) -> list[Envoy]:
    """Return the loggers of connections to a pod at a port that is not HTTP."""
    return _connections(_inbound(destination, service))


def _outbound(source: Mapping[str, str]) -> dict[str, str]:
    chosen = {described: f"%UPSTREAM_METADATA(kata:{described})%" for described in _PEER.values()}
    return _peer("source", source) | _CALLED | _peer("destination", chosen)


def _inbound(destination: Mapping[str, str], service: Mapping[str, str]) -> dict[str, str]:
    source = dict.fromkeys(_PEER.values(), "unknown") | {"canonical_revision": "latest"}
    sides = _peer("source", source) | _peer("destination", destination)
    return {"reporter": "destination", **sides, **service, "connection_security_policy": "none"}


def _peer(side: Literal["source", "destination"], pod: Mapping[str, str]) -> dict[str, str]:
    """Return the labels of one side; what a pod has no label for is left out, as "" is in Prometheus."""
    return {f"{side}_{label}": pod[described] for label, described in _PEER.items() if pod[described]}


def _requests(labels: Mapping[str, str]) -> Envoy:
    every = {
        **labels,
        "request_protocol": "http",
        "response_code": "%RESPONSE_CODE%",
        "response_flags": "%RESPONSE_FLAGS%",
    }
    duration = _stat("request_duration_milliseconds", every)
    return _logger(
        {},
        counters=[{"stat": _stat("requests_total", every), "value_fixed": 1}],
        histograms=[{"stat": duration, "unit": "Milliseconds", "value_format": "%DURATION%"}],
    )


def _traced() -> Envoy:
    return {
        "name": "envoy.access_loggers.stdout",
        "filter": {"header_filter": {"header": {"name": TRACED, "present_match": True}}},
        "typed_config": {
            "@type": _STDOUT_TYPE,
            "log_format": {"text_format_source": {"inline_string": _LINE}},
        },
    }


def _connections(labels: Mapping[str, str]) -> list[Envoy]:
    every = {**labels, "request_protocol": "tcp", "response_flags": "%RESPONSE_FLAGS%"}
    opened, closed = (
        {"stat": _stat(f"tcp_connections_{what}_total", every), "value_fixed": 1}
        for what in ("opened", "closed")
    )
    sent = {"stat": _stat("tcp_sent_bytes_total", every), "value_format": "%BYTES_SENT%"}
    received = {"stat": _stat("tcp_received_bytes_total", every), "value_format": "%BYTES_RECEIVED%"}
    return [_logger(_OPENED, counters=[opened]), _logger(_ENDED, counters=[closed, sent, received])]


def _stat(name: str, labels: Mapping[str, str]) -> Envoy:
    return {"name": name, "tags": [{"name": label, "value_format": value} for label, value in labels.items()]}


def _logger(condition: Envoy, **stats: list[Envoy]) -> Envoy:
    return {
        "name": "envoy.access_loggers.stats",
        **({"filter": condition} if condition else {}),
        "typed_config": {"@type": _TYPE, "stat_prefix": "istio", **stats},
    }
