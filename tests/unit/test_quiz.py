"""The quiz: answers as they are written, kept and told; the key not before the second time."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from class_server import served

from kata_lib.course import notebooks, outbox, quiz
from kata_lib.course.journal import Journal
from kata_lib.course.outbox import membership
from kata_lib.course.quiz import paper
from kata_lib.course.quiz.items import ITEMS, LETTERS, Item
from kata_lib.errors import KataError
from kata_lib.machine import PROJECT

RIGHT = " ".join(item.right for item in ITEMS.values())
SKIPPED = " ".join("-" * len(ITEMS))
FIRST = "a" + SKIPPED[1:]


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KATA_HOME", str(tmp_path / "home"))


def kept() -> dict[str, dict[str, str]]:
    return {part: dict(answers) for part, answers in Journal().load().quiz.items()}


def reasons(shown: object) -> list[str]:
    return [name for name, item in ITEMS.items() if item.why in str(shown)]


@pytest.mark.parametrize("item", ITEMS.values(), ids=ITEMS)
def test_an_item_has_one_right_choice_among_four_others(item: Item) -> None:
    assert len(set(item.choices)) == len(LETTERS)
    assert item.right in LETTERS
    assert (notebooks.SOURCES / f"{item.notebook}.py").is_file()


def test_no_letter_is_right_more_often_than_chance_would_have_it() -> None:
    assert sorted(RIGHT.replace(" ", "")) == sorted(LETTERS * 2)


def test_the_questions_have_every_choice_and_no_reason() -> None:
    shown = str(quiz.questions())
    assert all(
        item.text in shown and all(choice in shown for choice in item.choices) for item in ITEMS.values()
    )
    assert reasons(shown) == []


def test_the_first_time_is_noted_may_change_and_brings_no_key() -> None:
    quiz.before(SKIPPED)
    noted = quiz.before(FIRST)
    assert f"Noted: {FIRST}." in str(noted)
    assert reasons(noted) == []
    assert kept() == {"before": {"pods": "a"}}


def test_the_second_time_brings_the_key_beside_both() -> None:
    quiz.before(FIRST)
    shown = quiz.after(RIGHT)
    assert f"Now {len(ITEMS)} of {len(ITEMS)} are right, before it were 0." in str(shown)
    assert reasons(shown) == list(ITEMS)
    assert "| 1 | a | c | **c** a third |" in str(shown)


def test_what_was_handed_in_stays() -> None:
    quiz.after(SKIPPED)
    again = quiz.after(RIGHT)
    assert "Now 0 of" in str(again)
    assert "key" in str(quiz.before(RIGHT))
    assert kept() == {"after": {}}
    assert str(quiz.after(...)) == str(again)


def test_dots_are_no_answers_and_nothing_is_kept() -> None:
    assert "No answers yet" in str(quiz.before(...))
    assert "No answers yet" in str(quiz.after(...))
    assert kept() == {}


def test_a_run_without_a_person_answers_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    page = next(page for page in notebooks.PAGES if page.stem == "quiz")
    cells = notebooks.of(page, solutions=True)["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    exec("\n".join(re.sub(r"^(quiz\..*)", r"print(\1)", cell, flags=re.MULTILINE) for cell in code), {})
    assert capsys.readouterr().out.count("No answers yet") == 2
    assert kept() == {}


@pytest.mark.parametrize("letters", ["", "a", "a b c d e f g h", RIGHT + " a", "33"])
def test_other_letters_are_refused_and_nothing_is_kept(letters: str) -> None:
    with pytest.raises(KataError, match=f"Expected are {len(ITEMS)} letters of a to d, .* found '{letters}'"):
        quiz.before(letters)
    assert kept() == {}


@pytest.mark.parametrize(
    "form", [str.upper, lambda text: text.replace(" ", ""), lambda t: t.replace(" ", ", ")]
)
def test_letters_are_read_as_people_write_them(form: Callable[[str], str]) -> None:
    assert quiz.read(form(RIGHT)) == {name: item.right for name, item in ITEMS.items()}


def test_both_times_reach_the_class_also_when_it_is_joined_later(tmp_path: Path) -> None:
    quiz.before(FIRST)
    with served(tmp_path / "class.sqlite") as board:
        membership.join(board.url, board.learners_code, "Ada")
        outbox.catch_up()
        quiz.after(RIGHT)
        while outbox.send():
            pass
        joined = membership.current()
        assert joined is not None
        told = membership.kept(joined)
    assert b'"part":"before","answers":{"pods":"a"}' in told
    assert told.count(b'"part":"after"') == 1


def test_the_quiz_on_paper_is_what_is_asked() -> None:
    assert (PROJECT / paper.FILE).read_text() == paper.text(), "run: python -m kata_lib.course.quiz.paper"
    asked, _, key = paper.text().partition("## The key")
    assert reasons(asked) == []
    assert reasons(key) == list(ITEMS)
