"""kata_lib.delivery.events: every command and every look, from every phase."""

from collections.abc import Callable

import pytest
from release_plans import plan, seen

from kata_lib.delivery import events
from kata_lib.delivery.state import ReleaseState, Routing
from kata_lib.delivery.steps import HeaderRoute
from kata_lib.errors import ReleaseError

GOOD = seen((0, 60), (0, 540))
BAD = seen((6, 10), (0, 90))
NOTHING = seen((0, 0))


def words(release: ReleaseState) -> list[str]:
    return [decision.word for decision in release.decisions]


def test_a_healthy_canary_goes_through_all_steps() -> None:
    release = events.begin(
        plan({"setWeight": 10}, {"analysis": {}}, {"setWeight": 50}, {"analysis": {}}), 1.0
    )
    assert (release.phase, release.routing) == ("Progressing", Routing(10))
    release = events.look(release, GOOD, 2.0)
    assert (release.phase, release.routing, release.stage) == ("Progressing", Routing(50), 2)
    release = events.look(release, GOOD, 3.0)
    assert (release.phase, release.routing) == ("Healthy", Routing(100))
    assert words(release) == [
        "Started",
        "setWeight 10",
        "Successful success-rate",
        "setWeight 50",
        "Successful success-rate",
        "Healthy",
    ]
    assert [d.weight for d in release.decisions] == [0, 10, 10, 50, 50, 100]


def test_each_stage_is_judged_on_its_own_requests() -> None:
    release = events.begin(
        plan({"setWeight": 10}, {"analysis": {}}, {"setWeight": 50}, {"analysis": {}}), 1.0
    )
    release = events.look(release, GOOD, 2.0)
    release = events.look(release, seen((0, 5), (0, 5)), 3.0)
    assert (release.phase, release.routing.weight) == ("Progressing", 50)


def test_a_faulty_canary_is_sent_back_with_the_reason() -> None:
    release = events.look(events.begin(plan(), 1.0), BAD, 2.0)
    assert (release.phase, release.routing) == ("Degraded", Routing(0))
    said = release.decisions[-1].text
    assert "6 of 10 requests to name-v2 failed (95 % interval 31.3 % to 83.2 %)" in said
    assert "1 % is healthy, 10 % is not. With 2 or fewer it would not be." in said
    assert said.endswith("All requests go to name-v1.")


def test_a_decision_says_what_would_have_changed_it() -> None:
    """And that is so: one more, or one less, changes it."""
    release = events.look(events.begin(plan(), 1.0), GOOD, 2.0)
    assert "0 of 60 requests to name-v2 failed" in release.decisions[2].text
    assert "With 1 or more it would not be." in release.decisions[2].text
    assert events.look(events.begin(plan(), 1.0), seen((1, 60)), 2.0).phase == "Progressing"
    assert events.look(events.begin(plan(), 1.0), seen((2, 10)), 2.0).phase == "Progressing"
    assert events.look(events.begin(plan(), 1.0), seen((3, 10)), 2.0).phase == "Degraded"


def test_a_canary_worse_than_stable_is_sent_back_with_the_evidence() -> None:
    release = events.begin(plan(compared=10.0), 1.0)
    for moment in range(4):
        release = events.look(release, seen((1, 40), (0, 360)), float(moment))
    assert release.phase == "Degraded"
    assert (
        "4 of 160 requests to name-v2 failed (95 % interval 1.0 % to 6.3 %), 0 of 1,440"
        in release.decisions[-1].text
    )
    assert "odds of it are 10 times as high is" in release.decisions[-1].text


def test_where_stable_fails_too_it_is_inconclusive() -> None:
    release = events.begin(plan(inconclusiveLimit=0), 1.0)
    release = events.look(release, seen((6, 10), (50, 90)), 2.0)
    assert (release.phase, release.hold, release.routing.weight) == ("Paused", "inconclusive", 10)
    assert "50 of 90 requests to name-v1 failed" in release.decisions[-1].text
    assert "not the canary's doing alone" in release.decisions[-1].text


def test_silence_is_inconclusive_and_never_success() -> None:
    release = events.begin(plan(inconclusiveLimit=3), 1.0)
    for moment in range(3):
        release = events.look(release, NOTHING, float(moment))
        assert release.phase == "Progressing"
    release = events.look(release, NOTHING, 4.0)
    assert (release.phase, release.hold) == ("Paused", "inconclusive")
    assert "After 3 measurements there is no verdict" in release.decisions[-1].text
    assert "No request to name-v2 was counted" in release.decisions[-1].text
    assert "fewer than 2 requests" in release.decisions[-1].text
    for moment in range(100):
        release = events.look(release, NOTHING, float(moment))
    assert (release.phase, release.routing.weight) == ("Paused", 10)


def test_an_inconclusive_release_goes_on_at_a_persons_word_with_what_it_knows() -> None:
    release = events.look(events.begin(plan(inconclusiveLimit=0), 1.0), seen((0, 40)), 2.0)
    assert release.hold == "inconclusive"
    release = events.look(release, GOOD, 3.0)
    assert release.phase == "Paused"
    release = events.resume(release, 4.0)
    assert release.phase == "Progressing"
    assert events.look(release, NOTHING, 5.0).phase == "Healthy"


def test_metrics_that_cannot_be_read_hold_it() -> None:
    release = events.begin(plan(consecutiveErrorLimit=1), 1.0)
    release = events.blind(release, "no answer.", 2.0)
    release = events.look(release, NOTHING, 3.0)
    release = events.blind(release, "no answer.", 4.0)
    assert release.phase == "Progressing"
    release = events.blind(release, "no answer.", 5.0)
    assert (release.phase, release.hold, release.routing.weight) == ("Paused", "inconclusive", 10)
    assert "2 times in a row, and consecutiveErrorLimit is 1. Last: no answer." in release.decisions[-1].text
    assert events.blind(release, "no answer.", 6.0) == release


def test_as_many_failures_as_the_limit_says_are_borne() -> None:
    release = events.look(events.begin(plan(failureLimit=1), 1.0), BAD, 2.0)
    assert (release.phase, words(release)[-1]) == ("Progressing", "Failed success-rate")
    assert release.tallies["success-rate"].canary.n == 0
    assert events.look(release, BAD, 3.0).phase == "Degraded"


def test_a_pause_with_a_time_ends_by_itself() -> None:
    release = events.begin(plan({"setWeight": 10}, {"pause": {"duration": "5s"}}, {"analysis": {}}), 10.0)
    assert (release.phase, release.hold) == ("Paused", "by the plan")
    assert events.look(release, GOOD, 14.9).phase == "Paused"
    assert events.look(release, GOOD, 15.0).phase == "Progressing"


def test_a_pause_for_approval_waits_and_still_watches() -> None:
    release = events.begin(plan({"setWeight": 10}, {"pause": {}}, {"analysis": {}}), 10.0)
    assert events.look(release, GOOD, 1e6).phase == "Paused"
    assert events.look(release, BAD, 11.0).phase == "Degraded"
    release = events.look(events.resume(release, 12.0), GOOD, 13.0)
    assert release.phase == "Healthy"


def test_held_by_a_person_it_watches_and_stays() -> None:
    release = events.pause(events.begin(plan(), 1.0), 2.0)
    assert (release.phase, release.hold) == ("Paused", "by a person")
    assert events.look(release, GOOD, 3.0).routing.weight == 10
    assert events.look(release, BAD, 3.0).phase == "Degraded"
    assert events.look(events.resume(release, 3.0), GOOD, 4.0).phase == "Healthy"


def test_promoting_one_step_and_fully() -> None:
    release = events.begin(
        plan({"setWeight": 10}, {"analysis": {}}, {"setWeight": 50}, {"analysis": {}}), 1.0
    )
    assert events.promote(release, 2.0).routing.weight == 50
    full = events.promote_fully(release, 2.0)
    assert (full.phase, full.routing) == ("Healthy", Routing(100))


def test_abort_retry_undo() -> None:
    release = events.abort(events.begin(plan(), 1.0), 2.0)
    assert (release.phase, release.routing) == ("Degraded", Routing(0))
    again = events.retry(release, 3.0)
    assert (again.phase, again.routing) == ("Progressing", Routing(10))
    assert again.stage > release.stage
    assert words(again)[:3] == ["Started", "setWeight 10", "Aborted"]
    through = events.look(again, GOOD, 4.0)
    back = events.undo(through, 5.0)
    assert (back.phase, back.routing) == ("Degraded", Routing(0))


@pytest.mark.parametrize(
    ("event", "phase", "said"),
    [
        (events.resume, "Progressing", "not paused"),
        (events.retry, "Progressing", "retry is for one that was aborted"),
        (events.undo, "Progressing", "Try abort"),
        (events.undo, "Degraded", "undo is for one that went through"),
        (events.abort, "Degraded", "has ended .Degraded.*retry begins it again"),
        (events.abort, "Healthy", "has ended .Healthy.*undo takes it back"),
        (events.promote, "Healthy", "has ended"),
        (events.promote_fully, "Degraded", "has ended"),
        (events.pause, "Healthy", "has ended"),
        (events.retry, "Healthy", "retry is for one that was aborted"),
    ],
)
def test_a_command_that_cannot_be_done_says_what_can(
    event: Callable[[ReleaseState, float], ReleaseState], phase: str, said: str
) -> None:
    release = events.begin(plan(), 1.0)
    if phase != "Progressing":
        release = events.look(release, GOOD if phase == "Healthy" else BAD, 2.0)
    assert release.phase == phase
    with pytest.raises(ReleaseError, match=said):
        event(release, 3.0)


def test_weights_changed_elsewhere_hold_it_and_stay() -> None:
    release = events.weights_changed(events.begin(plan(), 1.0), "name-v2 80 %", 2.0)
    assert (release.phase, release.hold) == ("Paused", "weights changed elsewhere")
    assert "name-v2 80 %" in release.decisions[-1].text
    assert events.weights_changed(release, "name-v2 80 %", 3.0) == release
    for look in (GOOD, BAD):
        assert events.look(release, look, 3.0) == release
    resumed = events.resume(release, 4.0)
    assert (resumed.phase, resumed.routing.weight) == ("Progressing", 10)
    assert resumed.stage > release.stage  # so that the routing is put in force anew
    assert events.promote(release, 4.0).stage > release.stage
    assert events.abort(release, 4.0).routing == Routing(0)


def test_testers_first_then_copies_then_users() -> None:
    header = {"name": "testers", "match": [{"headerName": "x-tester", "headerValue": {"exact": "yes"}}]}
    release = events.begin(
        plan(
            {"setHeaderRoute": header},
            {"analysis": {}},
            {"setMirrorRoute": {"percentage": 20}},
            {"analysis": {}},
            {"setWeight": 5},
            {"analysis": {}},
        ),
        1.0,
    )
    testers = (HeaderRoute("testers", "x-tester", "exact", "yes"),)
    routings = []
    for moment in range(4):
        routings.append(release.routing)
        release = events.look(release, GOOD, float(moment))
    assert routings == [Routing(0, testers), Routing(0, testers, 20), Routing(5, testers), Routing(100)]


def test_an_analysis_may_ask_for_some_metrics_only() -> None:
    metrics = [
        {"name": "success-rate", "successCondition": "result >= 0.99", "failureCondition": "result < 0.9"},
        {
            "name": "latency",
            "within": "100ms",
            "successCondition": "result >= 0.9",
            "failureCondition": "result < 0.5",
        },
    ]
    made = plan({"setWeight": 10}, {"analysis": {"metrics": ["success-rate"]}}, metrics=metrics)
    release = events.look(events.begin(made, 1.0), {**GOOD, "latency": NOTHING["success-rate"]}, 2.0)
    assert release.phase == "Healthy"


def test_the_history_is_bounded() -> None:
    release = events.begin(plan(failureLimit=1000), 1.0)
    for moment in range(300):
        release = events.look(release, BAD, float(moment))
    assert len(release.decisions) == events.KEPT
