"""What the board makes of messages: who is stuck, what was predicted, which samples are pooled."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from kata_lib import classroom
from kata_lib.classroom.board import Board, Row
from kata_lib.classroom.seat import AWAY_SECONDS, FEW
from kata_lib.classroom.store import Learner, Received, Store
from kata_lib.course.exercise import PERCENT, Question
from kata_lib.course.outbox.messages import Counts, Hand, Prediction, Quiz, Said, Verdict
from kata_lib.course.quiz.items import ITEMS, LETTERS
from kata_lib.errors import KataError

STEPS = {"00-setup": (), "01-deploy": ("deployed",), "02-canary": ("canary-10", "scaled")}
SHARE = "share of v2"
QUESTIONS: Mapping[str, Question] = {SHARE: Question(PERCENT, "Many say so.", expected=10, out_of=100)}


@pytest.fixture
def board() -> Board:
    board = Board(STEPS, QUESTIONS)
    for number in range(1, 6):
        board.join(Learner(number, f"Learner {number}"))
    return board


def tell(board: Board, who: int, at: float, message: Said) -> None:
    board.take(Received(who, at, message))


def said(check: str, verdict: str, finding: str = "") -> Verdict:
    return Verdict(when=0, check=check, verdict=verdict, finding=finding)  # type: ignore[arg-type]


def row(board: Board, who: int, now: float = 1000.0) -> Row:
    return next(row for row in board.state(now).learners if row.number == who)


def test_a_notebook_without_checks_has_no_column(board: Board) -> None:
    assert list(board.state(0).steps) == ["01-deploy", "02-canary"]


def test_a_row_has_the_last_verdict_of_each_check_and_what_was_right_stays_so(board: Board) -> None:
    tell(board, 1, 10, said("deployed", "wrong"))
    tell(board, 1, 20, said("deployed", "right"))
    tell(board, 1, 30, said("deployed", "wrong"))
    tell(board, 1, 40, said("canary-10", "not enough yet"))
    assert row(board, 1).verdicts == {"deployed": "right", "canary-10": "not enough yet"}
    assert row(board, 1).last == 40


def test_the_same_finding_twice_is_stuck_whatever_its_figures(board: Board) -> None:
    tell(board, 1, 10, said("canary-10", "wrong", "The share is 33.1 % of 300."))
    assert row(board, 1).stuck is None
    tell(board, 1, 50, said("canary-10", "wrong", "The share is 34 % of 1,000."))
    stuck = row(board, 1).stuck
    assert stuck is not None
    assert (stuck.check, stuck.since, stuck.finding) == ("canary-10", 10, "The share is 33.1 % of 300.")


def test_another_finding_is_progress_and_right_is_not_stuck(board: Board) -> None:
    tell(board, 1, 10, said("canary-10", "wrong", "No DestinationRule."))
    tell(board, 1, 20, said("canary-10", "wrong", "The weights are swapped."))
    assert row(board, 1).stuck is None
    tell(board, 1, 30, said("canary-10", "wrong", "The weights are swapped."))
    assert row(board, 1).stuck is not None
    tell(board, 1, 40, said("canary-10", "right"))
    assert row(board, 1).stuck is None


def test_twice_the_median_of_the_others_is_stuck(board: Board) -> None:
    for who, took in ((1, 100), (2, 110), (3, 400)):
        tell(board, who, 0, said("deployed", "wrong", "no v2"))
        tell(board, who, took, said("deployed", "right"))
    tell(board, 4, 0, said("deployed", "wrong", "no v2"))
    assert row(board, 4, now=220).stuck is None
    late = row(board, 4, now=221).stuck
    assert late is not None
    assert (late.check, late.since) == ("deployed", 0)


def test_before_three_are_done_there_is_no_median(board: Board) -> None:
    for who in (1, 2):
        tell(board, who, 0, said("deployed", "wrong", "no v2"))
        tell(board, who, 1, said("deployed", "right"))
    tell(board, 4, 0, said("deployed", "wrong", "no v2"))
    assert row(board, 4, now=10_000).stuck is None


def test_a_hand_is_up_until_it_is_down(board: Board) -> None:
    tell(board, 2, 10, Hand(when=0, up=True, finding="canary-10: no subset", analysis="IST0101"))
    hand = row(board, 2).hand
    assert hand is not None
    assert (hand.since, hand.finding, hand.analysis) == (10, "canary-10: no subset", "IST0101")
    tell(board, 2, 20, Hand(when=0, up=False))
    assert row(board, 2).hand is None


def test_of_predictions_each_ones_last_counts_and_unknown_questions_do_not(board: Board) -> None:
    for who, value in ((1, 50), (2, 33), (1, 10)):
        tell(board, who, 0, Prediction(when=0, question=SHARE, value=value))
    tell(board, 3, 0, Prediction(when=0, question="<b>mine</b>", value=1))
    (asked,) = board.state(0).predictions
    assert (asked.question, asked.unit, asked.values, asked.expected) == (SHARE, PERCENT, [10, 33], 10)


def test_samples_of_ten_are_pooled_and_others_are_not(board: Board) -> None:
    tell(board, 1, 0, Counts(when=0, requests=FEW, versions={"v1": 10}))
    tell(board, 2, 0, Counts(when=0, requests=FEW, versions={"v1": 8, "v2": 2}))
    tell(board, 3, 0, Counts(when=0, requests=FEW, versions={"v1": 9, "v2": 1}))
    tell(board, 3, 0, Counts(when=0, requests=FEW, versions={"v1": 10}))
    tell(board, 3, 0, Counts(when=0, requests=300, versions={"v2": 300}))
    assert board.state(0).few == {0: 2, 1: 1, 2: 1}


RIGHT = {name: item.right for name, item in ITEMS.items()}
WRONG = {name: LETTERS[LETTERS.index(right) - 1] for name, right in RIGHT.items()}


def quiz(part: str, answers: Mapping[str, str]) -> Quiz:
    return Quiz(when=0, part=part, answers=dict(answers))  # type: ignore[arg-type]


def test_before_anybody_answered_there_is_no_quiz(board: Board) -> None:
    assert board.state(0).quiz is None


def test_the_quiz_counts_each_choice_before_and_after_and_what_those_gained_who_did_both(
    board: Board,
) -> None:
    tell(board, 1, 0, quiz("before", WRONG))
    tell(board, 2, 0, quiz("before", WRONG | {"pods": RIGHT["pods"]}))
    tell(board, 2, 9, quiz("after", RIGHT))
    tell(board, 3, 9, quiz("after", {}))
    found = board.state(0).quiz
    assert found is not None
    assert (found.before, found.after, found.both, found.gained) == (2, 2, 1, (1, len(ITEMS)))
    first, right = found.asked[0], LETTERS.index(RIGHT["pods"])
    assert (first.before[right], first.after[right], first.right) == (1, 1, right)
    assert (sum(first.before), sum(first.after)) == (2, 1)


def test_after_the_key_was_shown_no_answer_changes(board: Board) -> None:
    for part, answers in (("before", WRONG), ("after", WRONG), ("after", RIGHT), ("before", RIGHT)):
        tell(board, 1, 0, quiz(part, answers))
    found = board.state(0).quiz
    assert found is not None
    assert found.gained == (0, 0)


def test_of_whoever_leaves_nothing_stays(board: Board) -> None:
    tell(board, 1, 0, Prediction(when=0, question=SHARE, value=5))
    tell(board, 1, 0, Counts(when=0, requests=FEW, versions={"v2": 3}))
    tell(board, 1, 0, quiz("before", RIGHT))
    board.leave(Learner(1, ""))
    state = board.state(0)
    assert [row.number for row in state.learners] == [2, 3, 4, 5]
    assert (list(state.predictions), dict(state.few), state.quiz) == ([], {}, None)


def test_who_has_not_tried_the_check_that_comes_next_is_stuck_after_twice_the_median_too(
    board: Board,
) -> None:
    for who, took in ((1, 100), (2, 110), (3, 120)):
        tell(board, who, 0, said("deployed", "right"))
        tell(board, who, took, said("canary-10", "right"))
    tell(board, 4, 0, said("deployed", "right"))
    assert row(board, 4, now=220).stuck is None
    late = row(board, 4, now=221).stuck
    assert late is not None
    assert (late.check, late.since, late.finding) == ("canary-10", 0, "")


def test_who_says_nothing_for_an_hour_is_away_and_not_stuck(board: Board) -> None:
    for at in (10, 20):
        tell(board, 1, at, said("canary-10", "wrong", "no subset"))
    assert row(board, 1, now=20 + AWAY_SECONDS).stuck is not None
    assert row(board, 1, now=21 + AWAY_SECONDS).stuck is None


def test_what_was_right_before_joining_says_nothing_of_how_long_it_takes() -> None:
    board = Board(STEPS, QUESTIONS)
    for who in range(1, 5):
        board.join(Learner(who, "", joined=1000.0))
        tell(board, who, 400, said("deployed", "right"))
    for who, took in ((1, 100), (2, 110), (3, 120)):
        tell(board, who, 1000 + took, said("canary-10", "right"))
    assert row(board, 4, now=1220).stuck is None
    late = row(board, 4, now=1221).stuck
    assert late is not None
    assert late.since == 1000


def test_checks_that_the_class_does_not_have_take_no_room(board: Board) -> None:
    tell(board, 1, 0, said("mine-1", "wrong"))
    assert row(board, 1).verdicts == {}


def test_a_learner_is_told_of_themselves_alone(board: Board) -> None:
    tell(board, 1, 10, said("canary-10", "wrong", "no subset"))
    tell(board, 1, 20, said("canary-10", "wrong", "no subset"))
    tell(board, 2, 0, Prediction(when=0, question=SHARE, value=5))
    ada, bob = (board.told(Learner(who, name), 30) for who, name in ((1, "Ada"), (2, "Bob")))
    assert (ada.name, ada.verdicts, ada.stuck, ada.predictions) == (
        "Ada",
        {"canary-10": "wrong"},
        "canary-10",
        {},
    )
    assert (bob.verdicts, bob.stuck, bob.predictions) == ({}, "", {SHARE: 5})
    assert "Ada" not in str(bob)


def test_the_projector_counts(board: Board) -> None:
    for who in (1, 2):
        tell(board, who, 0, said("deployed", "right"))
    for at in (10, 20):
        tell(board, 3, at, said("canary-10", "wrong", "no subset"))
    tell(board, 4, 0, Hand(when=0, up=True))
    shown = board.projected(30)
    assert (shown.count, shown.hands, shown.stuck) == (5, 1, {"canary-10": 1})
    assert shown.done == {"01-deploy": 2, "02-canary": 0}


def test_a_file_that_holds_no_class_is_named(tmp_path: Path) -> None:
    file = tmp_path / "class.sqlite"
    file.write_text("not a database, but long enough to be read as one" * 100)
    with pytest.raises(KataError, match=f"{file} holds no class that can be read: .* Move it away."):
        Store(file)


def test_two_boards_do_not_serve_one_class(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KATA_HOME", str(tmp_path))
    monkeypatch.setattr(classroom, "LOCK_SECONDS", 0.0)
    where = classroom.Where("127.0.0.1", 0)

    async def both() -> None:
        with classroom._store():
            await classroom.serve(where, new_codes=False, say=print)

    with pytest.raises(KataError, match="Another board serves the class of "):
        asyncio.run(both())


def test_what_arrives_late_counts_from_when_it_was_said(tmp_path: Path) -> None:
    store = Store(tmp_path / "class.sqlite")
    ada = store.join("Ada", 1000.0)
    slow_clock = said("canary-10", "wrong"), said("canary-10", "right")
    messages = [
        msgspec.structs.replace(one, when=when) for one, when in zip(slow_clock, (5.0, 65.0), strict=True)
    ]
    got = store.add(ada, messages, now=2000.0, sent=95.0)
    assert [one.received for one in got] == [1910.0, 1970.0]
    assert list(store.messages()) == got
    store.close()
