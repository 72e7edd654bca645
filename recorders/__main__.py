"""The command scripts/record."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from kata_lib.errors import KataError
from recorders import recorded
from recorders.lab import Lab
from recorders.sets import SETS

app = typer.Typer(add_completion=False)


@app.command(help="Make recorded answers of real ones again, from a lab: those that are named, or --all.")
def record(
    names: Annotated[list[str] | None, typer.Argument(help="The sets; without any, they are listed.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every set.")] = False,
    kubeconfig: Annotated[Path | None, typer.Option(help="Of the cluster that answers.")] = None,
    istiod: Annotated[str, typer.Option(help="Where istiod serves plain text.")] = Lab.istiod,
    programs: Annotated[Path | None, typer.Option(help="A folder with kubectl and istioctl.")] = None,
    modules: Annotated[Path | None, typer.Option(help="Where Go keeps modules: go env GOMODCACHE.")] = None,
) -> None:
    chosen = list(SETS) if everything else names or []
    if unknown := [name for name in chosen if name not in SETS]:
        _end(f"There is no set {', '.join(unknown)}; there are {', '.join(SETS)}.")
    if not chosen:
        _list()
    lab = Lab(kubeconfig, istiod, programs, modules)
    for name in chosen:
        try:
            versions = SETS[name].record(lab)
        except KataError as error:
            _end(f"{name}: {error}")
        recorded.note(name, versions)
        print(f"{name} is recorded: {_told(versions)}", flush=True)


def _list() -> None:
    table = Table("set", "needs", "what is written", "recorded from")
    known = recorded.all_sets()
    for name, recorder in SETS.items():
        table.add_row(name, recorder.needs, recorder.about, _told(known.get(name, {})))
    Console().print(table)


def _told(versions: recorded.Versions) -> str:
    return ", ".join(f"{program} {version}" for program, version in versions.items()) or "never"


def _end(message: str) -> None:
    typer.echo(message, err=True)
    raise typer.Exit(1)


if __name__ == "__main__":
    app()
