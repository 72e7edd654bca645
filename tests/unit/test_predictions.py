"""Predictions as people write them, and what is said of how far off they were."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kata_lib.course import predictions
from kata_lib.course.exercises import QUESTIONS
from kata_lib.errors import KataError
from kata_lib.lab import unquoted
from kata_lib.statistics.shares import Share, share_of

THIRD = "share of v2 beside v1"
TEN = "v2 answers in ten requests"
THOUSAND = "v2 answers in a thousand requests"
TIME = "time until everyone gets v2"


@pytest.mark.parametrize(
    ("question", "value", "read"),
    [
        (THIRD, 33, 33),
        (THIRD, 1 / 3, 100 / 3),
        (THIRD, "33", 33),
        (THIRD, "33 %", 33),
        (THIRD, "33%", 33),
        (THIRD, " 33,3 percent", 33.3),
        (THIRD, "1/3", 100 / 3),
        (THIRD, "1 in 3", 100 / 3),
        (THIRD, "0.5 %", 0.5),
        (THIRD, "0.5", 50),
        (THIRD, "about 30", 30),
        (THIRD, 0, 0),
        (TEN, 1, 1),
        (TEN, "10 %", 1),
        (TEN, "1/10", 1),
        (THOUSAND, "1,000", 1000),
        (THOUSAND, "10 %", 100),
        (THOUSAND, 0.1, 100),
        (TIME, 0.5, 0.5),
        (TIME, "20 ms", 20),
        (TIME, "1 000", 1000),
    ],
)
def test_a_prediction_is_read_as_it_is_meant(question: str, value: predictions.Said, read: float) -> None:
    assert predictions.read(question, value) == pytest.approx(read)


@pytest.mark.parametrize(
    ("question", "value"),
    [
        (THIRD, "many"),
        (THIRD, "1/0"),
        (THIRD, "33 ms"),
        (THIRD, True),
        (THIRD, float("nan")),
        (THIRD, -1),
        (THIRD, ""),
        (TIME, "10 %"),
        (TIME, "2 s"),
        (THIRD, None),
    ],
)
def test_what_is_no_number_of_the_kind_is_refused_with_an_example(
    question: str, value: predictions.Said
) -> None:
    with pytest.raises(KataError, match=r"is no prediction of this: .* Expected is a number"):
        predictions.read(question, value)


def test_a_question_that_nobody_asks_is_refused() -> None:
    with pytest.raises(KataError, match="share of v2 beside v1"):
        predictions.read("share of v9", 3)


@given(st.sampled_from(sorted(QUESTIONS)), st.floats(0, 1e6))
def test_what_was_noted_is_said_with_its_unit(question: str, value: float) -> None:
    said = predictions.read(question, value)
    assert said is not None
    assert predictions.noted(question, said).startswith(f"Noted, {question}: ")


@pytest.mark.parametrize(
    ("question", "said", "seen", "how_far"),
    [
        (THIRD, 50.0, share_of("v2", 132, 400), "You said 50 %: 17 percentage points too many."),
        (THIRD, 34.0, share_of("v2", 132, 400), "You said 34 %: near enough."),
        (THOUSAND, 500.0, share_of("v2", 100, 1000), "You said 500: 5 times too many."),
        (THOUSAND, 150.0, share_of("v2", 100, 1000), "You said 150: 50 too many."),
        (TIME, 5000.0, 20.0, "You said 5,000 ms: 250 times too many."),
        ("sidecars that one request meets", 4.0, 3, "You said 4 sidecars: 1 sidecar too many."),
        ("sidecars that one request meets", 3.0, 3, "You said so."),
        ("weight at which v3 is stopped", 10.0, 1, "You said 10 %: 9 percentage points too many."),
        (THIRD, None, share_of("v2", 132, 400), ""),
    ],
)
def test_how_far_off(question: str, said: float | None, seen: Share | float, how_far: str) -> None:
    assert predictions.compare(question, said, seen).how_far == how_far


def test_what_chance_does_not_make_is_said_and_what_it_makes_is_not() -> None:
    """A skipped turn leaves v2 a third where a tenth is expected."""
    skipped = predictions.compare(THOUSAND, 100, share_of("v2", 355, 1000))
    assert "expected is 100, and chance does not lead that far away" in repr(skipped)
    assert "chance does not" not in repr(predictions.compare(THOUSAND, 100, share_of("v2", 81, 1000)))
    assert "chance does not" not in repr(predictions.compare(TEN, 1, share_of("v2", 0, 10)))
    assert "chance does not" not in repr(predictions.compare("weight at which v3 is stopped", 1, 10))


@pytest.mark.parametrize(
    ("typed", "runs"),
    [
        ('lab.predict("share", 33 %)\n', "lab.predict(\"share\", '33 %')\n"),
        ('lab.predict("share", 33%)', "lab.predict(\"share\", '33%')\n"),
        ('lab.predict("share", 33,3)', "lab.predict(\"share\", '33,3')\n"),
        ('lab.predict("share", about a third)', "lab.predict(\"share\", 'about a third')\n"),
        ('lab.predict("share", 1/3)\n', 'lab.predict("share", 1/3)\n'),
        ('lab.predict("share", "33 %")\n', 'lab.predict("share", "33 %")\n'),
        ('lab.predict("share, in percent", ...)\n', 'lab.predict("share, in percent", ...)\n'),
        ("print(33 %)\n", "print(33 %)\n"),
    ],
)
def test_a_prediction_needs_no_quotation_marks(typed: str, runs: str) -> None:
    assert unquoted.quoted([typed]) == [runs]
