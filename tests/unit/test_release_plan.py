"""kata_lib.delivery.plan: a plan is read as it is meant, and what is wrong with it is named."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from kata_lib import delivery
from kata_lib.delivery.metric import Metric
from kata_lib.delivery.steps import WATCH, Analysis, HeaderRoute, MirrorRoute, Pause, SetWeight
from kata_lib.errors import ReleaseError

ROOT = Path(__file__).parents[2]
REQUESTS_A_SECOND = 400
"""Of notebooks 06 and 13."""
PLANS = sorted((ROOT / "deploy/rollouts").glob("*.yaml"))

WHOLE = """
service: name
caller: sentences
stable: name-v1
canary: name-v2
steps:
- setHeaderRoute: {name: testers, match: [{headerName: x-tester, headerValue: {exact: "yes"}}]}
- analysis: {metrics: [success-rate]}
- setMirrorRoute: {percentage: 20}
- pause: {duration: 2m}
- setWeight: 1
- pause: {}
- setWeight: 100
analysis:
  interval: 500ms
  failureLimit: 1
  inconclusiveLimit: 30
  consecutiveErrorLimit: 2
  falseAbort: 0.06
  missed: 0.02
  metrics:
  - name: success-rate
    successCondition: "result >= 0.99"
    failureCondition: result < 0.9
    oddsAgainstStable: 3
  - {name: latency, within: 0.25s, successCondition: result >= 0.95, failureCondition: result < 0.8}
"""


def changed(**parts: Any) -> dict[str, Any]:
    """Return the whole plan's source with other parts."""
    return {**yaml.safe_load(WHOLE), **parts}


def analysis(**parts: Any) -> dict[str, Any]:
    return changed(analysis={**yaml.safe_load(WHOLE)["analysis"], **parts})


def metric(**parts: Any) -> dict[str, Any]:
    given = {"name": "success-rate", "successCondition": "result >= 0.99", "failureCondition": "result < 0.9"}
    return analysis(metrics=[{**given, **parts}])


def test_a_plan_is_read_in_argo_rollouts_terms() -> None:
    plan = delivery.parse(yaml.safe_load(WHOLE))
    assert plan.steps == (
        HeaderRoute("testers", "x-tester", "exact", "yes"),
        Analysis(("success-rate",)),
        MirrorRoute(20),
        Pause(120.0),
        SetWeight(1),
        Pause(None),
        SetWeight(100),
        Pause(WATCH),
        Analysis(),
    )
    assert plan.metrics == (
        Metric("success-rate", 0.01, 0.1, odds=3.0),
        Metric("latency", 0.05, 0.2, within=250),
    )
    assert (plan.interval, plan.failure_limit, plan.inconclusive_limit) == (0.5, 1, 30)
    assert (plan.consecutive_error_limit, plan.false_abort, plan.missed) == (2, 0.06, 0.02)
    assert plan.alpha == pytest.approx(0.06 / 2)
    # as many times as 20 % are 5 %, where the plan does not say
    assert [plan.odds(metric) for metric in plan.metrics] == pytest.approx([3.0, (0.2 / 0.8) / (0.05 / 0.95)])


def test_a_plan_says_itself_again() -> None:
    plan = delivery.parse(yaml.safe_load(WHOLE))
    assert delivery.parse(yaml.safe_load(repr(plan))) == plan


def test_a_plan_may_be_changed() -> None:
    plan = delivery.read("deploy/rollouts/v2.yaml").changed(steps=[{"setWeight": 50}, {"analysis": {}}])
    assert plan.steps[:2] == (SetWeight(50), Analysis())


def test_a_release_ends_with_everyone_on_the_canary_and_watched() -> None:
    steps = [{"setWeight": 50}, {"analysis": {}}]
    watched = (SetWeight(100), Pause(WATCH), Analysis())
    assert delivery.parse(changed(steps=steps)).steps == (SetWeight(50), Analysis(), *watched)
    own = [*steps, {"setWeight": 100}, {"analysis": {}}]
    assert delivery.parse(changed(steps=own)).steps[2:] == (SetWeight(100), Analysis())


@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.name)
def test_the_workshops_plans_can_be_followed(path: Path) -> None:
    """At the notebooks' rate the first weight brings twice as many requests as a verdict needs, in time."""
    plan = delivery.read(path)
    weights = [step.weight for step in plan.steps if isinstance(step, SetWeight)]
    assert weights in ([1, 10, 50, 100], [10, 50, 100])
    brought = REQUESTS_A_SECOND * weights[0] / 100 * plan.interval * plan.inconclusive_limit
    assert all(2 * plan.limit(metric).fewest <= brought for metric in plan.metrics)


MISTAKES: list[tuple[Any, str]] = [
    ("a word", r"Expected fields in the plan \(service, caller, stable"),
    ({}, "the plan lacks service, caller, stable, canary, steps"),
    (changed(strategy="canary"), "a field of the plan to be one of .*; found 'strategy'"),
    (changed(canary="name-v1"), "stable and canary are both 'name-v1'"),
    (changed(canary=2), "Expected a word for canary, found 2"),
    (changed(steps=[]), "Expected a list of steps"),
    (changed(steps=[{"setWeight": 10}]), "No step is an analysis"),
    (changed(steps=[{"setWait": 10}]), "step 1 to be one of setWeight, pause, .*; found 'setWait'"),
    (changed(steps=["pause"]), "Step 1: expected one of setWeight"),
    (changed(steps=[{"experiment": {}}]), "found 'experiment'"),
    (
        changed(steps=[{"setWeight": 20}, {"analysis": {}}, {"setWeight": 10}]),
        "Step 3: setWeight 10 after 20. The weights of a release rise",
    ),
    (changed(steps=[{"setWeight": 101}]), "from 0 to 100 for step 1, setWeight, found 101"),
    (changed(steps=[{"setWeight": True}]), "found True"),
    (changed(steps=[{"setWeight": 1.5}]), "found 1.5"),
    (changed(steps=[{"pause": {"duration": "soon"}}]), "Expected a time for step 1, pause.*'soon'"),
    (changed(steps=[{"pause": {"until": "9am"}}]), "found 'until'"),
    (changed(steps=[{"analysis": {"metrics": ["cpu"]}}]), "one of success-rate, latency; found 'cpu'"),
    (changed(steps=[{"analysis": {"metrics": "cpu"}}]), "expected a list of metrics' names"),
    (changed(steps=[{"setMirrorRoute": {"percentage": -1}}]), "found -1"),
    (changed(steps=[{"setWeight": 5}, {"setMirrorRoute": {"percentage": 5}}]), "comes before the first"),
    (changed(steps=[{"setHeaderRoute": {"name": "x", "match": []}}]), "expected one match"),
    (
        changed(
            steps=[
                {"setHeaderRoute": {"name": "x", "match": [{"headerName": "a", "headerValue": {"is": "b"}}]}}
            ]
        ),
        "one of exact, prefix, regex; found 'is'",
    ),
    (analysis(metrics=[]), "Expected a list of metrics in analysis.metrics"),
    (analysis(interval="0s"), "Expected a time for analysis.interval"),
    (analysis(failureLimit=-1), "whole number from 0 on for analysis.failureLimit, found -1"),
    (analysis(falseAbort=0), "fraction between 0 and 0.5 for analysis.falseAbort"),
    (analysis(count=5), "a field of analysis to be one of .*; found 'count'"),
    (metric(name="cpu"), "a metric's name to be one of success-rate, latency; found 'cpu'"),
    (metric(provider={}), "found 'provider'"),
    (metric(within="1s"), "latency needs `within`"),
    (metric(name="latency"), "latency needs `within`"),
    (metric(successCondition="result > 0.9"), "such as `result >= 0.95`, found 'result > 0.9'"),
    (metric(successCondition="result >= 1"), "found 'result >= 1'"),
    (metric(failureCondition="result < 0.99"), "nothing can be told apart"),
    (metric(oddsAgainstStable=1), "must be above 1, not 1"),
    (metric(oddsAgainstStable="twice"), "Expected a number"),
    (analysis(metrics=yaml.safe_load(WHOLE)["analysis"]["metrics"][:1] * 2), "stands once"),
]


@pytest.mark.parametrize(("source", "said"), MISTAKES)
def test_a_mistake_is_named(source: Any, said: str) -> None:
    with pytest.raises(ReleaseError, match=said):
        delivery.parse(source)


def test_a_file_that_is_no_plan(tmp_path: Path) -> None:
    file = tmp_path / "plan.yaml"
    file.write_text("a: [")
    with pytest.raises(ReleaseError, match="is not a plan in YAML"):
        delivery.read(file)
    for nowhere, there in (
        (tmp_path / "other.yaml", "plan.yaml"),
        (Path("deploy/rollouts/v9.yaml"), "v2.yaml"),
    ):
        with pytest.raises(ReleaseError, match=rf"There is no file .* there are: .*{there}"):
            delivery.read(nowhere)


def test_metrics_that_are_not_counted_are_left_out() -> None:
    read = delivery.parse(yaml.safe_load(WHOLE))
    assert [m.name for m in read.without(["latency"]).metrics] == ["success-rate"]
    assert read.without([]) is read
    with pytest.raises(ReleaseError, match="Expected a list of metrics"):
        read.without(["latency", "success-rate"])
