"""14: outlier detection, circuit breakers and retry budgets, none of which is a canary."""

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

from kata_lib.cluster.cluster import Cluster
from kata_lib.course import mistakes, restoring, service, verdicts
from kata_lib.course.exercise import PERCENT, Exercise, InClass, Question
from kata_lib.course.mistake import Mistake
from kata_lib.course.mistakes import V1_DEPLOYMENTS
from kata_lib.course.result import Result
from kata_lib.course.steps import V1, V3, Step
from kata_lib.course.turn import Turn, seen
from kata_lib.course.wanted import V3_ERRORS
from kata_lib.mesh.virtual_services import ISTIO
from kata_lib.statistics import shares

if TYPE_CHECKING:
    import pandas as pd

EJECTION = "deploy/outliers/half-of-the-pods.yaml"
IN_A_ROW, PODS, CANARY = 2, 3, 0.1
FAILING = V3_ERRORS / PODS
NEARLY_NONE = 0.01
"""Of the requests: version 3 comes back now and then, and gets a few before it goes again."""


def _not_ejected(cluster: Cluster) -> Iterator[Mistake]:
    """Yield why a pod of version 3 stays, though it fails."""
    yield from mistakes.workloads(cluster, (*V1_DEPLOYMENTS, "name-v3"))
    mend = restoring.applied(EJECTION)
    yield from mistakes.unwanted_route(cluster)
    rule = cluster.get(ISTIO, "DestinationRule", service.NAME)
    if rule is None or rule["spec"].get("host") != service.NAME:
        yield Mistake(f"No DestinationRule {service.NAME} says when its pods are ejected.", mend)
        return
    detection = (rule["spec"].get("trafficPolicy") or {}).get("outlierDetection")
    if detection is None:
        yield Mistake("The DestinationRule name has no trafficPolicy.outlierDetection.", mend)
        return
    if (wanted := detection.get("consecutive5xxErrors", 5)) != IN_A_ROW:
        yield Mistake(f"consecutive5xxErrors is {wanted}; asked for is {IN_A_ROW}.", mend)
    if (most := detection.get("maxEjectionPercent") or 10) * PODS < 100:
        one = shares.percent(1 / PODS)
        yield Mistake(f"maxEjectionPercent is {most}; one pod of {PODS} is {one}, so none may go.", mend)


def _ejected(cluster: Cluster, sample: "pd.DataFrame") -> Result:
    for mistake in _not_ejected(cluster):
        return verdicts.wrong(mistake)
    behind = f"without an ejection {shares.percent(FAILING)}"
    return verdicts.judge_failures(sample, NEARLY_NONE, FAILING, behind, " the ejection")


EXERCISE = Exercise(
    Step("outliers", "14-outliers", (V1, V3)),
    about="outlier detection, circuit breakers, retry budgets: what they are for, and why none is a canary",
    in_class=InClass(
        say="A pod that fails is left out after two errors. Do you still need a canary?",
        ask="Your canary's dashboard shows no failures, and no requests. What happened, and whom do you ask?",
        goes_wrong="maxEjectionPercent is left out: a tenth of three pods is none. The check says so.",
    ),
    checks={"ejected": _ejected},
    turns={"ejection": Turn(seen(_not_ejected))},
    questions={
        "requests that fail, with a tenth of the pods to eject": Question(
            PERCENT,
            "Many say nearly none: the pod fails twice in a row soon. But one of three pods is more than a "
            "tenth of them, and Envoy never ejects more than it may.",
            expected=float(100 * Fraction(FAILING).limit_denominator(100)),
            out_of=100,
        ),
        "requests that fail after the ejection": Question(
            PERCENT,
            "Some say 17, as before. But whoever asks has left that pod out, until its time is over.",
            expected=0,
            out_of=100,
        ),
        "requests that fail while the canary is ejected": Question(
            PERCENT,
            "Many say none, as before. But the weight still sends a tenth to a subset that has no pod left.",
            expected=100 * CANARY,
            out_of=100,
        ),
    },
)
