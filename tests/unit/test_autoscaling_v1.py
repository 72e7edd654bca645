"""Autoscalers in their older version: what an API server shows of those of v2, and takes."""

from typing import Any

import pytest
from control_plane import make_registry

from kata_lib.engines.embedded.registry import autoscaling_v1
from kata_lib.engines.embedded.registry.patches import APPLY_PATCH, MERGE_PATCH
from kata_lib.engines.embedded.registry.registry import Registry
from kata_lib.engines.embedded.registry.status import StatusError

Json = dict[str, Any]

KEY = "horizontalpodautoscalers"
TARGET = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
INGRESS = {"kind": "Ingress", "name": "main", "apiVersion": "networking.k8s.io/v1"}
RULES = {"stabilizationWindowSeconds": 60, "selectPolicy": "Max"}
POLICY = {"type": "Pods", "value": 1, "periodSeconds": 30}

METRICS = [
    {
        "type": "Resource",
        "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 60}},
    },
    {
        "type": "Resource",
        "resource": {"name": "memory", "target": {"type": "AverageValue", "averageValue": "100Mi"}},
    },
    {
        "type": "ContainerResource",
        "containerResource": {
            "name": "cpu",
            "container": "main",
            "target": {"type": "Utilization", "averageUtilization": 70},
        },
    },
    {
        "type": "Pods",
        "pods": {
            "metric": {"name": "packets", "selector": {"matchLabels": {"a": "b"}}},
            "target": {"type": "AverageValue", "averageValue": "1k"},
        },
    },
    {
        "type": "Object",
        "object": {
            "describedObject": INGRESS,
            "metric": {"name": "requests"},
            "target": {"type": "AverageValue", "averageValue": "2k"},
        },
    },
    {
        "type": "External",
        "external": {"metric": {"name": "queue"}, "target": {"type": "Value", "value": "30"}},
    },
]
SHOWN_METRICS = (
    '[{"type":"Resource","resource":{"name":"memory","targetAverageValue":"100Mi"}},'
    '{"type":"ContainerResource","containerResource":{"name":"cpu","targetAverageUtilization":70,"container":"main"}},'
    '{"type":"Pods","pods":{"metricName":"packets","targetAverageValue":"1k",'
    '"selector":{"matchLabels":{"a":"b"}}}},'
    '{"type":"Object","object":{"target":{"kind":"Ingress","name":"main","apiVersion":"networking.k8s.io/v1"},'
    '"metricName":"requests","targetValue":"0","averageValue":"2k"}},'
    '{"type":"External","external":{"metricName":"queue","targetValue":"30"}}]'
)
SHOWN_BEHAVIOUR = (
    '{"ScaleDown":{"StabilizationWindowSeconds":60,"SelectPolicy":"Max",'
    '"Policies":[{"Type":"Pods","Value":1,"PeriodSeconds":30}],"Tolerance":null}}'
)
SHOWN_CONDITIONS = (
    '[{"type":"AbleToScale","status":"True","lastTransitionTime":"2026-01-01T00:00:00Z",'
    '"reason":"R","message":"m"}]'
)
SHOWN_CURRENT = (
    '[{"type":"Resource","resource":{"name":"cpu","currentAverageUtilization":12,"currentAverageValue":"3m"}},'
    '{"type":"Object","object":{"target":{"kind":"Ingress","name":"main","apiVersion":"networking.k8s.io/v1"},'
    '"metricName":"requests","currentValue":"5"}}]'
)
ALPHA = "autoscaling.alpha.kubernetes.io/"


@pytest.fixture
def registry() -> Registry:
    return make_registry()


def autoscaler(**spec: Any) -> Json:
    return {"metadata": {"name": "it"}, "spec": {"scaleTargetRef": TARGET, "maxReplicas": 5, **spec}}


def test_what_has_no_field_stands_in_annotations_and_comes_back() -> None:
    resource = {"name": "cpu", "current": {"averageUtilization": 12, "averageValue": "3m"}}
    requests = {"describedObject": INGRESS, "metric": {"name": "requests"}, "current": {"value": "5"}}
    condition = {
        "status": "True",
        "reason": "R",
        "message": "m",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }
    status = {
        "currentMetrics": [
            {"type": "Resource", "resource": resource},
            {"type": "Object", "object": requests},
        ],
        "desiredReplicas": 3,
        "currentReplicas": 2,
        "conditions": [{"type": "AbleToScale", **condition}],
    }
    behaviour = {"scaleDown": {**RULES, "policies": [POLICY]}}
    newer = autoscaler(minReplicas=1, metrics=METRICS, behavior=behaviour) | {"status": status}
    newer["apiVersion"] = "autoscaling/v2"
    older = autoscaling_v1.shown(newer)
    assert older["metadata"]["annotations"] == {
        f"{ALPHA}behavior": SHOWN_BEHAVIOUR,
        f"{ALPHA}conditions": SHOWN_CONDITIONS,
        f"{ALPHA}current-metrics": SHOWN_CURRENT,
        f"{ALPHA}metrics": SHOWN_METRICS,
    }
    assert older["spec"] == autoscaler(minReplicas=1, targetCPUUtilizationPercentage=60)["spec"]
    assert older["status"] == {
        "currentReplicas": 2,
        "desiredReplicas": 3,
        "currentCPUUtilizationPercentage": 12,
    }
    assert autoscaling_v1.stored(older) == newer


@pytest.mark.parametrize(("sent", "percent"), [({}, 80), ({"targetCPUUtilizationPercentage": 55}, 55)])
def test_what_is_created_is_stored_as_v2(registry: Registry, sent: Json, percent: int) -> None:
    made = registry.create(KEY, "default", autoscaler(**sent), manager="m", version="v1")
    target = {"type": "Utilization", "averageUtilization": percent}
    assert made["apiVersion"] == "autoscaling/v2"
    assert made["spec"]["metrics"] == [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
    assert made["status"] == {"currentMetrics": None, "desiredReplicas": 0}
    (entry,) = made["metadata"]["managedFields"]
    fields = ("maxReplicas", "minReplicas", "scaleTargetRef", "targetCPUUtilizationPercentage")
    assert entry["apiVersion"] == "autoscaling/v1"
    assert entry["fieldsV1"] == {"f:spec": {f"f:{field}": {} for field in fields}}


def test_a_change_in_the_older_version_keeps_what_only_the_newer_has(registry: Registry) -> None:
    registry.create(KEY, "default", autoscaler(metrics=METRICS), manager="m")
    patch = {"spec": {"targetCPUUtilizationPercentage": 70, "maxReplicas": 7}}
    made = registry.patch(KEY, "default", "it", patch, MERGE_PATCH, manager="n", version="v1")
    first, *others = made["spec"]["metrics"]
    assert (first["resource"]["target"]["averageUtilization"], made["spec"]["maxReplicas"]) == (70, 7)
    assert others == METRICS[1:]
    assert "annotations" not in made["metadata"]


def test_applied_and_replaced(registry: Registry) -> None:
    head = {"apiVersion": "autoscaling/v1", "kind": "HorizontalPodAutoscaler"}
    for percent in (50, 60):
        sent = head | autoscaler(targetCPUUtilizationPercentage=percent)
        made = registry.patch(KEY, "default", "it", sent, APPLY_PATCH, manager="a", version="v1")
        assert made["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"] == percent
    sent = head | autoscaler(targetCPUUtilizationPercentage=70)
    made = registry.update(KEY, "default", "it", sent, manager="m", version="v1")
    assert made["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"] == 70


@pytest.mark.parametrize("kept", ["{", "5", '["a"]', '[{"a": 1}]', '[{"type": "Pods", "pods": 5}]'])
@pytest.mark.parametrize("name", ["metrics", "behavior", "current-metrics", "conditions"])
def test_an_annotation_that_holds_something_else_is_none(registry: Registry, name: str, kept: str) -> None:
    sent = autoscaler(targetCPUUtilizationPercentage=80)
    plain = registry.create(KEY, "default", sent, manager="m", version="v1", dry_run=True)
    sent["metadata"]["annotations"] = {ALPHA + name: kept}
    assert registry.create(KEY, "default", sent, manager="m", version="v1")["spec"] == plain["spec"]


def test_a_metric_that_there_is_not_is_refused(registry: Registry) -> None:
    sent = autoscaler()
    sent["metadata"]["annotations"] = {f"{ALPHA}metrics": '[{"type": "Nothing"}]'}
    with pytest.raises(StatusError, match='Unsupported value: "Nothing"'):
        registry.create(KEY, "default", sent, manager="m", version="v1")
