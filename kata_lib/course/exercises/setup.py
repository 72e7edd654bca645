"""00: one sentence, and which sidecars had a hand in it."""

import itertools
from typing import TYPE_CHECKING

from kata_lib.cluster.cluster import Cluster
from kata_lib.course import mistakes, routing, verdicts
from kata_lib.course.exercise import Exercise, InClass, Question
from kata_lib.course.mistakes import V1_DEPLOYMENTS
from kata_lib.course.result import Result
from kata_lib.course.steps import Step
from kata_lib.statistics import shares

if TYPE_CHECKING:
    import pandas as pd

HALF = 0.5  # of the requests fail where one of two pods does not answer


def _v1_runs(cluster: Cluster, sample: "pd.DataFrame") -> Result:
    found = itertools.chain(mistakes.workloads(cluster, V1_DEPLOYMENTS), routing.unanswered(cluster))
    if result := verdicts.first(cluster, found, sample):
        return result
    if len(sample) < (needed := shares.requests_needed(0.0, HALF)):
        return Result("", "not enough yet", f"{verdicts.seen(sample)}: take {needed} requests or more.")
    return verdicts.right(f"{verdicts.seen(sample)}, no failure.")


EXERCISE = Exercise(
    Step("setup", "00-setup", ()),
    about="one sentence, and which sidecars had a hand in it",
    in_class=InClass(
        say="Nothing is simulated: each pod has a real Envoy, and what you see was counted.",
        ask="Which sidecar decides which `name` pod answers? (The caller's.)",
        goes_wrong="A second JupyterLab takes another port: use the link that was printed.",
    ),
    checks={"v1-runs": _v1_runs},
    questions={
        "sidecars that one request meets": Question(
            "sidecars",
            "Many say two, one for each further service, or four, one for each pod. But a pod's one sidecar"
            " takes requests in and sends them out, and of the two pods of name only one is asked.",
            expected=3,
        ),
    },
)
