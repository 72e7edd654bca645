"""HorizontalPodAutoscalers: one pod at least, four fifths of the processor that was asked for."""

from typing import Any

from kata_lib.engines.embedded.store import Obj

CPU_PERCENT = 80
PERIOD_SECONDS = 15
OTHER_METRICS = "autoscaling.alpha.kubernetes.io/metrics"
"""Where an autoscaler of v1 has the metrics for which it has no field."""

_ALL_AT_ONCE = {"type": "Percent", "value": 100, "periodSeconds": PERIOD_SECONDS}
_FOUR_PODS = {"type": "Pods", "value": 4, "periodSeconds": PERIOD_SECONDS}
_UP = {"stabilizationWindowSeconds": 0, "selectPolicy": "Max", "policies": [_FOUR_PODS, _ALL_AT_ONCE]}
_DOWN = {"selectPolicy": "Max", "policies": [_ALL_AT_ONCE]}


def fill(obj: Obj) -> None:
    """Add a HorizontalPodAutoscaler's defaults in place."""
    spec = obj.setdefault("spec", {})
    spec.setdefault("minReplicas", 1)
    if not spec.get("metrics"):
        spec["metrics"] = [_of_processor()]
    if (behaviour := spec.get("behavior")) is not None:
        behaviour["scaleUp"] = _UP | behaviour.get("scaleUp", {})
        behaviour["scaleDown"] = _DOWN | behaviour.get("scaleDown", {})


def fill_v1(obj: Obj) -> None:
    """Add the defaults of a HorizontalPodAutoscaler of autoscaling/v1 in place."""
    spec = obj.setdefault("spec", {})
    spec.setdefault("minReplicas", 1)
    if OTHER_METRICS not in obj["metadata"].get("annotations", {}):
        spec.setdefault("targetCPUUtilizationPercentage", CPU_PERCENT)


def complete(obj: Obj) -> None:
    """Add in place the status of an autoscaler that nobody has looked at yet."""
    obj["status"] = obj.get("status") or {"currentMetrics": None, "desiredReplicas": 0}


def _of_processor() -> dict[str, Any]:
    target = {"type": "Utilization", "averageUtilization": CPU_PERCENT}
    return {"type": "Resource", "resource": {"name": "cpu", "target": target}}
