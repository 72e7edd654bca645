"""Commands of the workshop: traffic, what is wrong, what is done, the whole exercise."""

import json
import sys
from pathlib import Path

import click

from kata_lib.cli import ending
from kata_lib.cli.base import FILE, JSON, app, the_cluster
from kata_lib.errors import KataError


@app.command()
@click.option("--requests", "-n", type=int, help="How many (default 100).")
@click.option("--seconds", type=float, help="For how long, instead of how many.")
@click.option("--rate", type=float, help="Requests a second; default: one after the other.")
@click.option("--concurrency", type=int, help="Most requests under way at a time.")
@click.option("--connections", default="per-request", help="per-request or keep-alive.")
@click.option("--seed", type=int, help="Sends at random moments, the same ones each time.")
@JSON
def sample(
    requests: int | None,
    seconds: float | None,
    rate: float | None,
    concurrency: int | None,
    connections: str,
    seed: int | None,
    as_json: bool,
) -> None:
    """Ask the sentences service and count the answers of each version."""
    from typing import cast

    from kata_lib import traffic
    from kata_lib.course import application
    from kata_lib.lab import activity
    from kata_lib.traffic import summary

    if requests is None and seconds is None:
        requests = 100
    with activity.shown():
        frame = application.sample(
            application.url(the_cluster()),
            requests=requests,
            seconds=seconds,
            rate=rate,
            concurrency=concurrency,
            connections=cast(traffic.Connections, connections),
            seed=seed,
        )
    found = summary.summarize(frame)
    print(json.dumps(found, indent=2) if as_json else summary.text(found))


@app.command()
@click.argument("step", metavar="STEP")
def reset(step: str) -> None:
    """Bring back exactly what a step begins with; whatever else of the workshop is there is deleted.

    STEP: such as canary, or 02-canary.
    """
    from kata_lib.course import exercises
    from kata_lib.lab import lab

    exercises.step(step)  # a name that is none changes nothing, and starts no cluster
    lab.connect().begin(step, reset=True)


@app.command()
@JSON
def analyze(as_json: bool) -> None:
    """Say what is wrong with the namespace's objects, in istioctl's codes and more; exit 1 on errors."""
    from kata_lib.course import service

    analysis = service.analysis(the_cluster())
    print(analysis.as_json() if as_json else analysis)
    if analysis.errors:
        print(
            f"Error: Analyzers found issues when analyzing namespace: {analysis.namespace}.", file=sys.stderr
        )
        sys.exit(1)


@app.command()
@click.argument("files", nargs=-1, metavar="[FILE]...")
def diff(files: tuple[str, ...]) -> None:
    """Show what differs between the workshop's manifests and yours; exit 1 where something does.

    FILE: by default all.
    """
    from kata_lib.course import originals

    found = [text for file in files or originals.edited() if (text := originals.difference(file))]
    print("\n".join(found) or "The workshop's manifests are as it brought them.")
    sys.exit(1 if found else 0)


@app.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
def original(files: tuple[str, ...]) -> None:
    """Bring a manifest of the workshop back as it was; yours is kept beside it as FILE.mine."""
    from kata_lib.course import originals

    for file in files:
        kept = originals.restore(file)
        print(f"{file} is the workshop's again" + (f"; yours is {kept.name}." if kept else "."))


@app.command()
def update() -> None:
    """Bring the workshop's newer version: corrected notebooks come, each cell that you changed stays."""
    from kata_lib.course import updating
    from kata_lib.machine import PROJECT, WORKSHOP

    bring = updating.from_upstream if WORKSHOP == PROJECT else updating.from_installation
    print("\n".join(bring(WORKSHOP)))


@app.command()
@JSON
def doctor(as_json: bool) -> None:
    """Say what this machine has and lacks for each engine, with the command that provides it."""
    from kata_lib import engines
    from kata_lib.cli import doctor

    report = doctor.examine(engines.cluster_name())
    print(report.json() if as_json else report.text())
    sys.exit(0 if report.ready else 1)


@app.command()
@click.argument("files", type=FILE, nargs=-1, metavar="[FILE]...")
@click.option("--learner", help="The name to be listed by, if you want one.")
@click.option("--export", type=FILE, metavar="FILE", help="Write it as one file.")
@click.option("--gather", is_flag=True, help="Make one table of many files.")
@click.option("--csv", "as_csv", is_flag=True, help="Write the gathered table as CSV.")
def progress(
    files: tuple[Path, ...], learner: str | None, export: Path | None, gather: bool, as_csv: bool
) -> None:
    """Show which steps are done and when; `kata progress --gather *.json` shows it of a whole class.

    FILE: for --gather.
    """
    from kata_lib.course import progress
    from kata_lib.course.progress import report

    if bool(files) != gather or (as_csv and not gather) or (gather and (export or learner)):
        raise KataError("To gather, say `kata progress --gather FILE... [--csv]` and nothing else.")
    if gather and files:
        sys.exit(0 if report.of_class(files, as_csv) else 1)
    if learner is not None:
        progress.name_learner(learner)
    if export:
        progress.export(export)
        print(f"Written: {export}")
    else:
        report.of_one()


@app.command()
@click.argument("file", type=FILE, required=False, metavar="[FILE]")
@click.option("--learner", help="The name to stand on it, if you want one.")
def report(file: Path | None, learner: str | None) -> None:
    """Write one HTML page of your own run: checks with their figures, predictions, pictures, exams.

    FILE: where it goes (default: my-report.html, here).
    """
    from kata_lib.course import progress
    from kata_lib.course import report as reports

    if learner is not None:
        progress.name_learner(learner)
    print(reports.of_learner(file))


@app.command()
@click.argument("folder", type=FILE, metavar="FOLDER")
def notebooks(folder: Path) -> None:
    """Write the notebooks with their solutions filled in, as continuous integration runs them.

    FOLDER: a new or an empty folder.
    """
    from kata_lib.course import notebooks

    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise KataError(f"{folder} is not empty, and nothing in it is overwritten: name another folder.")
    for file in notebooks.write(folder, solutions=True):
        print(file)


@app.command()
@click.argument("name", metavar="NAME")
def new(name: str) -> None:
    """Make the skeleton of an exercise of your own; docs/write-an-exercise.md leads through it.

    NAME: such as outliers, or 14-outliers.
    """
    from kata_lib.course.notebooks import new

    for file in new.make(name):
        print(file)
    new.tie_in()


@app.command()
@click.option(
    "--report", type=FILE, help="Where the HTML report goes (default: KATA_REPORT, .kata/report.html)."
)
@click.option(
    "--only",
    multiple=True,
    metavar="NOTEBOOK",
    help="Of the notebooks this one alone, such as 02-canary; repeatable.",
)
def run(report: Path | None, only: tuple[str, ...]) -> None:
    """Do the whole exercise without a person: a table of shares, and the notebooks as one HTML report."""
    from kata_lib.cli import headless
    from kata_lib.course import exercises

    names = [exercises.step(name).notebook for name in only or ()]  # a name that is none starts no cluster
    sys.exit(ending.supervised(lambda: 0 if headless.run(report, names) else 1, headless.clean_up))
