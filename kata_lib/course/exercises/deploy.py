"""01: version 2 beside version 1, without a rule."""

import itertools
from typing import TYPE_CHECKING

from kata_lib.cluster.cluster import Cluster
from kata_lib.course import mistakes, routing, verdicts, wanted
from kata_lib.course.exercise import PERCENT, Exercise, InClass, Question
from kata_lib.course.mistakes import V1_DEPLOYMENTS
from kata_lib.course.result import Result
from kata_lib.course.steps import V1, Step
from kata_lib.course.turn import Turn, seen

if TYPE_CHECKING:
    import pandas as pd


def _v1_alone(cluster: Cluster, sample: "pd.DataFrame") -> Result:
    found = itertools.chain(
        mistakes.extra_version(cluster),
        mistakes.unwanted_route(cluster),
        mistakes.workloads(cluster, V1_DEPLOYMENTS),
        routing.mistakes(cluster, wanted.V1_ALONE),
    )
    return verdicts.first(cluster, found, sample) or verdicts.judge(cluster, sample, 0.0, otherwise=1 / 3)


def _a_third(cluster: Cluster, sample: "pd.DataFrame") -> Result:
    found = itertools.chain(
        mistakes.replicas(cluster, {"name-v1": 2, "name-v2": 1}),
        mistakes.unwanted_route(cluster),
        mistakes.workloads(cluster, verdicts.V1_AND_V2),
        routing.mistakes(cluster, wanted.A_THIRD),
    )
    return verdicts.first(cluster, found, sample) or verdicts.judge(cluster, sample, 1 / 3, otherwise=0.1)


EXERCISE = Exercise(
    Step("deploy", "01-deploy", (V1,)),
    about="version 2 beside version 1: a third, at once, for everyone",
    in_class=InClass(
        say="Deploy beside, no rules: who gets v2?",
        ask="Why is it a third, and who chose that?",
        goes_wrong="v2 is there from an earlier try, so the first check says so: `kata reset deploy`.",
    ),
    checks={"v1-alone": _v1_alone, "a-third": _a_third},
    turns={"deploy-v2": Turn(seen(lambda cluster: mistakes.workloads(cluster, verdicts.V1_AND_V2)))},
    questions={
        "share of v2 beside v1": Question(
            PERCENT,
            "Many say half: two versions, half each. But the Service knows nothing of versions. It knows "
            "three pods, and one of them is v2's.",
            expected=100 / 3,
            out_of=100,
        ),
        "share of v2 on a kept connection": Question(
            PERCENT,
            "Many say 0 or 100: a connection leads to one pod and stays there. So it is with kube-proxy; "
            "here the caller's sidecar chooses anew for each request.",
            expected=100 / 3,
            out_of=100,
        ),
    },
)
