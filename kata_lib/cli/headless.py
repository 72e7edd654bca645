"""`kata run`: the exercise with a progress display, its table, and the report."""

import time
from collections.abc import Collection
from pathlib import Path

from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from kata_lib import engines
from kata_lib.cli import exercise, report
from kata_lib.cli.exercise import Row
from kata_lib.course.application import APPLICATION
from kata_lib.course.journal import Journal
from kata_lib.lab import activity
from kata_lib.lab.lab import Lab, connect

_COLOURS = {"right": "green", "wrong": "red", "not enough yet": "yellow"}


def run(place: Path | None, only: Collection[str] = ()) -> bool:
    """Do the exercise, print its table, write the report; return whether every step was right.

    only: the notebooks to run, all where none is named. All happens in a cluster of its own, which is removed
    afterwards: a learner's work is not touched.
    """
    console = Console()
    began = time.monotonic()
    name = _cluster()
    try:
        with Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        ) as progress:
            with activity.shown(activity.Nowhere):  # the display of the run itself stands there
                lab = connect(cluster=name, say=lambda line: None)
                rows = _exercise(lab, progress)
            executed = _notebooks(name, only, progress)
        kept = Journal(name).load()
    finally:
        clean_up()
    target = report.place(place)
    report.write(rows, executed, kept, target)
    console.print(f"Report after {time.monotonic() - began:.0f} s: {target}", soft_wrap=True)
    errors = [done.error for done in executed if done.error]
    for error in errors:
        console.print(error, style="red", soft_wrap=True)
    console.print(table(rows))
    for note in report.notes(rows):
        console.print(note)
    return not errors and all(row.verdict == "right" for row in rows)


def clean_up() -> None:
    """Remove the cluster of a run, and what it noted."""
    name = _cluster()
    engines.select(APPLICATION, cluster=name).stop()
    Journal(name).forget()


def _cluster() -> str:
    return f"{engines.cluster_name()}-run"


def table(rows: list[Row]) -> Table:
    """Return the steps as a table, one row each."""
    made = Table(*report.HEADS, box=box.HORIZONTALS, pad_edge=False, show_edge=False, collapse_padding=True)
    for row in rows:
        *cells, verdict = report.cells(row)
        colour = _COLOURS[verdict]
        made.add_row(*cells, f"[{colour}]{verdict}[/{colour}]")
    return made


def _exercise(lab: Lab, progress: Progress) -> list[Row]:
    task = progress.add_task("starting the cluster", total=len(exercise.TITLES))

    def show(title: str, done: float) -> None:
        progress.update(task, description=title, completed=exercise.TITLES.index(title) + done)

    rows = []
    for row in exercise.run(lab, show):
        rows.append(row)
        progress.console.print(f"{row.step}: {row.verdict}")
    progress.remove_task(task)
    return rows


def _notebooks(name: str, only: Collection[str], progress: Progress) -> list[report.Executed]:
    task = progress.add_task("notebooks")

    def show(notebook: str, cell: int, cells: int) -> None:
        progress.update(task, description=f"notebook {notebook}", completed=cell, total=cells)

    executed = []
    for done in report.execute(name, show, only):
        executed.append(done)
        said = f"skipped. {done.skipped}" if done.skipped else "failed" if done.error else "done"
        progress.console.print(f"notebook {done.name}: {said}")
    return executed
