"""What a proxy counts of each request: Envoy's stats access logger with the labels of Istio's metrics.

https://istio.io/latest/docs/reference/config/metrics/
"""

from collections.abc import Mapping
from typing import Literal

from kata_lib.engines.embedded.mesh.translate.model import Envoy

_TYPE = "type.googleapis.com/envoy.extensions.access_loggers.stats.v3.Config"
_FROM_CLUSTER = {
    "destination_service": "%CLUSTER_METADATA(kata:host)%",
    "destination_service_name": "%CLUSTER_METADATA(kata:name)%",
    "destination_service_namespace": "%CLUSTER_METADATA(kata:namespace)%",
}


def outbound(source: Mapping[str, str]) -> list[Envoy]:
    """Return the logger of a sidecar's requests to others, where `source` describes its own pod."""
    destination = {key: f"%UPSTREAM_METADATA(kata:{key})%" for key in source}
    return [_logger("source", _peer("source", source) | _FROM_CLUSTER | _peer("destination", destination))]


def inbound(destination: Mapping[str, str], service: Mapping[str, str]) -> list[Envoy]:
    """Return the logger of requests to a pod at a port of a Service; who asks is not known there."""
    source = dict.fromkeys(destination, "unknown")
    return [
        _logger("destination", _peer("source", source) | dict(service) | _peer("destination", destination))
    ]


def _peer(side: Literal["source", "destination"], pod: Mapping[str, str]) -> dict[str, str]:
    return {
        f"{side}_workload": pod["workload"],
        f"{side}_workload_namespace": pod["namespace"],
        f"{side}_app": pod["app"],
        f"{side}_version": pod["version"],
    }


def _logger(reporter: str, labels: Mapping[str, str]) -> Envoy:
    every = {
        "reporter": reporter,
        "request_protocol": "%PROTOCOL%",
        "response_code": "%RESPONSE_CODE%",
        "response_flags": "%RESPONSE_FLAGS%",
        "connection_security_policy": "none",
        **labels,
    }
    tags = [{"name": name, "value_format": value} for name, value in every.items()]
    duration = {"name": "request_duration_milliseconds", "tags": tags}
    return {
        "name": "envoy.access_loggers.stats",
        "typed_config": {
            "@type": _TYPE,
            "stat_prefix": "istio",
            "counters": [{"stat": {"name": "requests_total", "tags": tags}, "value_fixed": 1}],
            "histograms": [{"stat": duration, "unit": "Milliseconds", "value_format": "%DURATION%"}],
        },
    }
