"""The end of a notebook: its checks with ticks, and its predictions with how far off they were."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from kata_lib.course import notebooks, progress
from kata_lib.course.journal import Content, Journal, JournalError, Prediction
from kata_lib.course.progress import Progress, ProgressError, tables


@dataclass(frozen=True)
class Ending:
    """What was done in a notebook: its checks, those that are right, each question with what came of it."""

    notebook: str
    checks: Sequence[str]
    right: Collection[str]
    predictions: Mapping[str, Prediction | None]

    def __repr__(self) -> str:
        said = [": ".join(filter(None, [text, one.how_far])) for text, one in self._compared()]
        return "\n".join([self._head(), *self._ticks(), *said])

    def _repr_markdown_(self) -> str:
        lines = [f"**{self._head()}**", "", *(f"- {tick}" for tick in self._ticks())]
        lines += ["", "| prediction | you said | seen | how far off |", "|---|---|---|---|"]
        lines += [
            f"| {text} | {one.said} | {one.seen} | {one.how_far or 'no number said'} |"
            for text, one in self._compared()
        ]
        lines += [
            f"| {text} | nothing | not looked at yet | |"
            for text, one in self.predictions.items()
            if one is None
        ]
        return "\n".join(lines)

    def _head(self) -> str:
        done = sum(check in self.right for check in self.checks)
        return f"What you have done in {self.notebook}: {done} of {len(self.checks)} checks"

    def _ticks(self) -> list[str]:
        return [f"✓ {check}" if check in self.right else f"· {check} is still open" for check in self.checks]

    def _compared(self) -> list[tuple[str, Prediction]]:
        return [(text, one) for text, one in self.predictions.items() if one is not None]


def ending(notebook: str, journal: Journal) -> Ending:
    """Return the end of a notebook, from the learner's progress and journal, as far as they can be read."""
    kept, done = _kept(journal), _done()
    right = {name for name, check in done.checks.items() if check.right}
    right |= {name for name, check in kept.checks.items() if check.verdict == "right"}
    source = (notebooks.SOURCES / f"{notebook}.py").read_text()
    asked = dict.fromkeys(re.findall(r'\blab\.predict\("([^"]+)"', source))
    return Ending(
        notebook, tables.plan()[notebook], right, {text: kept.predictions.get(text) for text in asked}
    )


def _kept(journal: Journal) -> Content:
    try:
        return journal.load()
    except JournalError:
        return Content()


def _done() -> Progress:
    try:
        return progress.load()
    except ProgressError:
        return Progress("")
