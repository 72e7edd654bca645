"""kata_lib.delivery.words: every decision has its line, with the figures of both versions."""

import pytest
from release_plans import VERSIONS, plan, seen

from kata_lib.delivery import events, words
from kata_lib.delivery.observed import Pods
from kata_lib.delivery.state import ReleaseState
from kata_lib.delivery.steps import Analysis

PLAN = plan({"setWeight": 10}, {"analysis": {}}, inconclusiveLimit=0, consecutiveErrorLimit=0)
GOOD, BAD, NOTHING = seen((0, 60), (0, 540)), seen((6, 10), (0, 90)), seen((0, 0))
GONE = Pods(0, 1, "name-v2-0: CrashLoopBackOff")


def begun() -> ReleaseState:
    return events.begin(PLAN, VERSIONS, 1.0)


def on_all() -> ReleaseState:
    return events.look(begun(), GOOD, 2.0)


def borne() -> ReleaseState:
    return events.look(events.begin(plan(failureLimit=1), VERSIONS, 1.0), BAD, 2.0)


SAID: list[tuple[ReleaseState, str, list[str]]] = [
    (
        events.look(begun(), BAD, 2.0),
        "Aborted",
        [
            "success-rate: 6 of 10 requests to name-v2 failed (95 % interval 31.3 % to 83.2 %), 0 of 90",
            "requests to name-v1 failed (95 % interval 0.0 % to 4.1 %). The evidence that the odds of it",
            "are 11 times as high is 10.2, and 5.3 is enough. With 3 or fewer it would not be. All requests",
        ],
    ),
    (
        events.look(begun(), seen((6, 10), (54, 90)), 2.0),
        "Paused without a verdict",
        ["54 of 90 requests to name-v1", "That is no proof that name-v2 is worse than name-v1. `resume`"],
    ),
    (
        events.look(begun(), NOTHING, 2.0),
        "Paused without a verdict",
        [
            "After 0 measurements there is no verdict. success-rate: no request to name-v2 was counted",
            "takes 49 requests or more.",
        ],
    ),
    (
        events.look(begun(), seen((0, 60), (0, 540), canary_pods=GONE, stable_pods=Pods(0, 0)), 2.0),
        "Paused without a verdict",
        ["0 of 1 pods of name-v2 are ready: name-v2-0: CrashLoopBackOff. name-v1 has no pod."],
    ),
    (
        events.look(begun(), seen((0, 60), (0, 540), lost=7), 2.0),
        "Paused without a verdict",
        ["7 more reached no pod of either."],
    ),
    (
        events.look(on_all(), seen((50, 100)), 3.0),
        "Compared",
        ["50 of 100 requests to name-v2", "50 % of the requests go to name-v2, 50 % to name-v1, until"],
    ),
    (
        events.look(on_all(), seen((50, 100), canary_pods=GONE), 3.0),
        "Aborted",
        ["1 % is healthy, 10 % is not. 0 of 1 pods of name-v2 are ready: name-v2-0: CrashLoopBackOff."],
    ),
    (borne(), "Failed success-rate", ["failureLimit 1 bears it; counting begins anew."]),
    (
        events.blind(begun(), "no answer.", 2.0),
        "Paused without metrics",
        ["could not be read 1 times in a row, and consecutiveErrorLimit is 0. Last: no answer. That is"],
    ),
    (
        events.weights_changed(begun(), {"name-v1": 20, "name-v2": 80}, 2.0),
        "Paused weights changed elsewhere",
        ["the weights are name-v1 20, name-v2 80, where the release has 10 for name-v2. It stays so"],
    ),
    (
        events.weights_changed(begun(), {}, 2.0),
        "Paused weights changed elsewhere",
        ["no VirtualService routes name."],
    ),
    (events.taken_over(begun(), 2.0, 9.0), "Taken over", ["Nobody ran it for 7 s;"]),
    (events.pause(begun(), 2.0), "Paused by a person", ["The weight stays at 10 %."]),
    (events.promote(begun(), 2.0), "setWeight 100", ["100 % of the requests go to name-v2, 0 % to name-v1."]),
    (events.abort(begun(), 2.0), "Aborted", ["At a person's word. All requests go to name-v1."]),
    (
        events.promote_fully(on_all(), 3.0),
        "Healthy",
        ["At a person's word. All requests go to name-v2."],
    ),
    (
        events.undo(events.promote_fully(on_all(), 3.0), 4.0),
        "Undone",
        ["At a person's word. All requests go to name-v1."],
    ),
]


@pytest.mark.parametrize(("release", "name", "said"), SAID, ids=lambda value: str(value)[:20])
def test_a_decision_has_its_words(release: ReleaseState, name: str, said: list[str]) -> None:
    last = release.decisions[-1]
    why = words.why(last, release.plan)
    assert words.name(last, release.plan) == name
    assert " ".join(said) in why or all(part in why for part in said), why
    assert words.line(last, release.plan) == f"00:00:{last.at:02.0f}  {last.weight:3} %  {name}: {why}"


def test_where_it_stands() -> None:
    assert words.where(begun()) == "Progressing, step 2 of 5: analysis. name-v2 10 %, name-v1 90 %."
    held = events.look(begun(), NOTHING, 2.0)
    assert words.where(held).startswith("Paused without a verdict, step 2 of 5: analysis.")
    assert words.where(events.abort(held, 3.0)) == "Degraded. name-v2 0 %, name-v1 100 %."


def test_the_beginning_says_what_the_plan_promises() -> None:
    assert isinstance(PLAN.steps[-1], Analysis)
    said = words.why(begun().decisions[0], PLAN)
    assert "A canary that is no worse than name-v1 is aborted with a chance of at most 1 %" in said
    assert "success-rate needs 49 requests or more to succeed" in said
