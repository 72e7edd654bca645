"""What an instructor sees: who is how far, who is stuck and on what, raised hands, and the class's numbers.

Messages go in as they arrive, a State comes out. Somebody is stuck who was told the same twice, figures
aside, or who has been at a check for twice as long as half of the others took for it.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import median
from typing import NamedTuple

import msgspec

from kata_lib.classroom.quizzed import Answered, Quizzed
from kata_lib.classroom.store import Learner, Received
from kata_lib.course.exercise import Question
from kata_lib.course.outbox.messages import Counts, Hand, Prediction, Quiz, Verdict
from kata_lib.course.quiz.items import ITEMS

FEW = 10
"""Requests of the samples that are pooled: those of notebook 02's first look."""
ENOUGH = 3
"""Learners who must have done a check before its median says anything."""

_FIGURES = re.compile(r"\d[\d.,]*")


class Stuck(msgspec.Struct, frozen=True):
    """On which check somebody is stuck, since when (seconds since 1970), and what they were told."""

    check: str
    since: float
    finding: str


class Raised(msgspec.Struct, frozen=True):
    """A raised hand: since when, the last finding, and what `kata analyze` says."""

    since: float
    finding: str
    analysis: str


class Row(msgspec.Struct, frozen=True):
    """One learner; verdicts: the last of each check, or right once it was."""

    number: int
    name: str
    verdicts: Mapping[str, str]
    last: float | None
    stuck: Stuck | None
    hand: Raised | None


class Predicted(msgspec.Struct, frozen=True):
    """What the class said to one question, and what is expected, for after."""

    question: str
    unit: str
    values: Sequence[float]
    expected: float | None


class State(msgspec.Struct, frozen=True):
    """The board; steps: each notebook's checks. few: by answers of v2, how many samples of FEW."""

    steps: Mapping[str, Sequence[str]]
    learners: Sequence[Row]
    predictions: Sequence[Predicted]
    few: Mapping[int, int]
    quiz: Quizzed | None
    now: float


class _Try(NamedTuple):
    at: float
    verdict: str
    finding: str


class _Seat:
    """What is known of one learner."""

    def __init__(self, learner: Learner) -> None:
        self.learner = learner
        self.last: float | None = None
        self.tries: dict[str, list[_Try]] = {}
        self.right: dict[str, float] = {}
        self.took: dict[str, float] = {}
        self.hand: Raised | None = None
        self._since: float | None = None

    def take(self, received: float, message: object) -> None:
        """Note a message."""
        began = self._since if self._since is not None else received
        self.last, self._since = received, began
        match message:
            case Verdict(check=check) if check not in self.right:
                self.tries.setdefault(check, []).append(_Try(received, message.verdict, message.finding))
                if message.verdict == "right":
                    self.right[check], self.took[check] = received, received - began
                    self._since = received
            case Hand():
                self.hand = Raised(received, message.finding, message.analysis) if message.up else None

    def verdicts(self) -> dict[str, str]:
        return {check: tries[-1].verdict for check, tries in self.tries.items()}

    def stuck(self, now: float, usual: Mapping[str, float]) -> Stuck | None:
        """Return on what the learner is stuck; usual: seconds that half of the others took for a check."""
        open_ = [(check, tries) for check, tries in self.tries.items() if check not in self.right]
        for check, tries in open_:
            same = _told_the_same(tries)
            if len(same) > 1:
                return Stuck(check, same[0].at, same[0].finding)
        for check, tries in open_:
            if self._since is not None and now - self._since > 2 * usual.get(check, float("inf")):
                return Stuck(check, self._since, tries[-1].finding)
        return None


def _told_the_same(tries: Sequence[_Try]) -> list[_Try]:
    """Return the last tries that were told the same, the figures in it aside."""
    same: list[_Try] = []
    for tried in reversed(tries):
        if _FIGURES.sub("", tried.finding) != _FIGURES.sub("", tries[-1].finding):
            break
        same.insert(0, tried)
    return same


class Board:
    """A class's board; steps: each notebook's checks. questions: by their text."""

    def __init__(self, steps: Mapping[str, Sequence[str]], questions: Mapping[str, Question]) -> None:
        self._steps = {step: tuple(checks) for step, checks in steps.items() if checks}
        self._questions = questions
        self._seats: dict[int, _Seat] = {}
        self._said: dict[str, dict[int, float]] = {}
        self._few: dict[int, Counter[int]] = {}
        self._answered = Answered(ITEMS)

    def join(self, learner: Learner) -> None:
        """Give a learner a row."""
        self._seats[learner.id] = _Seat(learner)

    def leave(self, learner: Learner) -> None:
        """Remove a learner and all that came of them."""
        self._seats.pop(learner.id, None)
        self._few.pop(learner.id, None)
        self._answered.leave(learner.id)
        for said in self._said.values():
            said.pop(learner.id, None)

    def take(self, received: Received) -> None:
        """Note a learner's message."""
        message, who = received.message, received.learner
        self._seats[who].take(received.received, message)
        match message:
            case Prediction(question=question) if question in self._questions:
                self._said.setdefault(question, {})[who] = message.value
            case Counts(requests=requests) if requests == FEW:
                self._few.setdefault(who, Counter())[message.versions.get("v2", 0)] += 1
            case Quiz():
                self._answered.take(who, message)

    def state(self, now: float) -> State:
        """Return the board as it is; now: seconds since 1970."""
        usual = self._usual()
        rows = [self._row(seat, now, usual) for seat in self._seats.values()]
        few = sum(self._few.values(), Counter[int]())
        few_sorted = dict(sorted(few.items()))
        return State(self._steps, rows, self._predicted(), few_sorted, self._answered.quizzed(), now)

    def _row(self, seat: _Seat, now: float, usual: Mapping[str, float]) -> Row:
        who = seat.learner
        return Row(who.id, who.name, seat.verdicts(), seat.last, seat.stuck(now, usual), seat.hand)

    def _usual(self) -> dict[str, float]:
        took: dict[str, list[float]] = {}
        for seat in self._seats.values():
            for check, seconds in seat.took.items():
                took.setdefault(check, []).append(seconds)
        return {check: median(times) for check, times in took.items() if len(times) >= ENOUGH}

    def _predicted(self) -> list[Predicted]:
        asked = ((text, self._questions[text], said) for text, said in self._said.items() if said)
        return [
            Predicted(text, question.unit, sorted(said.values()), question.expected)
            for text, question, said in asked
        ]
