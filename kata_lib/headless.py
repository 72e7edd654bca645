"""`kata run`: the exercise with a progress display, its table, and the report."""

import os
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from kata_lib import engines, exercise, report
from kata_lib.exercise import Row
from kata_lib.lab import connect

_COLOURS = {"right": "green", "wrong": "red", "not enough yet": "yellow"}


def run(place: Path | None, console: Console | None = None) -> bool:
    """Do the exercise, print its table, write the report; return whether every step was right.

    All happens in a cluster of its own, which is removed afterwards: a learner's work is not touched.
    """
    console = console or Console()
    began = time.monotonic()
    name = f"{os.environ.get('KATA_NAME') or 'kata'}-run"
    engine = engines.select(cluster=name)
    try:
        with Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        ) as progress:
            rows = _exercise(name, progress)
            executed = _notebooks(name, progress)
    finally:
        engine.stop()
    console.print(table(rows))
    target = report.place(place)
    report.write(rows, executed, target)
    console.print(f"Report: {target}", soft_wrap=True)
    console.print(f"Took {time.monotonic() - began:.0f} s.")
    return all(row.verdict == "right" for row in rows)


def table(rows: list[Row]) -> Table:
    """Return the steps as a table, one row each."""
    made = Table(*report.HEADS)
    for row in rows:
        *cells, verdict = report.cells(row)
        colour = _COLOURS[verdict]
        made.add_row(*cells, f"[{colour}]{verdict}[/{colour}]")
    return made


def _exercise(name: str, progress: Progress) -> list[Row]:
    task = progress.add_task("starting the cluster", total=len(exercise.TITLES))

    def show(title: str, done: float) -> None:
        progress.update(task, description=title, completed=exercise.TITLES.index(title) + done)

    lab = connect(cluster=name, say=lambda line: None)
    rows = []
    for row in exercise.run(lab, show):
        rows.append(row)
        progress.console.print(f"{row.step}: {row.verdict}")
    progress.remove_task(task)
    return rows


def _notebooks(name: str, progress: Progress) -> list[tuple[str, Any]]:
    task = progress.add_task("notebooks")

    def show(notebook: str, cell: int, cells: int) -> None:
        progress.update(task, description=f"notebook {notebook}", completed=cell, total=cells)

    executed = []
    for notebook in report.execute(name, show):
        executed.append(notebook)
        progress.console.print(f"notebook {notebook[0]}: done")
    return executed
