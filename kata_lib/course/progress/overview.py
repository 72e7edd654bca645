"""The map of the notebooks: a link to each, its minutes, and the learner's own ticks."""

from collections.abc import Sequence
from dataclasses import dataclass

from kata_lib.course import notebooks, progress
from kata_lib.course.progress import Progress, ProgressError, tables


@dataclass(frozen=True)
class Row:
    """One notebook: its name, what it is about, its minutes, its checks, and which of them are right."""

    name: str
    title: str
    minutes: int
    checks: Sequence[str]
    right: frozenset[str]

    @property
    def ticks(self) -> str:
        """A sign for each check in its order: a tick for a right one, a dot for one that is open."""
        return " ".join("✓" if check in self.right else "·" for check in self.checks)


@dataclass(frozen=True)
class Overview:
    """The map, drawn in a notebook; `problem`: why the learner's ticks cannot be read, "" where they can."""

    rows: Sequence[Row]
    problem: str = ""

    def __repr__(self) -> str:
        return "\n".join(f"{row.ticks:8} {row.name:24} {row.minutes} min  {row.title}" for row in self.rows)

    def _repr_markdown_(self) -> str:
        lines = ["| your checks | notebook | what it is about | minutes |", "|---|---|---|---|"]
        lines += [
            f"| {_in_words(row)} | [{row.name}]({row.name}.ipynb) | {row.title} | {row.minutes} |"
            for row in self.rows
        ]
        return "\n".join([*lines, "", self._foot()])

    def _foot(self) -> str:
        if self.problem:
            return self.problem
        right = sum(len(row.right) for row in self.rows)
        all_of_them = sum(len(row.checks) for row in self.rows)
        if not right:
            return "No check is done yet. Begin with [00-setup](00-setup.ipynb)."
        next_one = next((row.name for row in self.rows if len(row.right) < len(row.checks)), "")
        where = f" Go on with [{next_one}]({next_one}.ipynb)." if next_one else " That is all of them."
        return f"{right} of {all_of_them} checks are done.{where}"


def notebook_map() -> Overview:
    """Return the map with the learner's own ticks."""
    try:
        return Overview(_rows(progress.load()))
    except ProgressError as error:
        return Overview(_rows(Progress("")), str(error))


def _rows(found: Progress) -> list[Row]:
    right = {name for name, check in found.checks.items() if check.right}
    checks = tables.plan()
    return [
        Row(
            source.stem,
            notebooks.title(source),
            notebooks.minutes(source),
            checks[source.stem],
            frozenset(right & {*checks[source.stem]}),
        )
        for source in notebooks.sources()
    ]


def _in_words(row: Row) -> str:
    """Return the ticks, and what they say to a screen reader."""
    return f'<span title="{len(row.right)} of {len(row.checks)} done">{row.ticks}</span>'
