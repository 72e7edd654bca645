"""12: failures that retries hide, time-outs that make them, and who gets paged when the last tier is slow."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kata_lib.cluster.cluster import Cluster
from kata_lib.course import restoring, service, verdicts
from kata_lib.course.exercise import PERCENT, Exercise, InClass, Question
from kata_lib.course.mistake import Mistake
from kata_lib.course.mistakes import V1_DEPLOYMENTS
from kata_lib.course.result import Result
from kata_lib.course.steps import V1, V3, Step
from kata_lib.course.turn import Turn, seen
from kata_lib.course.wanted import V3_ERRORS, WantedRouting
from kata_lib.mesh.virtual_services import speaker
from kata_lib.statistics import shares

if TYPE_CHECKING:
    import pandas as pd

HALF, RETRIES = "deploy/hidden-failures/half.yaml", "deploy/hidden-failures/retries.yaml"
V3_SHARE, ATTEMPTS = 0.5, 2
HIDDEN = V3_SHARE * V3_ERRORS ** (1 + ATTEMPTS)
SEEN = V3_SHARE * V3_ERRORS
TRIED = sum(V3_ERRORS**attempt for attempt in range(1 + ATTEMPTS))
_ROUTING = WantedRouting(
    {"v1": 1 - V3_SHARE, "v3": V3_SHARE}, RETRIES, {"name": HALF, "name-v3": f"{V3}/destination-rule.yaml"}
)


def _not_retried(cluster: Cluster) -> Iterator[Mistake]:
    """Yield why a request that v3 fails is not tried twice more, or goes elsewhere."""
    yield from verdicts.routed(cluster, _ROUTING, (*V1_DEPLOYMENTS, "name-v3"))
    written, mend = speaker(cluster, service.NAME), restoring.applied(RETRIES)
    rule = written["spec"]["http"][0] if written else {}
    policy = rule.get("retries") or {}
    causes = {*str(policy.get("retryOn", "")).replace(" ", "").split(",")}
    if policy.get("attempts") != ATTEMPTS or not {"5xx", "500"} & causes:
        said = ", ".join(f"{field}: {value}" for field, value in policy.items()) or "none"
        asked = f"asked for are {ATTEMPTS} more attempts on 5xx, since version 3 answers 500"
        yield Mistake(f"Retries in the rule for name: {said}; {asked}.", mend)
    for field in (field for field in ("timeout", "fault") if field in rule):
        yield Mistake(f"The rule for name has a {field} too, which makes failures of its own.", mend)


def _retried(cluster: Cluster, sample: "pd.DataFrame") -> Result:
    for mistake in _not_retried(cluster):
        return verdicts.wrong(mistake)
    behind = f"expected {shares.percent(HIDDEN)} behind retries"
    return verdicts.judge_failures(sample, HIDDEN, SEEN, behind)


EXERCISE = Exercise(
    Step("hidden-failures", "12-hidden-failures", (V1, V3, HALF)),
    about="failures that retries hide, time-outs that make them, and who is paged when the last tier is slow",
    in_class=InClass(
        say="Half of what version 3 answers is an error. How many lines of your rules hide most of it?",
        ask="Which of your alerts look at the caller's side, which at the called one, and which of them lie?",
        goes_wrong="Retries without retryOn: 5xx: Istio's own list has no 500 in it. The check says so.",
    ),
    checks={"retries": _retried},
    turns={"retries": Turn(seen(_not_retried))},
    questions={
        "requests that still fail behind retries": Question(
            PERCENT,
            "Many say none. But each attempt fails as often as the first: three in a row are one in eight.",
            expected=100 * HIDDEN,
            out_of=100,
        ),
        "attempts at v3 for 100 requests to it": Question(
            "attempts",
            "Some say 100, others 300. But the second is made after a failure only, the third after two.",
            expected=100 * TRIED,
            rough=0.1,
        ),
        "requests that fail with a time-out of 150 ms": Question(
            PERCENT,
            "Many say 25, as without: those that version 3 fails. But it answers nothing at all in 150 ms, "
            "not even its errors.",
            expected=100 * V3_SHARE,
            out_of=100,
        ),
        "services that are slow, of four": Question(
            "services",
            "Many say one. But who waits for a slow one is slow, and who waits for that one too.",
            expected=3,
        ),
    },
)
