"""Where the exercises are listed for people: a table's rows in a document, as the exercises declare them."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kata_lib.course import notebooks
from kata_lib.course.exercise import Exercise
from kata_lib.course.exercises import EXERCISES
from kata_lib.errors import KataError


@dataclass(frozen=True)
class Listing:
    """A document's table of exercises; begins: the line above its rows, as a regular expression."""

    begins: str
    row: Callable[[Exercise], str]

    def of(self, text: str) -> str:
        """Return the document with a row for each exercise; KataError where it has no such table."""
        rows = "".join(f"{self.row(exercise)}\n" for exercise in EXERCISES)
        listed, tables = re.subn(
            rf"({self.begins}\n)(?:\|.*\n)*", lambda found: found[1] + rows, text, count=1
        )
        if not tables:
            raise KataError(f"The document has no line that matches {self.begins}.")
        return listed


def _minutes(exercise: Exercise) -> int:
    return notebooks.minutes(notebooks.SOURCES / f"{exercise.step.notebook}.py")


def _for_readers(exercise: Exercise) -> str:
    name = exercise.step.notebook
    return f"| [{name}](notebooks/{name}.ipynb) | {exercise.about} | {_minutes(exercise)} min |"


def _for_instructors(exercise: Exercise) -> str:
    said = exercise.in_class
    cells = (exercise.step.notebook, _minutes(exercise), said.say, said.ask, said.goes_wrong)
    return f"| {' | '.join(map(str, cells))} |"


LISTINGS: Mapping[str, Listing] = {
    "README.md": Listing(r"\| \[start\].*", _for_readers),
    "docs/instructor.md": Listing(r"\| notebook \| minutes \|.*\n\|[-|]+", _for_instructors),
}
"""Each document that lists the exercises, by its path from the project's folder."""
