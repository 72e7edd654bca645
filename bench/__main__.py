"""`scripts/bench`: every measurement in turn on a cluster of its own, removed at the end."""

import json
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterable
from contextlib import chdir
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from rich.console import Console
from rich.table import Table

from bench import (
    board,
    changes,
    classroom,
    engines,
    live,
    machine,
    marks,
    memory,
    release,
    release_errors,
    rules,
    soak,
    start,
    storm,
    throughput,
    weights,
)
from bench.results import Figure
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
    "live",
    "release",
    "release-errors",
    "soak",
    "storm",
    "classroom",
    "board",
    "engines",
    "marks",
)
WITHOUT_A_CLUSTER = frozenset({"board", "engines", "marks", "release-errors", "storm"})
BY_NAME_ONLY = frozenset({"soak", *WITHOUT_A_CLUSTER})
LABS = 50_000
RELEASES = 20_000
CLASS = 30


class Extent(NamedTuple):
    """How much is measured: whether all that the goals name, minutes of soak and board, learners of a class.

    learners: None for CLASS of the classroom, and for as many on the board as its goal names.
    """

    full: bool
    minutes: float
    learners: int | None


def main(
    full: Annotated[bool, typer.Option("--full", help="The counts that the goals name; minutes.")] = False,
    only: Annotated[list[str] | None, typer.Option(help=f"One of {', '.join(GROUPS)}; repeatable.")] = None,
    minutes: Annotated[float, typer.Option(min=0.1, help="How long soak and board last.")] = soak.MINUTES,
    learners: Annotated[
        int | None, typer.Option(min=1, help=f"How many the class has ({CLASS}; the board {board.LEARNERS}).")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Fail where a goal is missed.")] = False,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures there, too.")] = None,
) -> None:
    """Measure the embedded engine and the sampler, each figure beside its goal."""
    console = Console()
    console.width = max(console.width, TABLE_WIDTH)
    chosen = only or [name for name in GROUPS if name not in BY_NAME_ONLY and (full or name != "classroom")]
    unknown = sorted(set(chosen) - set(GROUPS))
    if unknown:
        raise typer.BadParameter(f"{', '.join(unknown)}: there are {', '.join(GROUPS)}.")
    about = machine.describe()
    console.print(", ".join(f"{name} {value}" for name, value in about.items()), style="dim")
    try:
        figures = _run(
            chosen, Extent(full, minutes, learners), lambda line: console.print(f"  {line}", style="dim")
        )
    except KataError as error:
        console.print(str(error), style="red")
        raise typer.Exit(1) from error
    console.print(_table(figures))
    if json_file:
        rows = [asdict(figure) | {"met": figure.met} for figure in figures]
        json_file.write_text(json.dumps({"machine": about, "figures": rows}, indent=2) + "\n")
    if check and any(figure.met is False for figure in figures):
        raise typer.Exit(1)


def _run(chosen: list[str], extent: Extent, say: Callable[[str], None]) -> list[Figure]:
    """Return all figures of the chosen groups; whatever happens, the cluster is gone afterwards."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="kata-bench-") as folder, chdir(PROJECT):
        os.environ["KATA_HOME"] = folder
        others = list(engines.measure(NAME, say)) if "engines" in chosen else []
        if "board" in chosen:
            others += board.measure(extent.learners or board.LEARNERS, extent.minutes, say)
        if "marks" in chosen:
            others += marks.measure(LABS, say)
        if "release-errors" in chosen:
            others += release_errors.measure(RELEASES if extent.full else RELEASES // 4, say)
        if "storm" in chosen:
            others += storm.measure(NAME, storm.FULL if extent.full else storm.QUICK, say)
        if not set(chosen) - WITHOUT_A_CLUSTER:
            return others
        engine = engines_there.select(APPLICATION, "embedded", NAME)
        try:
            return [*others, *_figures(engine, chosen, extent, say)]
        finally:
            engine.stop()


def _figures(
    engine: Engine, chosen: list[str], extent: Extent, say: Callable[[str], None]
) -> Iterable[Figure]:
    full = extent.full
    say("start")
    cluster, started = start.measure(engine, times=(5 if full else 3) if "start" in chosen else 1)
    if "start" in chosen:
        yield from started
    cluster.apply(changes.CANARY)
    if "memory" in chosen and sys.platform == "linux":
        say("memory")
        yield from memory.measure(engine.folder.path)
    if "weights" in chosen:
        say("weights")
        yield from weights.measure(cluster, changes=200 if full else 50)
        say("weights: by other rules")
        yield from rules.measure(cluster, changes=200 if full else 50)
    if "throughput" in chosen:
        say("throughput")
        yield from throughput.measure(cluster, seconds=10 if full else 3)
    if "live" in chosen:
        if lack := live.missing():
            say(f"live: left out, it takes {lack}")
        else:
            say("live")
            yield from live.measure(NAME, seconds=30 if full else 10, changes=100 if full else 40)
    if "changes" in chosen:
        yield from changes.measure(cluster, changes.FULL if full else changes.QUICK, say)
    if "release" in chosen:
        say("release")
        yield from release.measure(cluster, releases=10 if full else 3)
        yield from release.by_argo(engine, cluster, say)
    if "soak" in chosen:
        yield from soak.measure(NAME, extent.minutes, say)
    if "classroom" in chosen:
        engine.stop()
        yield from classroom.measure(extent.learners or CLASS, say)


def _table(figures: list[Figure]) -> Table:
    table = Table("what", "measured", "goal", "", "how")
    for figure in figures:
        goal = "" if figure.goal is None else f"{figure.direction} {figure.goal:g} {figure.unit}".strip()
        verdict = {True: "[green]met", False: "[red]missed", None: ""}[figure.met]
        table.add_row(figure.what, f"{figure.value:.4g} {figure.unit}".strip(), goal, verdict, figure.how)
    return table


if __name__ == "__main__":
    typer.run(main)
