"""trafficPolicy.outlierDetection: endpoints that fail are left out for a while."""

from collections.abc import Mapping
from typing import Any

from kata_lib.engines.embedded.mesh.translate.fields import LEAF, Tree
from kata_lib.engines.embedded.mesh.translate.model import Envoy
from kata_lib.engines.embedded.mesh.translate.numbers import duration

FIELDS: Tree = {
    "consecutive5xxErrors": LEAF,
    "consecutiveGatewayErrors": LEAF,
    "interval": LEAF,
    "baseEjectionTime": LEAF,
    "maxEjectionPercent": LEAF,
    "minHealthPercent": LEAF,
}

_COUNTS = {
    "consecutive5xxErrors": "consecutive_5xx",
    "consecutiveGatewayErrors": "consecutive_gateway_failure",
}
_DURATIONS = {"interval": "interval", "baseEjectionTime": "base_ejection_time"}


def apply(detection: Mapping[str, Any] | None, cluster: Envoy) -> None:
    """Write the detection into a cluster; only what is counted ejects, never a success rate."""
    if detection is None:
        return
    outliers: Envoy = {"enforcing_success_rate": 0}
    for field, name in _COUNTS.items():
        if field in detection:
            outliers[name] = detection[field]
            outliers[f"enforcing_{name}"] = 100 if detection[field] else 0
    for field, name in _DURATIONS.items():
        if field in detection:
            outliers[name] = duration(detection[field])
    if detection.get("maxEjectionPercent"):
        outliers["max_ejection_percent"] = detection["maxEjectionPercent"]
    cluster["outlier_detection"] = outliers
    if detection.get("minHealthPercent"):
        cluster["common_lb_config"] = {"healthy_panic_threshold": {"value": detection["minHealthPercent"]}}
