"""What `kata progress` prints."""

import sys
from collections.abc import Sequence
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from kata_lib.course import progress
from kata_lib.course.progress import tables

_WIDEST = 1000
"""Characters of a table's line."""


def of_one() -> None:
    """Print the learner's own table, one row a step; raises ProgressError."""
    found = progress.load()
    _print(("step", "checks", "last done", "still to do"), tables.steps(found, tables.plan()))
    if found.learner:
        print(f"Listed as: {found.learner}")


def of_class(files: Sequence[Path], as_csv: bool) -> bool:
    """Print the table of a class; say on stderr which files do not count, and return whether all did."""
    gathered = tables.gather(files)
    plan = tables.plan()
    if as_csv:
        print(tables.as_csv(gathered.learners, plan), end="")
    else:
        _print(tables.heads(plan), tables.rows(gathered.learners, plan), whole=True)
    for problem in gathered.problems:
        print(f"kata: not counted: {problem}", file=sys.stderr)
    return not gathered.problems


def _print(heads: Sequence[str], rows: Sequence[Sequence[str]], whole: bool = False) -> None:
    """Print a table; whole: no cell is cut short, even where the terminal is not that wide."""
    table = Table(*heads, box=box.HORIZONTALS, pad_edge=False, show_edge=False)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))  # a learner's name is no markup
    console = Console()
    if whole:
        as_it_is = console.options.update(max_width=_WIDEST)
        console.width = max(console.width, console.measure(table, options=as_it_is).maximum)
    console.print(table)
