"""`scripts/bench`: every measurement in turn on a cluster of its own, removed at the end."""

import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import chdir
from pathlib import Path
from statistics import median
from typing import NamedTuple

import click
from rich.console import Console
from rich.table import Table

from bench import (
    board,
    changes,
    classroom,
    commands,
    comparison,
    engines,
    floors,
    live,
    machine,
    marks,
    memory,
    release,
    release_errors,
    rules,
    set_up,
    soak,
    start,
    storm,
    throughput,
    weights,
)
from bench.comparison import Compared
from bench.results import Figure
from bench.rows import Rows
from kata_lib import engines as engines_there
from kata_lib.course.application import APPLICATION
from kata_lib.engines.base import Engine
from kata_lib.errors import KataError
from kata_lib.machine import PROJECT

NAME = "bench"
TABLE_WIDTH = 120
GROUPS = (
    "start",
    "weights",
    "changes",
    "throughput",
    "memory",
    "commands",
    "live",
    "release",
    "release-errors",
    "floors",
    "soak",
    "storm",
    "classroom",
    "board",
    "engines",
    "marks",
    "set-up",
)
WITHOUT_A_CLUSTER = frozenset({"board", "engines", "marks", "release-errors", "set-up", "storm"})
BY_NAME_ONLY = frozenset({"soak", *WITHOUT_A_CLUSTER})
LABS = 50_000
RELEASES = 20_000
CLASS = 30


FILE = click.Path(path_type=Path)


class Extent(NamedTuple):
    """How much is measured: whether all that the goals name, minutes of soak and board, learners of a class.

    learners: None for CLASS of the classroom, and for as many on the board as its goal names.
    """

    full: bool
    minutes: float
    learners: int | None


@click.command()
@click.option("--full", is_flag=True, help="The counts that the goals name; minutes.")
@click.option("--only", multiple=True, help=f"One of {', '.join(GROUPS)}; repeatable.")
@click.option(
    "--minutes",
    type=click.FloatRange(min=0.1),
    default=soak.MINUTES,
    show_default=True,
    help="How long soak and board last.",
)
@click.option(
    "--learners",
    type=click.IntRange(min=1),
    help=f"How many the class has ({CLASS}; the board {board.LEARNERS}).",
)
@click.option("--check", is_flag=True, help="Fail where a goal is missed or a group failed.")
@click.option("--json", "json_file", type=FILE, help="Write each figure there, too.")
@click.option("--repeat", type=click.IntRange(min=1), default=1, help="How often everything is measured.")
@click.option("--against", type=FILE, metavar="FILE", help="Compare with an earlier run's --json.")
def main(
    full: bool,
    only: tuple[str, ...],
    minutes: float,
    learners: int | None,
    check: bool,
    json_file: Path | None,
    repeat: int,
    against: Path | None,
) -> None:
    """Measure the embedded engine and the sampler, each figure beside its goal."""
    console = Console()
    console.width = max(console.width, TABLE_WIDTH)
    chosen = list(only) or [
        name for name in GROUPS if name not in BY_NAME_ONLY and (full or name != "classroom")
    ]
    unknown = sorted(set(chosen) - set(GROUPS))
    if unknown:
        raise click.BadParameter(f"{', '.join(unknown)}: there are {', '.join(GROUPS)}.")
    try:
        before = comparison.read(against) if against else {}
    except KataError as error:
        raise click.BadParameter(str(error)) from error
    about = machine.describe()
    console.print(", ".join(f"{name} {value}" for name, value in about.items()), style="dim")
    rows = Rows(about, json_file.resolve() if json_file else None)
    for _ in range(repeat):
        _run(
            chosen,
            Extent(full, minutes, learners),
            rows,
            lambda line: console.print(f"  {line}", style="dim"),
        )
    console.print(_table(rows.figures))
    for group, why in rows.lost.items():
        console.print(f"{group} has no figures, or not all: {why}", style="red")
    if before:
        now = comparison.values((figure.what, figure.value) for figure in rows.figures)
        console.print(_compared(comparison.compare(before, now)))
    if check and not rows.good:
        sys.exit(1)


def _run(chosen: list[str], extent: Extent, rows: Rows, say: Callable[[str], None]) -> None:
    """Measure the chosen groups; whatever happens, the cluster is gone afterwards."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    alone: dict[str, Callable[[], Iterable[Figure]]] = {
        "engines": lambda: engines.measure(NAME, say),
        "board": lambda: board.measure(extent.learners or board.LEARNERS, extent.minutes, say),
        "marks": lambda: marks.measure(LABS, say),
        "release-errors": lambda: release_errors.measure(RELEASES if extent.full else RELEASES // 4, say),
        "set-up": lambda: set_up.measure(say),
        "storm": lambda: storm.measure(NAME, storm.FULL if extent.full else storm.QUICK, say),
    }
    with tempfile.TemporaryDirectory(prefix="kata-bench-") as folder, chdir(PROJECT):
        os.environ["KATA_HOME"] = folder
        for name, measure in alone.items():
            if name in chosen:
                rows.take(name, measure)
        if set(chosen) - WITHOUT_A_CLUSTER:
            engine = engines_there.select(APPLICATION, "embedded", NAME)
            try:
                _in_a_cluster(engine, chosen, extent, rows, say)
            finally:
                engine.stop()


def _in_a_cluster(
    engine: Engine, chosen: list[str], extent: Extent, rows: Rows, say: Callable[[str], None]
) -> None:
    full = extent.full
    say("start")
    if "start" in chosen:
        rows.take("start", lambda: start.measure(engine, times=5 if full else 3))
    try:
        cluster = start.bring_up(engine)
        cluster.apply(changes.CANARY)
    except KataError as error:
        rows.lost |= dict.fromkeys(set(chosen) - WITHOUT_A_CLUSTER, f"there is no cluster: {error}")
        return
    groups: dict[str, Callable[[], Iterable[Figure]]] = {
        "memory": lambda: memory.measure(engine.folder.path),
        "commands": lambda: commands.measure(engine, NAME),
        "weights": lambda: [
            *weights.measure(cluster, changes=200 if full else 50),
            *rules.measure(cluster, changes=200 if full else 50),
        ],
        "throughput": lambda: throughput.measure(cluster, seconds=10 if full else 3),
        "live": lambda: live.measure(NAME, seconds=30 if full else 10, changes=100 if full else 40),
        "changes": lambda: changes.measure(cluster, changes.FULL if full else changes.QUICK, say),
        "release": lambda: [
            *release.measure(cluster, releases=10 if full else 3),
            *release.by_argo(engine, cluster, say),
        ],
        "floors": lambda: floors.measure(
            engine, times=5 if full else 3, seconds=10 if full else 3, changes=200 if full else 50
        ),
        "soak": lambda: soak.measure(NAME, extent.minutes, say),
        "classroom": lambda: _class(engine, extent.learners or CLASS, say),
    }
    linux = "" if sys.platform == "linux" else "Linux"
    lacks = {"live": live.missing(), "memory": linux, "floors": linux, "commands": linux}
    for name, measure in groups.items():
        if name not in chosen:
            continue
        if lack := lacks.get(name):
            say(f"{name}: left out, it takes {lack}")
        else:
            say(name)
            rows.take(name, measure)


def _class(engine: Engine, learners: int, say: Callable[[str], None]) -> Iterable[Figure]:
    engine.stop()
    return classroom.measure(learners, say)


def _compared(found: list[Compared]) -> Table:
    table = Table("what", "before", "now", "change", "")
    for one in found:
        change = "" if one.change is None else f"{one.change:+.1%}"
        table.add_row(one.what, _spread(one.before), _spread(one.now), change, one.verdict)
    return table


def _spread(values: Sequence[float]) -> str:
    """Return the median, and behind it from where to where the values go."""
    if len(values) == 1:
        return f"{values[0]:.4g}"
    return f"{median(values):.4g} ({min(values):.4g} to {max(values):.4g}, {len(values)} runs)"


def _table(figures: list[Figure]) -> Table:
    table = Table("what", "measured", "goal", "", "how")
    for figure in figures:
        goal = "" if figure.goal is None else f"{figure.direction} {figure.goal:g} {figure.unit}".strip()
        verdict = {True: "[green]met", False: "[red]missed", None: ""}[figure.met]
        table.add_row(figure.what, f"{figure.value:.4g} {figure.unit}".strip(), goal, verdict, figure.how)
    return table


if __name__ == "__main__":
    main()
