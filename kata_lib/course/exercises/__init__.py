"""The exercises in the order of their notebooks: each module here declares one, as EXERCISE.

Whatever names a step, a check, a turn or a question finds it in one of these tables.
"""

import importlib
import pkgutil
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from kata_lib.course.exercise import Check, Exercise, Question
from kata_lib.course.steps import Step
from kata_lib.course.turn import Turn
from kata_lib.errors import KataError

Named = TypeVar("Named")


def _declared() -> Iterator[Exercise]:
    for module in pkgutil.iter_modules(__path__, f"{__name__}."):
        exercise: Exercise = importlib.import_module(module.name).EXERCISE
        yield exercise


def merged(tables: Iterable[Mapping[str, Named]]) -> dict[str, Named]:
    """Return all entries of several tables; KataError where two have the same name."""
    found: dict[str, Named] = {}
    for table in tables:
        if twice := found.keys() & table.keys():
            raise KataError(f"Two exercises declare {', '.join(sorted(twice))}: one needs another name.")
        found |= table
    return found


EXERCISES = tuple(sorted(_declared(), key=lambda exercise: exercise.step.notebook))
STEPS: tuple[Step, ...] = tuple(exercise.step for exercise in EXERCISES)
CHECKS: Mapping[str, Check] = merged(exercise.checks for exercise in EXERCISES)
TURNS: Mapping[str, Turn] = merged(exercise.turns for exercise in EXERCISES)
QUESTIONS: Mapping[str, Question] = merged(exercise.questions for exercise in EXERCISES)


def step(name: str) -> Step:
    """Return a step by its name or its notebook's; KataError lists those there are."""
    for candidate in STEPS:
        if name in (candidate.name, candidate.notebook):
            return candidate
    raise KataError(f"There is no step {name!r}; the steps are: {', '.join(s.name for s in STEPS)}.")


def question(text: str) -> Question:
    """Return the question with this text; KataError lists those there are."""
    if text not in QUESTIONS:
        raise KataError(f"Nothing asks for {text!r}; the questions are: {'; '.join(QUESTIONS)}.")
    return QUESTIONS[text]
