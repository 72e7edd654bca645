"""02: ten percent, and what a sample tells."""

import itertools
from typing import TYPE_CHECKING

from kata_lib.cluster.cluster import Cluster
from kata_lib.course import mistakes, routing, verdicts, wanted
from kata_lib.course.exercise import PERCENT, Exercise, InClass, Question
from kata_lib.course.result import Result
from kata_lib.course.steps import SCALED, V1, V2, Step
from kata_lib.course.turn import Turn, routed, seen

if TYPE_CHECKING:
    import pandas as pd


def _canary_10(cluster: Cluster, sample: "pd.DataFrame") -> Result:
    found = verdicts.routed(cluster, wanted.CANARY_10)
    return verdicts.first(cluster, found, sample) or verdicts.judge(cluster, sample, 0.1, otherwise=1 / 3)


def _weights_rule(cluster: Cluster, sample: "pd.DataFrame") -> Result:
    found = itertools.chain(
        routing.unsafe(cluster, wanted.CANARY_BY_FOUR_PODS),
        mistakes.replicas(cluster, SCALED),
        verdicts.routed(cluster, wanted.CANARY_BY_FOUR_PODS),
    )
    # With four pods beside two, plain Kubernetes would give v2 two thirds.
    return verdicts.first(cluster, found, sample) or verdicts.judge(cluster, sample, 0.1, otherwise=2 / 3)


EXERCISE = Exercise(
    Step("canary", "02-canary", (V1, V2)),
    about="ten percent; how little ten requests tell, and how much a thousand",
    in_class=InClass(
        say="A share is exact, a sample is not. Let everyone shout their count in ten requests: no two rows "
        "agree.",
        ask="Why is scaling v2 no canary?",
        goes_wrong="Judging after ten requests; editing the file and not applying it; v1 and v2 swapped. The "
        "check names each.",
    ),
    checks={"canary-10": _canary_10, "weights-rule": _weights_rule},
    turns={
        "canary": Turn(routed(wanted.CANARY_10)),
        "scale-v2": Turn(seen(lambda cluster: mistakes.replicas(cluster, SCALED))),
    },
    questions={
        "v2 answers in ten requests": Question(
            "",
            "Nearly everyone says 1. That is the mean of many tens, and a single ten shows it only two "
            "times in five.",
            expected=1,
            out_of=10,
        ),
        "v2 answers in a thousand requests": Question(
            "",
            "Nearly everyone says 100. That is the mean; a single thousand lies between 82 and 118 nineteen "
            "times in twenty.",
            expected=100,
            out_of=1000,
        ),
        "share of v2 with four v2 pods": Question(
            PERCENT,
            "Many say 67, four pods of six. So it would be without weights; with them the sidecar first "
            "chooses the subset, by weight, and only then one of its pods.",
            expected=10,
            out_of=100,
        ),
    },
)
