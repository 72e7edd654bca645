"""A number said before the truth is shown, and both side by side afterwards."""

import html
from dataclasses import dataclass
from types import EllipsisType

from kata_lib.errors import KataError
from kata_lib.statistics.shares import Share, number


@dataclass(frozen=True)
class Comparison:
    """What a person said, what is expected and what was seen; shows itself in a notebook as one row."""

    question: str
    said: float | None
    expected: float | None
    seen: str

    def __repr__(self) -> str:
        return "; ".join(f"{head}: {cell}" for head, cell in zip(_HEADS, self.cells(), strict=True))

    def _repr_html_(self) -> str:
        head = "".join(f"<th style='text-align:left'>{h}</th>" for h in _HEADS)
        row = "".join(f"<td style='text-align:left'>{html.escape(c)}</td>" for c in self.cells())
        return f"<table><thead><tr>{head}</tr></thead><tbody><tr>{row}</tr></tbody></table>"

    def cells(self) -> tuple[str, str, str, str]:
        """Return as text the question, what was said, what is expected, and what was seen."""
        said = "no number yet" if self.said is None else number(self.said)
        expected = "" if self.expected is None else number(self.expected)
        return self.question, said, expected, self.seen


_HEADS = ("question", "you said", "expected", "seen")


class Predictions:
    """The numbers said so far, by question."""

    def __init__(self) -> None:
        self._said: dict[str, float] = {}

    def note(self, question: str, value: float | EllipsisType) -> str:
        """Keep a number for a question and return a line that says so; dots are no number yet."""
        if isinstance(value, EllipsisType):
            return f"No prediction yet: put a number in place of the dots ({question})."
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise KataError(f"A prediction is a number, not {value!r}: {question}.")
        self._said[question] = float(value)
        return f"Noted, {question}: {value:g}. Now look."

    def compare(self, question: str, seen: Share | float, expected: float | None = None) -> Comparison:
        """Put prediction, expectation and observation side by side.

        A Share is shown in percent with its 95 % interval and number of requests; a number as it is.
        expected: in the question's unit, so 10 for ten percent.
        """
        text = str(seen) if isinstance(seen, Share) else number(seen)
        return Comparison(question, self._said.get(question), expected, text)
