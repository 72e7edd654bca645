"""kata_lib.delivery.events: every command and every look, from every phase."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from release_plans import VERSIONS, plan, seen

from kata_lib.delivery import events, transitions, words
from kata_lib.delivery.judging import Judgement
from kata_lib.delivery.observed import Look, Observed, Pods
from kata_lib.delivery.state import ReleaseRouting, ReleaseState
from kata_lib.delivery.steps import HeaderRoute
from kata_lib.errors import ReleaseError
from kata_lib.statistics.sequential import Counted

GOOD = seen((0, 60), (0, 540))
BAD = seen((6, 10), (0, 90))
NOTHING = seen((0, 0))
NO_PODS = Pods(0, 0)
CRASHING = Pods(1, 2, "name-v2-0: CrashLoopBackOff")
LATE = 1e4
"""Later than any pause of these plans."""
TWO = plan({"setWeight": 10}, {"analysis": {}}, {"setWeight": 50}, {"analysis": {}})

TWO_METRICS = [
    {"name": "success-rate", "successCondition": "result >= 0.99", "failureCondition": "result < 0.9"},
    {
        "name": "latency",
        "within": "100ms",
        "successCondition": "result >= 0.9",
        "failureCondition": "result < 0.5",
    },
]


def after(release: ReleaseState, *looks: Observed, now: float = 2.0) -> ReleaseState:
    """Return a release after these looks, a second apart."""
    for number, look in enumerate(looks):
        release = events.look(release, look, now + number)
    return release


def everyone_on_the_canary(made: ReleaseState) -> ReleaseState:
    """Return the release of `plan()` where all requests go to the canary, and it is watched."""
    release = after(made, GOOD)
    assert (release.phase, release.hold, release.routing.weight) == ("Paused", "plan", 100)
    return release


def through(release: ReleaseState) -> ReleaseState:
    """Return it after the watch, and a good look."""
    return after(release, GOOD, GOOD, now=LATE)


def made(release: ReleaseState) -> list[tuple[str, str, int]]:
    """Return what was decided, by whom, and the weight since."""
    return [(d.what, d.by, d.weight) for d in release.decisions]


def finding(release: ReleaseState) -> Judgement:
    """Return what the last decision rests on."""
    (found,) = release.decisions[-1].findings
    return found


def test_a_healthy_canary_goes_through_all_steps() -> None:
    release = events.begin(TWO, VERSIONS, 1.0)
    assert (release.phase, release.routing) == ("Progressing", ReleaseRouting(10))
    release = after(release, GOOD)
    assert (release.phase, release.routing, release.stage) == ("Progressing", ReleaseRouting(50), 2)
    release = after(release, GOOD, now=3.0)
    assert (release.phase, release.routing) == ("Paused", ReleaseRouting(100))
    release = through(release)
    assert (release.phase, release.routing) == ("Healthy", ReleaseRouting(100))
    assert made(release) == [
        ("started", "person", 0),
        ("routed", "plan", 10),
        ("successful", "metrics", 10),
        ("routed", "plan", 50),
        ("successful", "metrics", 50),
        ("routed", "plan", 100),
        ("successful", "metrics", 100),
        ("healthy", "metrics", 100),
    ]
    assert [d.weight for d in release.moves] == [10, 50, 100]


def test_each_step_is_judged_on_its_own_requests() -> None:
    release = after(events.begin(TWO, VERSIONS, 1.0), GOOD, seen((0, 5), (0, 5)))
    assert (release.phase, release.routing.weight) == ("Progressing", 50)


def test_what_was_counted_during_a_pause_is_no_analysis() -> None:
    paused = plan({"setWeight": 10}, {"pause": {"duration": "5s"}}, {"analysis": {}})
    release = after(events.begin(paused, VERSIONS, 1.0), GOOD, GOOD, now=5.0)
    assert (release.phase, release.step) == ("Progressing", 2)
    release = after(release, seen((0, 5), (0, 50)), now=7.0)
    assert (release.phase, release.step) == ("Progressing", 2)


def test_a_faulty_canary_is_sent_back_with_the_figures_of_both() -> None:
    release = after(events.begin(plan(), VERSIONS, 1.0), BAD)
    assert (release.phase, release.routing) == ("Degraded", ReleaseRouting(0))
    assert made(release)[-1] == ("aborted", "metrics", 0)
    found = finding(release)
    assert (found.metric, found.verdict, found.reason) == ("success-rate", "Failed", "worse")
    assert (found.canary, found.stable) == (Counted(6, 10), Counted(0, 90))
    assert found.evidence >= found.needed


def test_a_decision_says_what_would_have_changed_it() -> None:
    """And that is so: one more, or one less, changes it."""
    fails = finding(after(events.begin(plan(), VERSIONS, 1.0), BAD)).fails_from
    assert 1 < fails <= 6
    assert after(events.begin(plan(), VERSIONS, 1.0), seen((fails, 10), (0, 90))).phase == "Degraded"
    assert after(events.begin(plan(), VERSIONS, 1.0), seen((fails - 1, 10), (0, 90))).phase == "Progressing"
    kept = after(events.begin(plan(), VERSIONS, 1.0), GOOD).decisions[2].findings[0]
    assert (kept.reason, kept.kept_to) == ("kept", 0)
    assert after(events.begin(plan(), VERSIONS, 1.0), seen((1, 60))).routing.weight == 10


def test_where_both_fail_alike_nobody_is_blamed() -> None:
    release = after(events.begin(plan(inconclusiveLimit=3), VERSIONS, 1.0), *[seen((6, 10), (54, 90))] * 4)
    assert (release.phase, release.hold, release.routing.weight) == ("Paused", "inconclusive", 10)
    found = finding(release)
    assert (found.reason, found.stable) == ("broken", Counted(216, 360))


def test_stable_that_fails_alone_is_not_the_canarys_fault() -> None:
    release = after(
        events.begin(plan(inconclusiveLimit=3), VERSIONS, 1.0),
        *[seen((0, 10), (90, 90), stable_pods=Pods(0, 1, "name-v1-0: CrashLoopBackOff"))] * 4,
    )
    assert (release.phase, release.hold, release.routing.weight) == ("Paused", "inconclusive", 10)
    stable = release.decisions[-1].stable
    assert stable is not None
    assert (stable.gone, stable.why) == (True, "name-v1-0: CrashLoopBackOff")
    assert release.decisions[-1].canary is None


def test_silence_is_inconclusive_and_never_success() -> None:
    release = after(events.begin(plan(inconclusiveLimit=3), VERSIONS, 1.0), *[NOTHING] * 3)
    assert release.phase == "Progressing"
    release = after(release, NOTHING)
    assert (release.phase, release.hold) == ("Paused", "inconclusive")
    assert (finding(release).reason, finding(release).canary.n) == ("few", 0)
    release = after(release, *[NOTHING] * 100)
    assert (release.phase, release.routing.weight) == ("Paused", 10)


def test_no_verdict_rests_on_requests_from_before_the_last_look_alone() -> None:
    """It was well and answers nothing any more: held with the reason, whether asked again or resumed."""
    well_then_silent = [seen((0, 16), (0, 90)), *[NOTHING] * 4]
    release = after(events.begin(plan(inconclusiveLimit=3), VERSIONS, 1.0), *well_then_silent)
    assert (release.hold, finding(release).reason) == ("inconclusive", "few")
    both = plan({"setWeight": 10}, {"analysis": {}}, inconclusiveLimit=3, metrics=TWO_METRICS)
    well, nothing = Look(Counted(0, 60), Counted(0, 60)), Look(Counted(), Counted())
    only_one = Observed({"success-rate": well, "latency": nothing}, Pods(1, 1), Pods(1, 1))
    release = after(events.begin(both, VERSIONS, 1.0), only_one, *[NOTHING_OF_BOTH] * 3)
    assert {f.metric: f.reason for f in release.decisions[-1].findings} == {
        "success-rate": "silent",
        "latency": "few",
    }
    resumed = after(events.resume(release, 9.0), NOTHING_OF_BOTH)
    assert resumed.step == release.step


NOTHING_OF_BOTH = Observed(
    dict.fromkeys(("success-rate", "latency"), Look(Counted(), Counted())), Pods(1, 1), Pods(1, 1)
)


STEPS = pytest.mark.parametrize("step", [{"analysis": {}}, {"pause": {"duration": "1s"}}, {"pause": {}}])


@STEPS
def test_a_canary_whose_pods_are_not_all_ready_goes_nowhere(step: dict[str, object]) -> None:
    """Though all that was counted was well, at every kind of step."""
    waits = plan({"setWeight": 10}, step, {"analysis": {}}, inconclusiveLimit=3)
    release = after(events.begin(waits, VERSIONS, 1.0), *[replace(GOOD, canary=CRASHING)] * 4, now=LATE)
    assert (release.step, release.phase, release.hold) == (1, "Paused", "inconclusive")
    assert release.decisions[-1].canary == CRASHING


@STEPS
def test_a_canary_that_nothing_is_left_of_is_sent_back_though_no_failure_was_counted(
    step: dict[str, object],
) -> None:
    waits = plan({"setWeight": 10}, step, {"analysis": {}}, inconclusiveLimit=3)
    lost = [replace(GOOD, canary=NO_PODS)] * 3
    release = after(events.begin(waits, VERSIONS, 1.0), *lost, now=LATE)
    assert release.routing == ReleaseRouting(10)
    assert after(release, replace(GOOD, canary=Pods(1, 1)), *lost, now=LATE).phase != "Degraded"
    release = after(release, *lost[:1], now=LATE)
    assert (release.phase, made(release)[-1]) == ("Degraded", ("aborted", "metrics", 0))
    said = words.why(release.decisions[-1], release.plan)
    assert "4 measurements in a row found nothing that answers. name-v2 has no pod" in said


def test_where_stable_is_gone_as_well_the_canary_is_not_sent_back() -> None:
    nobody = replace(GOOD, canary=NO_PODS, stable=NO_PODS)
    release = after(events.begin(plan(inconclusiveLimit=3), VERSIONS, 1.0), *[nobody] * 4)
    assert (release.phase, release.hold) == ("Paused", "inconclusive")


def test_failures_that_reached_no_pod_and_are_nobodys_are_no_success_and_no_abort() -> None:
    release = after(
        events.begin(plan(inconclusiveLimit=3), VERSIONS, 1.0), *[seen((0, 60), (0, 540), lost=20)] * 4
    )
    assert (release.phase, release.hold) == ("Paused", "inconclusive")
    found = finding(release)
    assert (found.reason, found.lost, found.canary) == ("few", 80, Counted(0, 240))


def test_with_everyone_on_it_a_canary_that_fails_is_compared_and_then_sent_back() -> None:
    release = after(everyone_on_the_canary(events.begin(plan(), VERSIONS, 1.0)), seen((50, 100)))
    assert (release.phase, release.beside, release.routing) == ("Progressing", True, ReleaseRouting(50))
    assert made(release)[-1] == ("compared", "metrics", 50)
    assert finding(release).reason == "broken"
    release = after(release, seen((25, 50), (0, 50)))
    assert (release.phase, finding(release).reason) == ("Degraded", "worse")


def test_with_everyone_on_it_a_trouble_that_both_have_is_not_the_canarys() -> None:
    release = after(
        everyone_on_the_canary(events.begin(plan(), VERSIONS, 1.0)), seen((50, 100)), seen((25, 50), (25, 50))
    )
    assert (release.phase, release.routing.weight) == ("Progressing", 50)
    release = after(release, *[seen((0, 50), (0, 50))] * 40)
    assert made(release)[-4:] == [
        ("successful", "metrics", 50),
        ("routed", "plan", 100),
        ("successful", "metrics", 100),
        ("healthy", "metrics", 100),
    ]


def test_a_canary_that_fails_only_with_everyone_on_it_is_held_beside_stable() -> None:
    release = everyone_on_the_canary(events.begin(plan(), VERSIONS, 1.0))
    release = after(release, seen((50, 100)), GOOD, seen((50, 100)))
    assert (release.phase, release.hold, release.routing.weight) == ("Paused", "inconclusive", 50)
    assert finding(release).reason == "broken"


def test_with_everyone_on_it_a_canary_without_a_ready_pod_is_sent_back_at_once() -> None:
    release = after(
        everyone_on_the_canary(events.begin(plan(), VERSIONS, 1.0)), seen((50, 100), canary_pods=NO_PODS)
    )
    assert (release.phase, finding(release).reason) == ("Degraded", "gone")
    assert release.decisions[-1].canary == NO_PODS


def test_held_by_a_person_it_is_compared_and_stays_held() -> None:
    release = events.pause(everyone_on_the_canary(events.begin(plan(), VERSIONS, 1.0)), 3.0)
    release = after(release, seen((50, 100)))
    assert (release.hold, release.routing.weight) == ("person", 50)
    assert after(release, GOOD, GOOD).hold == "person"
    assert after(release, seen((25, 50), (0, 50))).phase == "Degraded"
    assert after(events.resume(release, 5.0), GOOD).routing.weight == 100


def test_metrics_that_cannot_be_read_hold_it() -> None:
    release = events.begin(plan(consecutiveErrorLimit=1), VERSIONS, 1.0)
    release = events.blind(release, "no answer.", 2.0)
    release = events.look(release, NOTHING, 3.0)
    release = events.blind(release, "no answer.", 4.0)
    assert release.phase == "Progressing"
    release = events.blind(release, "no answer.", 5.0)
    assert (release.phase, release.hold, release.routing.weight) == ("Paused", "unreadable", 10)
    assert (release.decisions[-1].count, release.decisions[-1].quote) == (2, "no answer.")
    assert events.blind(release, "no answer.", 6.0) == release


def test_as_many_failures_as_the_limit_says_are_borne() -> None:
    release = after(events.begin(plan(failureLimit=1), VERSIONS, 1.0), BAD)
    assert (release.phase, made(release)[-1]) == ("Progressing", ("borne", "metrics", 10))
    assert release.tallies["success-rate"].canary.n == 0
    assert after(release, BAD).phase == "Degraded"


def test_a_pause_with_a_time_ends_by_itself() -> None:
    release = events.begin(
        plan({"setWeight": 10}, {"pause": {"duration": "5s"}}, {"analysis": {}}), VERSIONS, 10.0
    )
    assert (release.phase, release.hold, release.asks) == ("Paused", "plan", False)
    assert events.look(release, GOOD, 14.9).phase == "Paused"
    assert events.look(release, GOOD, 15.0).phase == "Progressing"


def test_a_pause_for_approval_waits_and_still_watches() -> None:
    release = events.begin(plan({"setWeight": 10}, {"pause": {}}, {"analysis": {}}), VERSIONS, 10.0)
    assert release.asks
    assert events.look(release, GOOD, 1e6).phase == "Paused"
    assert events.look(release, BAD, 11.0).phase == "Degraded"
    release = events.look(events.resume(release, 12.0), GOOD, 13.0)
    assert release.routing.weight == 100


def test_after_an_hour_in_which_all_was_well_a_failure_is_seen_as_soon() -> None:
    """Stable fails now and then, which is evidence for the canary, but no credit that it may use up."""
    waits = plan({"setWeight": 50}, {"pause": {}}, {"analysis": {}})
    release = after(events.begin(waits, VERSIONS, 1.0), *[seen((0, 50), (2, 50))] * 3600)
    release = after(release, seen((40, 50), (0, 50)))
    assert release.phase == "Degraded"


def test_held_by_a_person_it_watches_and_stays() -> None:
    release = events.pause(events.begin(plan(), VERSIONS, 1.0), 2.0)
    assert (release.phase, release.hold) == ("Paused", "person")
    assert events.look(release, GOOD, 3.0).routing.weight == 10
    assert events.look(release, BAD, 3.0).phase == "Degraded"
    assert events.look(events.resume(release, 3.0), GOOD, 4.0).routing.weight == 100


def test_promoting_one_step_and_fully() -> None:
    release = events.begin(TWO, VERSIONS, 1.0)
    assert events.promote(release, 2.0).routing.weight == 50
    full = events.promote_fully(release, 2.0)
    assert (full.phase, full.hold, full.routing) == ("Paused", "plan", ReleaseRouting(100))
    assert after(full, seen((50, 100), canary_pods=NO_PODS)).phase == "Degraded"
    again = events.promote_fully(full, 3.0)
    assert (again.phase, made(again)[-1]) == ("Healthy", ("healthy", "person", 100))


def test_the_last_step_left_at_a_persons_word_is_healthy_at_a_persons_word() -> None:
    release = events.promote_fully(events.begin(plan(), VERSIONS, 1.0), 2.0)
    release = events.promote(events.promote(release, 3.0), 4.0)
    assert (release.phase, made(release)[-1]) == ("Healthy", ("healthy", "person", 100))


def test_abort_retry_undo() -> None:
    release = events.abort(events.begin(plan(), VERSIONS, 1.0), 2.0)
    assert (release.phase, release.routing) == ("Degraded", ReleaseRouting(0))
    again = events.retry(release, 3.0)
    assert (again.phase, again.routing) == ("Progressing", ReleaseRouting(10))
    assert again.stage > release.stage
    assert [d.what for d in again.decisions[:3]] == ["started", "routed", "aborted"]
    assert [d.what for d in again.since_started] == ["started", "routed"]
    done = through(after(again, GOOD))
    back = events.undo(done, 5.0)
    assert (back.phase, back.routing, made(back)[-1]) == (
        "Degraded",
        ReleaseRouting(0),
        ("undone", "person", 0),
    )


@pytest.mark.parametrize(
    ("event", "phase", "said"),
    [
        (events.resume, "Progressing", "not paused"),
        (events.retry, "Progressing", "retry is for one that was aborted"),
        (events.undo, "Progressing", "Try abort"),
        (events.undo, "Degraded", "undo is for one that went through"),
        (events.retry, "Healthy", "retry is for one that was aborted"),
        *((event, "Healthy", "undo takes it back") for event in (events.pause, events.abort, events.promote)),
        *((event, "Degraded", "retry begins it again") for event in (events.resume, events.promote_fully)),
    ],
)
def test_a_command_that_makes_no_sense_is_refused(
    event: Callable[[ReleaseState, float], ReleaseState], phase: str, said: str
) -> None:
    release = events.begin(plan(), VERSIONS, 1.0)
    if phase == "Healthy":
        release = through(after(release, GOOD))
    elif phase == "Degraded":
        release = after(release, BAD)
    assert release.phase == phase
    with pytest.raises(ReleaseError, match=said):
        event(release, 3.0)


def test_weights_changed_elsewhere_hold_it_and_stay() -> None:
    found = {"name-v1": 20, "name-v2": 80}
    release = events.weights_changed(events.begin(plan(), VERSIONS, 1.0), found, 2.0)
    assert (release.phase, release.hold, release.decisions[-1].found) == ("Paused", "elsewhere", found)
    assert events.weights_changed(release, found, 3.0) == release
    for look in (GOOD, BAD):
        assert events.look(release, look, 3.0) == release
    resumed = events.resume(release, 4.0)
    assert (resumed.phase, resumed.routing.weight) == ("Progressing", 10)
    assert resumed.stage > release.stage  # so that the routing is put in force anew
    assert events.promote(release, 4.0).stage > release.stage
    assert events.abort(release, 4.0).routing == ReleaseRouting(0)


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
        VERSIONS,
        1.0,
    )
    testers = (HeaderRoute("testers", "x-tester", "exact", "yes"),)
    routings = []
    for moment in range(4):
        routings.append(release.routing)
        release = events.look(release, GOOD, float(moment))
    assert routings == [
        ReleaseRouting(0, testers),
        ReleaseRouting(0, testers, 20),
        ReleaseRouting(5, testers),
        ReleaseRouting(100, testers),
    ]


def test_the_canarys_share_is_known_where_chance_alone_chooses() -> None:
    testers = (HeaderRoute("testers", "x-tester", "exact", "yes"),)
    assert ReleaseRouting(10).by_chance == 0.1
    assert ReleaseRouting(0, mirror=100).by_chance == 0.5
    assert ReleaseRouting(0).by_chance is None
    assert ReleaseRouting(10, testers).by_chance is None


def test_a_canary_that_testers_alone_meet_is_compared_by_the_counts() -> None:
    header = {"name": "testers", "match": [{"headerName": "x-tester", "headerValue": {"exact": "yes"}}]}
    release = events.begin(plan({"setHeaderRoute": header}, {"analysis": {}}), VERSIONS, 1.0)
    release = after(release, seen((6, 10), (0, 90)))
    assert (release.phase, finding(release).fails_from) == ("Degraded", -1)


def test_an_analysis_may_ask_for_some_metrics_only() -> None:
    some = plan({"setWeight": 10}, {"analysis": {"metrics": ["success-rate"]}}, metrics=TWO_METRICS)
    look = {**GOOD.looks, "latency": NOTHING.looks["success-rate"]}
    release = events.look(events.begin(some, VERSIONS, 1.0), replace(GOOD, looks=look), 2.0)
    assert release.routing.weight == 100


def test_the_history_is_bounded() -> None:
    release = events.begin(plan(failureLimit=1000), VERSIONS, 1.0)
    release = after(release, *[BAD] * 600)
    assert len(release.decisions) == transitions.KEPT
