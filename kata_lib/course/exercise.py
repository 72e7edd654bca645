"""What an exercise is: a notebook's beginning, and what its cells may name.

A module of `exercises/` declares one, and that is all that ties a notebook in: its step, the checks, turns
and questions of its cells, its lines in the README and in the instructor's table.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kata_lib.cluster.cluster import Cluster
from kata_lib.course.result import Result
from kata_lib.course.steps import Step
from kata_lib.course.turn import Turn
from kata_lib.statistics.shares import number

if TYPE_CHECKING:
    import pandas as pd

PERCENT = "%"

Check = Callable[[Cluster, "pd.DataFrame"], Result]
"""Judges what a step shows, by the cluster's objects and a sample; the result's name is filled in later."""


@dataclass(frozen=True)
class Question:
    """A number to predict; unit: of the answer, "" for a plain count.

    out_of: how many a fraction or a percentage is of, None where neither makes sense. expected: what theory
    says, in the unit; None where only a measurement tells. rough: how far off, as a part of what was seen,
    still counts as near. others: what many say instead, and why it is not so.
    """

    unit: str
    others: str
    expected: float | None = None
    out_of: int | None = None
    rough: float = 0.0

    def written(self, value: float) -> str:
        """Return a number with its unit, with as many digits as make sense."""
        unit = self.unit[:-1] if value == 1 and len(self.unit) > len("ms") else self.unit
        return f"{number(value)} {unit}".rstrip()


@dataclass(frozen=True)
class InClass:
    """An instructor's notes: what to say before, what to ask afterwards, what goes wrong."""

    say: str
    ask: str
    goes_wrong: str


@dataclass(frozen=True)
class Exercise:
    """One notebook, and what its cells may name.

    about: what it is about, in half a sentence, for the README and for the end of the notebook before it.
    checks, turns, questions: by the names that its cells use.
    """

    step: Step
    about: str
    in_class: InClass
    checks: Mapping[str, Check] = field(default_factory=dict)
    turns: Mapping[str, Turn] = field(default_factory=dict)
    questions: Mapping[str, Question] = field(default_factory=dict)
