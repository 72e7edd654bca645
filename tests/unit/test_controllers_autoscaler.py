"""A HorizontalPodAutoscaler keeps its target within its bounds, and says why it does no more."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from control_plane import deployment, make_registry

from kata_lib.engines.embedded.api.printers import printer_of
from kata_lib.engines.embedded.controllers.autoscaler import (
    PERIOD_SECONDS,
    UNMEASURED,
    HorizontalController,
)
from kata_lib.engines.embedded.objects import condition
from kata_lib.engines.embedded.registry.registry import Registry
from kata_lib.engines.embedded.registry.status import StatusError
from kata_lib.engines.embedded.registry.table import RESOURCES
from kata_lib.engines.embedded.store import Obj

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(seconds=PERIOD_SECONDS)
ITEM = ("default", "web")


@pytest.fixture
def moments() -> list[datetime]:
    """The present moment; tests change it."""
    return [NOON]


@pytest.fixture
def registry(moments: list[datetime]) -> Registry:
    return make_registry(clock=lambda: moments[0])


def autoscaler(**spec: Any) -> Obj:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    return {"metadata": {"name": "web"}, "spec": {"maxReplicas": 3, "scaleTargetRef": target, **spec}}


def create(registry: Registry, **spec: Any) -> Obj:
    return registry.create("horizontalpodautoscalers", "default", autoscaler(**spec), manager="test")


def looked_at(registry: Registry, moments: list[datetime]) -> Obj:
    """Return the autoscaler after its first period."""
    moments[0] = LATER
    assert HorizontalController(registry).reconcile(ITEM) == PERIOD_SECONDS
    return registry.get("horizontalpodautoscalers", *ITEM)


@pytest.mark.parametrize(("replicas", "wanted"), [(1, 2), (2, 2), (3, 3), (9, 3)])
def test_the_target_stays_within_the_bounds(
    registry: Registry, moments: list[datetime], replicas: int, wanted: int
) -> None:
    registry.create("deployments", "default", deployment(replicas=replicas), manager="test")
    create(registry, minReplicas=2)
    looked_at(registry, moments)
    assert registry.get("deployments", *ITEM)["spec"]["replicas"] == wanted


def test_nothing_is_done_in_the_first_period(registry: Registry) -> None:
    registry.create("deployments", "default", deployment(replicas=9), manager="test")
    create(registry)
    assert HorizontalController(registry).reconcile(ITEM) == PERIOD_SECONDS
    assert registry.get("deployments", *ITEM)["spec"]["replicas"] == 9


def test_it_says_that_nothing_is_measured(registry: Registry, moments: list[datetime]) -> None:
    registry.create("deployments", "default", deployment(), manager="test")
    create(registry)
    found = looked_at(registry, moments)
    able, active = condition(found, "AbleToScale"), condition(found, "ScalingActive")
    assert able
    assert able["status"] == "True"
    assert active
    assert (active["status"], active["reason"]) == ("False", "FailedGetResourceMetric")
    assert UNMEASURED in active["message"]
    assert found["status"]["currentReplicas"] == 2
    (event,) = registry.list("events", "default")
    assert (event["type"], event["reason"]) == ("Warning", "FailedGetResourceMetric")


def test_a_target_that_rests_is_left_alone(registry: Registry, moments: list[datetime]) -> None:
    registry.create("deployments", "default", deployment(replicas=0), manager="test")
    create(registry)
    active = condition(looked_at(registry, moments), "ScalingActive")
    assert active
    assert active["reason"] == "ScalingDisabled"
    assert registry.get("deployments", *ITEM)["spec"]["replicas"] == 0


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ({}, 'deployments.apps "web" not found'),
        ({"kind": "Nothing"}, 'no matches for kind "Nothing" in "apps/v1"'),
        ({"apiVersion": "v1", "kind": "Service"}, 'no matches for kind "Service" in "v1"'),
    ],
)
def test_a_target_that_is_not_there_is_named(
    registry: Registry, moments: list[datetime], target: dict[str, str], why: str
) -> None:
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", **target}
    create(registry, scaleTargetRef=reference)
    able = condition(looked_at(registry, moments), "AbleToScale")
    assert able
    assert (able["status"], able["reason"]) == ("False", "FailedGetScale")
    assert why in able["message"]


def test_one_that_is_gone_is_no_longer_looked_at(registry: Registry) -> None:
    assert HorizontalController(registry).reconcile(ITEM) is None


def test_whoever_makes_one_is_told(registry: Registry) -> None:
    told: list[str] = []
    registry.create("horizontalpodautoscalers", "default", autoscaler(), manager="test", warnings=told)
    (warning,) = told
    assert UNMEASURED in warning


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ({"maxReplicas": 0}, "spec.maxReplicas: Invalid value: 0: must be greater than 0"),
        ({"minReplicas": 0}, "spec.minReplicas: Invalid value: 0: must be greater than or equal to 1"),
        ({"minReplicas": 4}, "Invalid value: 3: must be greater than or equal to `minReplicas`"),
        ({"scaleTargetRef": {"name": "web"}}, "spec.scaleTargetRef.kind: Required value"),
        ({"metrics": [{"type": "Moon"}]}, 'spec.metrics[0].type: Unsupported value: "Moon"'),
        ({"metrics": [{"type": "Pods"}]}, "spec.metrics[0].pods: Required value"),
    ],
)
def test_what_makes_no_sense_is_refused(registry: Registry, spec: dict[str, Any], why: str) -> None:
    with pytest.raises(StatusError) as refused:
        create(registry, **spec)
    assert why in refused.value.message


def test_defaults_are_those_of_a_real_server(registry: Registry) -> None:
    spec = create(registry, behavior={"scaleDown": {"selectPolicy": "Min"}})["spec"]
    assert spec["minReplicas"] == 1
    assert spec["metrics"][0]["resource"]["target"] == {"type": "Utilization", "averageUtilization": 80}
    assert spec["behavior"]["scaleDown"]["selectPolicy"] == "Min"
    assert len(spec["behavior"]["scaleUp"]["policies"]) == 2


def test_its_row_shows_that_the_measure_is_unknown(registry: Registry) -> None:
    memory = {"name": "memory", "target": {"type": "AverageValue", "averageValue": "200Mi"}}
    object_ = {"target": {"type": "Value", "value": "10"}}
    metrics = [
        {"type": "Resource", "resource": memory},
        {"type": "Object", "object": object_},
        {"type": "Pods", "pods": object_},
    ]
    made = create(registry, metrics=metrics)
    cells = printer_of(RESOURCES["horizontalpodautoscalers"]).cells(made, NOON)
    targets = "memory: <unknown>/200Mi, <unknown>/10 + 1 more..."
    assert cells == ["Deployment/web", targets, "1", 3, 0, "0s"]
