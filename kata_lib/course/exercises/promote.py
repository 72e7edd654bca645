"""05: promote, meet a version that is not well, roll back, clean up."""

import itertools
from typing import TYPE_CHECKING

from kata_lib.cluster.cluster import Cluster
from kata_lib.course import mistakes, routing, verdicts, wanted
from kata_lib.course.exercise import Exercise, InClass, Question
from kata_lib.course.result import Result
from kata_lib.course.steps import CANARY, V1, V2, Step
from kata_lib.course.turn import Turn, routed
from kata_lib.course.wanted import UNROUTED_FAILURES, V3_FAILURES

if TYPE_CHECKING:
    import pandas as pd


def _v3_hurts(cluster: Cluster, sample: "pd.DataFrame") -> Result:
    found = itertools.chain(
        verdicts.routed(cluster, wanted.CANARY_OF_V3, (*verdicts.V1_AND_V2, "name-v3")),
        routing.retries(cluster),
    )
    for mistake in found:
        return verdicts.wrong(mistake)
    seen = verdicts.failures_of(sample)
    said = f"{seen.count} requests failed: {seen}"
    return verdicts.verdict(cluster, said, seen, V3_FAILURES, UNROUTED_FAILURES)


def _cleaned_up(cluster: Cluster, _: "pd.DataFrame") -> Result:
    for mistake in mistakes.left_over(cluster):
        return verdicts.wrong(mistake)
    return verdicts.right(f"Nothing of the workshop is left in namespace {cluster.namespace}.")


_promoted = verdicts.everyone_on_v2(lambda cluster: verdicts.routed(cluster, wanted.PROMOTED))

EXERCISE = Exercise(
    Step("promote", "05-promote", (V1, V2, CANARY)),
    about="promote, meet a version that is not well, roll back, clean up",
    in_class=InClass(
        say="Now a version that is not well. Write your guess on the board.",
        ask="What did the canary save, and what did it not do?",
        goes_wrong="Rolling back by deleting v3 first: then a tenth of the requests has nowhere to go, 503. "
        "Weights first, pods later.",
    ),
    checks={
        "promoted": _promoted,
        "v3-hurts": _v3_hurts,
        "rolled-back": _promoted,
        "cleaned-up": _cleaned_up,
    },
    turns={
        "promote": Turn(routed(wanted.PROMOTED)),
        "canary-v3": Turn(routed(wanted.CANARY_OF_V3)),
        "roll-back": Turn(routed(wanted.PROMOTED)),
    },
    questions={
        "failed, of a thousand users": Question(
            "users",
            "Many say 500, half of them, or 100, a tenth of them. Both are true at once: a tenth meets v3, "
            "and of those every second one fails.",
            expected=1000 * V3_FAILURES,
            out_of=1000,
        ),
    },
)
