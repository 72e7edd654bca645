"""What the board shows: the class to its instructor, without names to the projector, to learners themselves.

Messages go in as they arrive; State, Projected and Told come out.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import median

import msgspec

from kata_lib.classroom.quizzed import Answered, Quizzed
from kata_lib.classroom.seat import Raised, Seat, Stuck
from kata_lib.classroom.standing import Standing
from kata_lib.classroom.store import Learner, Offered, Received
from kata_lib.course.exercise import Question
from kata_lib.course.inbox import told
from kata_lib.course.inbox.told import Told
from kata_lib.course.outbox.messages import Prediction, Quiz
from kata_lib.course.quiz.items import ITEMS

ENOUGH = 3
"""Learners who must have done a check before its median says anything."""


class Reset(msgspec.Struct, frozen=True):
    """The offer to reset a step; accepted: None while it is open."""

    step: str
    accepted: bool | None


class Row(msgspec.Struct, frozen=True):
    """One learner; verdicts: the last of each check, right once it was. last, report: seconds since 1970."""

    number: int
    name: str
    verdicts: Mapping[str, str]
    last: float | None
    stuck: Stuck | None
    hand: Raised | None
    report: float | None
    offered: Reset | None


class Predicted(msgspec.Struct, frozen=True):
    """What the class said to one question, and what is expected, for after."""

    question: str
    unit: str
    values: Sequence[float]
    expected: float | None


class Gate(msgspec.Struct, frozen=True):
    """All wait at a check; here: how many are there, of how many."""

    check: str
    here: int
    of: int


class ForAll(msgspec.Struct, frozen=True, kw_only=True):
    """What the board and the projector both show; few: by answers of v2, how many samples of FEW.

    timer: when it ends, and now, in seconds since 1970.
    """

    steps: Mapping[str, Sequence[str]]
    few: Mapping[int, int]
    predictions: Sequence[Predicted]
    projected: str | None
    truth: bool
    gate: Gate | None
    timer: float | None
    message: str
    now: float


class State(ForAll, frozen=True, kw_only=True):
    """The instructor's board, with the quiz and its key."""

    learners: Sequence[Row]
    quiz: Quizzed | None


class Projected(ForAll, frozen=True, kw_only=True):
    """The projector's: nobody's name. done: by step, how many have all its checks right; stuck: by check."""

    count: int
    hands: int
    done: Mapping[str, int]
    stuck: Mapping[str, int]


class Board:
    """A class's board; steps: each notebook's checks. questions: by their text."""

    def __init__(self, steps: Mapping[str, Sequence[str]], questions: Mapping[str, Question]) -> None:
        self.steps = {step: tuple(checks) for step, checks in steps.items() if checks}
        self.plan = tuple(check for checks in self.steps.values() for check in checks)
        self.questions = questions
        self.standing = Standing()
        self._seats: dict[int, Seat] = {}
        self._said: dict[str, dict[int, float]] = {}
        self._answered = Answered(ITEMS)
        self._medians: dict[str, float] | None = None

    def join(self, learner: Learner) -> None:
        """Give a learner a row."""
        self._seats[learner.id] = Seat(learner, self.plan)

    def __contains__(self, learner: Learner) -> bool:
        return learner.id in self._seats

    def leave(self, learner: Learner) -> None:
        """Remove a learner and all that came of them."""
        self._seats.pop(learner.id, None)
        self._medians = None
        self._answered.leave(learner.id)
        for said in self._said.values():
            said.pop(learner.id, None)

    def take(self, received: Received) -> None:
        """Note a learner's message."""
        message, who = received.message, received.learner
        if self._seats[who].take(received):
            self._medians = None
        match message:
            case Prediction(question=question) if question in self.questions:
                self._said.setdefault(question, {})[who] = message.value
            case Quiz():
                self._answered.take(who, message)

    def offer(self, who: int, offered: Offered) -> None:
        """Note what a learner was offered."""
        self._seats[who].offered = offered

    def gate(self) -> Gate | None:
        """Return at which check all wait, None for none."""
        if self.standing.gate is None:
            return None
        check = self.standing.gate[1]
        here = sum(seat.is_right(check) for seat in self._seats.values())
        return Gate(check, here, len(self._seats))

    def state(self, now: float) -> State:
        """Return the instructor's board; now: seconds since 1970."""
        usual = self._usual()
        rows = [self._row(seat, now, usual) for seat in self._seats.values()]
        shared = self._for_all(now, show_truth=True)
        return State(**msgspec.structs.asdict(shared), learners=rows, quiz=self._answered.quizzed())

    def projected(self, now: float) -> Projected:
        """Return what the projector shows; now: seconds since 1970."""
        usual, seats = self._usual(), self._seats.values()
        stuck = Counter(found.check for seat in seats if (found := seat.stuck(now, usual)))
        done = {
            step: sum(all(map(seat.is_right, checks)) for seat in seats)
            for step, checks in self.steps.items()
        }
        hands = sum(seat.hand is not None for seat in seats)
        shared = self._for_all(now, show_truth=False)
        return Projected(
            **msgspec.structs.asdict(shared), count=len(seats), hands=hands, done=done, stuck=stuck
        )

    def told(self, learner: Learner, now: float) -> Told:
        """Return what a learner is told; now: seconds since 1970."""
        seat, stands, gate = self._seats[learner.id], self.standing, self.gate()
        stuck = seat.stuck(now, self._usual())
        offered = seat.offered
        return Told(
            name=learner.name,
            steps=self.steps,
            verdicts=seat.verdicts(),
            predictions={text: said[learner.id] for text, said in self._said.items() if learner.id in said},
            hand=seat.hand.since if seat.hand else None,
            report=seat.report,
            stuck=stuck.check if stuck else "",
            gate=told.Gate(stands.gate[0], gate.check, gate.here, gate.of) if stands.gate and gate else None,
            timer=told.Timer(stands.timer[0], max(0.0, stands.timer[1] - now)) if stands.timer else None,
            message=told.Note(*stands.message) if stands.message else None,
            offer=offered.offer if offered and offered.accepted is None else None,
        )

    def _for_all(self, now: float, show_truth: bool) -> ForAll:
        stands = self.standing
        few = sum((seat.few for seat in self._seats.values()), Counter[int]())
        return ForAll(
            steps=self.steps,
            few=dict(sorted(few.items())),
            predictions=self._predicted(show_truth),
            projected=stands.projected,
            truth=stands.truth,
            gate=self.gate(),
            timer=stands.timer[1] if stands.timer else None,
            message=stands.message[1] if stands.message else "",
            now=now,
        )

    def _row(self, seat: Seat, now: float, usual: Mapping[str, float]) -> Row:
        return Row(
            number=seat.learner.id,
            name=seat.learner.name,
            verdicts=seat.verdicts(),
            last=seat.last,
            stuck=seat.stuck(now, usual),
            hand=seat.hand,
            report=seat.report,
            offered=Reset(seat.offered.offer.step, seat.offered.accepted) if seat.offered else None,
        )

    def _usual(self) -> dict[str, float]:
        """Return how many seconds half of those who did a check took for it, where enough did it."""
        if self._medians is None:
            took: dict[str, list[float]] = {}
            for seat in self._seats.values():
                for check, seconds in seat.took.items():
                    took.setdefault(check, []).append(seconds)
            self._medians = {check: median(times) for check, times in took.items() if len(times) >= ENOUGH}
        return self._medians

    def _predicted(self, show_truth: bool) -> list[Predicted]:
        """Return the distributions; before it is to be shown, the truth is with the instructor alone."""
        stands = self.standing
        asked = ((text, self.questions[text], said) for text, said in self._said.items() if said)
        return [
            Predicted(text, question.unit, sorted(said.values()), question.expected if shown else None)
            for text, question, said in asked
            for shown in [show_truth or (stands.truth and stands.projected == text)]
        ]
