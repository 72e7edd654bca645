"""`kata run`: the exercise with a progress display, its table, and the report.

Half of a notebook's time is waiting, so two run side by side where a second cluster costs little.
"""

import time
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import TypeVar

from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from kata_lib import engines
from kata_lib.cli import exercise, report
from kata_lib.cli.exercise import Row
from kata_lib.cluster import waiting
from kata_lib.course.application import APPLICATION
from kata_lib.course.journal import Journal, together
from kata_lib.lab import activity
from kata_lib.lab.lab import Lab, connect

Done = TypeVar("Done")

_COLOURS = {"right": "green", "wrong": "red", "not enough yet": "yellow"}


def run(place: Path | None, only: Collection[str] = ()) -> bool:
    """Do the exercise, print its table, write the report; return whether every step was right.

    only: the notebooks to run, all where none is named. All happens in clusters of its own, which are removed
    afterwards: a learner's work is not touched.
    """
    console = Console()
    began = time.monotonic()
    try:
        labs = _connected()
        with Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        ) as progress:
            rows, executed = _side_by_side(labs, report.chosen(only), progress)
        kept = together(Journal(name).load() for name in _clusters())
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
    """Remove the clusters of a run, and what it noted."""
    with activity.shown(), waiting.busy("Removing the cluster"):
        for name in _clusters():
            engines.select(APPLICATION, cluster=name).stop()
            Journal(name).forget()


def _clusters() -> list[str]:
    """Return the names of a run's clusters: two where each costs little, one elsewhere."""
    name = f"{engines.cluster_name()}-run"
    cheap = engines.select(APPLICATION, cluster=name).name == "embedded"
    return [name, f"{name}-too"] if cheap else [name]


def _connected() -> list[Lab]:
    """Bring the run's clusters up, one in this thread, whose waits are shown."""
    first, *others = _clusters()
    with ThreadPoolExecutor() as threads:
        beside = [threads.submit(_lab, cluster) for cluster in others]
        return [_lab(first), *(lab.result() for lab in beside)]


def _lab(cluster: str) -> Lab:
    return connect(cluster=cluster, say=lambda line: None)


def _side_by_side(
    labs: Collection[Lab], sources: Iterable[Path], progress: Progress
) -> tuple[list[Row], list[report.Executed]]:
    """Do the exercise and each notebook, each in a cluster that nothing else uses meanwhile."""
    free: SimpleQueue[Lab] = SimpleQueue()
    for lab in labs:
        free.put(lab)

    def alone(work: Callable[[Lab, Progress], Done]) -> Done:
        lab = free.get()
        try:
            return work(lab, progress)
        finally:
            free.put(lab)

    # The display of the run itself stands where each wait would be shown.
    with activity.shown(activity.Nowhere), ThreadPoolExecutor(len(labs)) as threads:
        rows = threads.submit(alone, _exercise)
        executed = [threads.submit(alone, partial(_notebook, source)) for source in sources]
        try:
            return rows.result(), [notebook.result() for notebook in executed]
        except BaseException:
            threads.shutdown(wait=False, cancel_futures=True)
            raise


def table(rows: list[Row]) -> Table:
    """Return the steps as a table, one row each."""
    made = Table(*report.HEADS, box=box.HORIZONTALS, pad_edge=False, show_edge=False, collapse_padding=True)
    for row in rows:
        *cells, verdict = report.cells(row)
        colour = _COLOURS[verdict]
        made.add_row(*cells, f"[{colour}]{verdict}[/{colour}]")
    return made


def _exercise(lab: Lab, progress: Progress) -> list[Row]:
    task = progress.add_task("the exercise", total=len(exercise.TITLES))

    def show(title: str, done: float) -> None:
        progress.update(task, description=title, completed=exercise.TITLES.index(title) + done)

    rows = []
    for row in exercise.run(lab, show):
        rows.append(row)
        progress.console.print(f"{row.step}: {row.verdict}")
    progress.remove_task(task)
    return rows


def _notebook(source: Path, lab: Lab, progress: Progress) -> report.Executed:
    task = progress.add_task(f"notebook {source.stem}")
    done = report.execute(source, lab, lambda cell, cells: progress.update(task, completed=cell, total=cells))
    progress.remove_task(task)
    said = f"skipped. {done.skipped}" if done.skipped else "failed" if done.error else "done"
    progress.console.print(f"notebook {done.name}: {said}")
    return done
