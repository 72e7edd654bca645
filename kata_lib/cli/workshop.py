"""Commands of the workshop: traffic, what is wrong, what is done, the whole exercise."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from kata_lib.cli import ending
from kata_lib.cli.base import Json, app, the_cluster
from kata_lib.errors import KataError


@app.command()
def sample(
    requests: Annotated[int | None, typer.Option("--requests", "-n", help="How many (default 100).")] = None,
    seconds: Annotated[float | None, typer.Option(help="For how long, instead of how many.")] = None,
    rate: Annotated[
        float | None, typer.Option(help="Requests a second; default: one after the other.")
    ] = None,
    concurrency: Annotated[int | None, typer.Option(help="Most requests under way at a time.")] = None,
    connections: Annotated[str, typer.Option(help="per-request or keep-alive.")] = "per-request",
    seed: Annotated[
        int | None, typer.Option(help="Sends at random moments, the same ones each time.")
    ] = None,
    as_json: Json = False,
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
def reset(step: Annotated[str, typer.Argument(metavar="STEP", help="Such as canary, or 02-canary.")]) -> None:
    """Bring back exactly what a step begins with; whatever else of the workshop is there is deleted."""
    from kata_lib.course import exercises
    from kata_lib.lab import lab

    exercises.step(step)  # a name that is none changes nothing, and starts no cluster
    lab.connect().begin(step, reset=True)


@app.command()
def analyze(as_json: Json = False) -> None:
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
def diff(
    files: Annotated[list[str] | None, typer.Argument(metavar="[FILE]...", help="By default all.")] = None,
) -> None:
    """Show what differs between the workshop's manifests and yours; exit 1 where something does."""
    from kata_lib.course import originals

    found = [text for file in files or originals.edited() if (text := originals.difference(file))]
    print("\n".join(found) or "The workshop's manifests are as it brought them.")
    sys.exit(1 if found else 0)


@app.command()
def original(files: Annotated[list[str], typer.Argument(metavar="FILE...")]) -> None:
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
def doctor(as_json: Json = False) -> None:
    """Say what this machine has and lacks for each engine, with the command that provides it."""
    from kata_lib import engines
    from kata_lib.cli import doctor

    report = doctor.examine(engines.cluster_name())
    print(report.json() if as_json else report.text())
    sys.exit(0 if report.ready else 1)


@app.command()
def progress(
    files: Annotated[list[Path] | None, typer.Argument(metavar="[FILE]...", help="For --gather.")] = None,
    learner: Annotated[str | None, typer.Option(help="The name to be listed by, if you want one.")] = None,
    export: Annotated[Path | None, typer.Option(metavar="FILE", help="Write it as one file.")] = None,
    gather: Annotated[bool, typer.Option("--gather", help="Make one table of many files.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Write the gathered table as CSV.")] = False,
) -> None:
    """Show which steps are done and when; `kata progress --gather *.json` shows it of a whole class."""
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
def report(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="Where it goes (default: my-report.html, here).")
    ] = None,
    learner: Annotated[str | None, typer.Option(help="The name to stand on it, if you want one.")] = None,
) -> None:
    """Write one HTML page of your own run: checks with their figures, predictions, pictures, exams."""
    from kata_lib.course import progress
    from kata_lib.course import report as reports

    if learner is not None:
        progress.name_learner(learner)
    print(reports.of_learner(file))


@app.command()
def notebooks(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A new or an empty folder.")],
) -> None:
    """Write the notebooks with their solutions filled in, as continuous integration runs them."""
    from kata_lib.course import notebooks

    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise KataError(f"{folder} is not empty, and nothing in it is overwritten: name another folder.")
    for file in notebooks.write(folder, solutions=True):
        print(file)


@app.command()
def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Such as outliers, or 14-outliers.")],
) -> None:
    """Make the skeleton of an exercise of your own; docs/write-an-exercise.md leads through it."""
    from kata_lib.course.notebooks import new

    for file in new.make(name):
        print(file)
    new.tie_in()


@app.command()
def run(
    report: Annotated[
        Path | None,
        typer.Option(help="Where the HTML report goes (default: KATA_REPORT, .kata/report.html)."),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NOTEBOOK", help="Of the notebooks this one alone, such as 02-canary; repeatable."
        ),
    ] = None,
) -> None:
    """Do the whole exercise without a person: a table of shares, and the notebooks as one HTML report."""
    from kata_lib.cli import headless
    from kata_lib.course import exercises

    names = [exercises.step(name).notebook for name in only or ()]  # a name that is none starts no cluster
    sys.exit(ending.supervised(lambda: 0 if headless.run(report, names) else 1, headless.clean_up))
