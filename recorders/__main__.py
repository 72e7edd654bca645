"""The command scripts/record."""

import signal
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from kata_lib.errors import KataError
from recorders import recorded
from recorders.lab import Lab
from recorders.sets import SETS

app = typer.Typer(add_completion=False)


@app.command()
def record(
    names: Annotated[list[str] | None, typer.Argument(help="The sets; without any, they are listed.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every set.")] = False,
    kubeconfig: Annotated[Path | None, typer.Option(help="Of a lab for all sets that name no other.")] = None,
    server: Annotated[Path | None, typer.Option(help="Kubeconfig of an API server alone.")] = None,
    mesh: Annotated[
        Path | None, typer.Option(help="Kubeconfig of the server over which istiod runs.")
    ] = None,
    cluster: Annotated[
        Path | None, typer.Option(help="Kubeconfig of a cluster with nodes and Istio.")
    ] = None,
    istiod: Annotated[str, typer.Option(help="Where istiod serves plain text.")] = Lab.istiod,
    programs: Annotated[Path | None, typer.Option(help="A folder with kubectl and istioctl.")] = None,
    modules: Annotated[Path | None, typer.Option(help="Where Go keeps modules: go env GOMODCACHE.")] = None,
) -> None:
    """Make recorded answers of real ones again, from a lab: the sets that are named, or --all.

    A set that cannot be recorded is said, with what it lacks; the others are.
    """
    chosen = list(SETS) if everything else names or []
    if unknown := [name for name in chosen if name not in SETS]:
        typer.echo(f"There is no set {', '.join(unknown)}; there are {', '.join(SETS)}.", err=True)
        raise typer.Exit(1)
    if not chosen:
        _list()
    labs = {"server": server, "mesh": mesh, "cluster": cluster}
    done = []
    for name in chosen:
        option = SETS[name].needs
        lab = Lab(labs.get(option) or kubeconfig, istiod, programs, modules, option)
        done.append(_recorded(name, lab))
    if not all(done):
        raise typer.Exit(1)


def _recorded(name: str, lab: Lab) -> bool:
    """Record a set, and return whether that could be done; what it lacks is said."""
    try:
        if lab.option != "modules":
            _ = lab.kubernetes
        if lab.option == "cluster":
            lab.require_node()
        versions = SETS[name].record(lab)
    except KataError as error:
        typer.echo(f"{name}: {error}", err=True)
        return False
    recorded.note(name, versions)
    print(f"{name} is recorded: {_told(versions)}", flush=True)
    return True


def _list() -> None:
    table = Table(Column("set", no_wrap=True), "needs", "what is written", "recorded from")
    known = recorded.all_sets()
    for name, recorder in SETS.items():
        table.add_row(name, recorder.needs, recorder.about, _told(known.get(name, {})))
    Console().print(table)


def _told(versions: recorded.Versions) -> str:
    return ", ".join(f"{program} {version}" for program, version in versions.items()) or "never"


def main() -> None:
    """Let SIGTERM end the command as Ctrl-C does: what stands in the lab goes first."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    app()


if __name__ == "__main__":
    main()
