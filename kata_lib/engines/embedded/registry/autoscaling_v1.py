"""HorizontalPodAutoscalers of autoscaling/v1, which are stored as those of v2.

The older version has one field, for the processor; what else v2 has stands in annotations, as JSON
(kubernetes/pkg/apis/autoscaling/v1/conversion.go).
"""

import json
from collections.abc import Callable
from typing import Any

from kata_lib.engines.embedded.store import Obj

SHAPE = "horizontalpodautoscalers.v1"

_ANNOTATION = "autoscaling.alpha.kubernetes.io/"
_SPEC_FIELDS = ("scaleTargetRef", "minReplicas", "maxReplicas")
_CONDITION = ("type", "status", "lastTransitionTime", "reason", "message")
_REFERENCE = ("kind", "name", "apiVersion")
_STATUS_FIELDS = ("observedGeneration", "lastScaleTime", "currentReplicas", "desiredReplicas")
_BEHAVIOUR = {
    name[0].lower() + name[1:]: name
    for name in (
        *("ScaleUp", "ScaleDown", "StabilizationWindowSeconds", "SelectPolicy", "Policies", "Tolerance"),
        *("Type", "Value", "PeriodSeconds"),
    )
}
_SOURCES = {
    "Resource": "resource",
    "ContainerResource": "containerResource",
    "Pods": "pods",
    "Object": "object",
    "External": "external",
}
_RENAMED = {
    "resource": {"averageUtilization": "{}AverageUtilization", "averageValue": "{}AverageValue"},
    "pods": {"averageValue": "{}AverageValue"},
    "object": {"value": "{}Value", "averageValue": "averageValue"},
    "external": {"value": "{}Value", "averageValue": "{}AverageValue"},
}
_RENAMED["containerResource"] = _RENAMED["resource"]
"""What v1 calls the figures of a source; {} is target or current."""
_ORDER = (
    *("target", "name", "metricName", "metricSelector", "{}Value", "{}AverageUtilization", "{}AverageValue"),
    *("selector", "averageValue", "container"),
)
_SELECTOR = {"pods": "selector", "object": "selector", "external": "metricSelector"}


def shown(obj: Obj) -> Obj:
    """Return a stored autoscaler as v1 has it."""
    spec, status = obj.get("spec", {}), obj.get("status", {})
    metrics = spec.get("metrics") or []
    percents = [metric["resource"]["target"]["averageUtilization"] for metric in metrics if _of_cpu(metric)]
    kept = {
        "behavior": _behaviour(spec.get("behavior") or {}),
        "conditions": [_chosen(found, _CONDITION) for found in status.get("conditions", ())],
        "current-metrics": [_older(found, "current") for found in status.get("currentMetrics") or ()],
        "metrics": [_older(metric, "target") for metric in metrics if not _of_cpu(metric)],
    }
    current = [found["resource"]["current"] for found in status.get("currentMetrics") or () if _is_cpu(found)]
    percent = next((found.get("averageUtilization") for found in current), None)
    return {
        **obj,
        "metadata": _annotated(obj["metadata"], {key: value for key, value in kept.items() if value}),
        "spec": {
            **_chosen(spec, _SPEC_FIELDS),
            **({"targetCPUUtilizationPercentage": percents[0]} if percents else {}),
        },
        "status": {
            **{"currentReplicas": 0, "desiredReplicas": 0},
            **_chosen(status, _STATUS_FIELDS),
            **({"currentCPUUtilizationPercentage": percent} if percent is not None else {}),
        },
    }


def stored(obj: Obj) -> Obj:
    """Return an autoscaler that a client sends in v1 as it is stored; other annotations are none."""
    metadata, spec, status = obj["metadata"], obj.get("spec", {}), obj.get("status", {})
    found = metadata.get("annotations") or {}
    metrics = _kept(found, "metrics", lambda kept: [_newer(metric, "target") for metric in kept]) or []
    if (percent := spec.get("targetCPUUtilizationPercentage")) is not None:
        target = {"type": "Utilization", "averageUtilization": percent}
        metrics.insert(0, {"type": "Resource", "resource": {"name": "cpu", "target": target}})
    newer = {new: old for old, new in _BEHAVIOUR.items()}
    behaviour = _kept(found, "behavior", lambda kept: _renamed(dict(kept), newer))
    current = _kept(found, "current-metrics", lambda kept: [_newer(metric, "current") for metric in kept])
    conditions = _kept(found, "conditions", lambda kept: [_chosen(dict(one), _CONDITION) for one in kept])
    return {
        **obj,
        "apiVersion": "autoscaling/v2",
        "metadata": _annotated(metadata, {}),
        "spec": {
            **_chosen(spec, _SPEC_FIELDS),
            **({"metrics": metrics} if metrics else {}),
            **({"behavior": behaviour} if behaviour else {}),
        },
        "status": {
            **{"currentMetrics": current or None, "desiredReplicas": 0},
            **{field: value for field, value in _chosen(status, _STATUS_FIELDS).items() if value},
            **({"conditions": conditions} if conditions else {}),
        },
    }


def _kept(annotations: dict[str, str], name: str, read: Callable[[Any], Any]) -> Any:
    """Return what an annotation holds; None where it is not there, or holds something else."""
    try:
        return read(json.loads(annotations[_ANNOTATION + name]))
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def _is_cpu(metric: Obj) -> bool:
    return metric.get("type") == "Resource" and metric.get("resource", {}).get("name") == "cpu"


def _of_cpu(metric: Obj) -> bool:
    """Return whether a metric is the one for which v1 has a field."""
    return _is_cpu(metric) and "averageUtilization" in metric["resource"].get("target", {})


def _chosen(obj: Obj, fields: tuple[str, ...]) -> Obj:
    return {field: obj[field] for field in fields if field in obj}


def _behaviour(behaviour: Obj) -> Obj:
    return {
        name: {**rules, "Tolerance": rules.get("Tolerance")}
        for name, rules in _renamed(behaviour, _BEHAVIOUR).items()
    }


def _annotated(metadata: Obj, kept: dict[str, Any]) -> Obj:
    """Return metadata with these annotations for what the version has no field for, and no others for it."""
    found = metadata.get("annotations") or {}
    own = {key: value for key, value in found.items() if not key.startswith(_ANNOTATION)}
    added = {_ANNOTATION + key: json.dumps(value, separators=(",", ":")) for key, value in kept.items()}
    others = {key: value for key, value in metadata.items() if key != "annotations"}
    return {**others, "annotations": own | added} if own or added else others


def _renamed(value: Any, names: dict[str, str]) -> Any:
    """Return a value whose fields have these names, in their order; what is null is left out."""
    if isinstance(value, list):
        return [_renamed(item, names) for item in value]
    if isinstance(value, dict):
        given = {key: inner for key, inner in value.items() if inner is not None}
        return {name: _renamed(given[key], names) for key, name in names.items() if key in given}
    return value


def _older(metric: Obj, which: str) -> Obj:
    """Return a metric as v1 writes it: `which` is target or current."""
    name = _SOURCES[metric["type"]]
    source = metric[name]
    figures = source.get(which, {})
    renamed = {new.format(which): figures[old] for old, new in _RENAMED[name].items() if old in figures}
    measured = source.get("metric", {})
    made: Obj = {
        **({"target": _chosen(source["describedObject"], _REFERENCE)} if "describedObject" in source else {}),
        **({"metricName": measured["name"]} if "name" in measured else {}),
        **_chosen(source, ("name", "container")),
        **({_SELECTOR[name]: measured["selector"]} if "selector" in measured else {}),
        **renamed,
    }
    if name == "object":
        made.setdefault(f"{which}Value", "0")
    ordered = [field.format(which) for field in _ORDER]
    return {"type": metric["type"], name: _chosen(made, tuple(ordered))}


def _newer(metric: Obj, which: str) -> Obj:
    """Return a metric of v1 as v2 writes it; of a type that there is not, its type."""
    name = _SOURCES.get(metric["type"])
    if name is None:
        return {"type": metric["type"]}
    source = metric[name]
    figures = {
        old: source[new.format(which)] for old, new in _RENAMED[name].items() if new.format(which) in source
    }
    if name == "object" and "averageValue" in figures and figures.get("value") == "0":
        del figures["value"]
    made: Obj = {
        **({"describedObject": source["target"]} if "target" in source else {}),
        **_chosen(source, ("name", "container")),
        which: ({"type": _type(figures)} if which == "target" else {}) | figures,
    }
    if "metricName" in source:
        selector = source.get(_SELECTOR[name])
        made["metric"] = {"name": source["metricName"], **({"selector": selector} if selector else {})}
    return {"type": metric["type"], name: made}


def _type(figures: Obj) -> str:
    """Return what kind of target these figures are."""
    if "averageUtilization" in figures:
        return "Utilization"
    return "AverageValue" if "averageValue" in figures else "Value"
