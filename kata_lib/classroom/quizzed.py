"""The class's quiz: how often each choice was taken before and after, and what those gained who did both."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import mean

import msgspec

from kata_lib.course.outbox.messages import Quiz
from kata_lib.course.quiz.items import LETTERS, Item

Answers = Mapping[str, str]


class Asked(msgspec.Struct, frozen=True):
    """One question: its choices, how many took each before and after, and which is right, from 0 on."""

    text: str
    choices: Sequence[str]
    before: Sequence[int]
    after: Sequence[int]
    right: int


class Quizzed(msgspec.Struct, frozen=True):
    """How many answered before, after and both times; of the last, the mean of right answers each time."""

    before: int
    after: int
    both: int
    gained: tuple[float, float] | None
    asked: Sequence[Asked]


class Answered:
    """What the learners answered; items: by name."""

    def __init__(self, items: Mapping[str, Item]) -> None:
        self._items = items
        self._before: dict[int, Answers] = {}
        self._after: dict[int, Answers] = {}

    def take(self, who: int, said: Quiz) -> None:
        """Note a learner's answers: of the second time the first count, and none before change after it."""
        if who in self._after:
            return
        (self._before if said.part == "before" else self._after)[who] = said.answers

    def leave(self, who: int) -> None:
        """Remove a learner's answers."""
        self._before.pop(who, None)
        self._after.pop(who, None)

    def quizzed(self) -> Quizzed | None:
        """Return the class's answers; None where nobody answered."""
        if not self._before and not self._after:
            return None
        asked = [self._asked(name, item) for name, item in self._items.items()]
        both = self._before.keys() & self._after.keys()
        gained = (self._mean(self._before, both), self._mean(self._after, both)) if both else None
        return Quizzed(len(self._before), len(self._after), len(both), gained, asked)

    def _asked(self, name: str, item: Item) -> Asked:
        before, after = (
            [sum(answers.get(name) == letter for answers in part.values()) for letter in LETTERS]
            for part in (self._before, self._after)
        )
        return Asked(item.text, item.choices, before, after, LETTERS.index(item.right))

    def _mean(self, part: Mapping[int, Answers], whose: Iterable[int]) -> float:
        return mean(self._right(part[who]) for who in whose)

    def _right(self, answers: Answers) -> int:
        return sum(answers.get(name) == item.right for name, item in self._items.items())
