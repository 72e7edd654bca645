"""The quiz of a notebook: the same questions before and after, the key with the second time only.

Answers are kept in the learner's journal, and told to the class that they joined, if any. Until the second
time is handed in the first may be answered again; of the second the first try counts, for it shows the key.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import EllipsisType

from kata_lib.course import outbox
from kata_lib.course.journal import Journal
from kata_lib.course.quiz.items import ITEMS, LETTERS
from kata_lib.errors import KataError

NONE = "-"
"""In place of a letter: no answer."""

Answers = Mapping[str, str]
"""The letter that was chosen, by the item's name; items without an answer are not in it."""


@dataclass(frozen=True)
class Words:
    """Text that a notebook shows as Markdown."""

    text: str

    def __repr__(self) -> str:
        return self.text

    def _repr_markdown_(self) -> str:
        return self.text


def questions() -> Words:
    """Return the questions with their choices, without the key."""
    asked = []
    for number, item in enumerate(ITEMS.values(), start=1):
        choices = "\n".join(f"   - **{letter}** {item.choice(letter)}" for letter in LETTERS)
        asked.append(f"{number}. {item.text}\n{choices}")
    return Words("\n".join(asked))


def before(letters: str | EllipsisType) -> Words:
    """Note the answers of the first time: a letter each, or - for none; dots are no answers yet."""
    answers, journal = read(letters), Journal()
    if answers is None:
        return Words(_NO_ANSWERS)
    kept = journal.load().quiz
    if "after" in kept:
        return Words("You have seen the key: what you answered before it stays.")
    _note(journal, "before", answers)
    return Words(f"Noted: {written(answers)}. You may change it until the second time, which brings the key.")


def after(letters: str | EllipsisType) -> Words:
    """Hand in the answers of the second time, once, and return the key beside both."""
    answers, journal = read(letters), Journal()
    kept = journal.load().quiz
    if answers is None and "after" not in kept:
        return Words(_NO_ANSWERS)
    if "after" not in kept:
        _note(journal, "after", answers or {})
    return outcome(kept.get("before"), kept.get("after", answers or {}))


def outcome(first: Answers | None, second: Answers) -> Words:
    """Return the key beside both times; first: None where there was none."""
    head = f"**Now {_right(second)} of {len(ITEMS)} are right"
    head += "" if first is None else f", before it were {_right(first)}"
    rows = [
        f"| {number} | {(first or {}).get(name, NONE)} | {second.get(name, NONE)} | "
        f"**{item.right}** {item.choice(item.right)} | {item.why} ({item.notebook}) |"
        for number, (name, item) in enumerate(ITEMS.items(), start=1)
    ]
    table = "| question | before | now | right | why |\n|---|---|---|---|---|"
    return Words("\n".join([f"{head}.**", "", table, *rows]))


def read(letters: str | EllipsisType) -> Answers | None:
    """Return the answers in a text such as "a c - b", None for dots; KataError where it has others."""
    if isinstance(letters, EllipsisType):
        return None
    found = [letter for letter in str(letters).lower() if letter not in " ,;"]
    if len(found) != len(ITEMS) or set(found) - {*LETTERS, NONE}:
        raise KataError(
            f"Expected are {len(ITEMS)} letters of {LETTERS[0]} to {LETTERS[-1]}, with {NONE} where you do "
            f"not know, such as {' '.join([NONE] * len(ITEMS))!r}; found {letters!r}."
        )
    return {name: letter for name, letter in zip(ITEMS, found, strict=True) if letter != NONE}


def written(answers: Answers) -> str:
    """Return answers as a person writes them."""
    return " ".join(answers.get(name, NONE) for name in ITEMS)


_NO_ANSWERS = "No answers yet: put your letters in place of the dots."


def _note(journal: Journal, part: str, answers: Answers) -> None:
    journal.note_quiz(part, answers)
    outbox.quiz(part, answers)


def _right(answers: Answers) -> int:
    return sum(answers.get(name) == item.right for name, item in ITEMS.items())
