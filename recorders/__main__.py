"""The command scripts/record."""

import signal
import sys
from pathlib import Path

import click
from rich.console import Console
from rich.table import Column, Table

from kata_lib.errors import KataError
from recorders import recorded
from recorders.lab import Lab
from recorders.sets import SETS

FILE = click.Path(path_type=Path)


@click.command()
@click.argument("names", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every set.")
@click.option("--kubeconfig", type=FILE, help="Of a lab for all sets that name no other.")
@click.option("--server", type=FILE, help="Kubeconfig of an API server alone.")
@click.option("--mesh", type=FILE, help="Kubeconfig of the server over which istiod runs.")
@click.option("--cluster", type=FILE, help="Kubeconfig of a cluster with nodes and Istio.")
@click.option("--istiod", default=Lab.istiod, help="Where istiod serves plain text.")
@click.option("--programs", type=FILE, help="A folder with kubectl and istioctl.")
@click.option("--modules", type=FILE, help="Where Go keeps modules: go env GOMODCACHE.")
def app(
    names: tuple[str, ...],
    everything: bool,
    kubeconfig: Path | None,
    server: Path | None,
    mesh: Path | None,
    cluster: Path | None,
    istiod: str,
    programs: Path | None,
    modules: Path | None,
) -> None:
    """Make recorded answers of real ones again, from a lab: the sets that are named, or --all.

    Without any, they are listed. A set that cannot be recorded is said, with what it lacks; the others are.
    """
    chosen = list(SETS) if everything else names or []
    if unknown := [name for name in chosen if name not in SETS]:
        click.echo(f"There is no set {', '.join(unknown)}; there are {', '.join(SETS)}.", err=True)
        sys.exit(1)
    if not chosen:
        _list()
    labs = {"server": server, "mesh": mesh, "cluster": cluster}
    done = []
    for name in chosen:
        option = SETS[name].needs
        lab = Lab(labs.get(option) or kubeconfig, istiod, programs, modules, option)
        done.append(_recorded(name, lab))
    if not all(done):
        sys.exit(1)


def _recorded(name: str, lab: Lab) -> bool:
    """Record a set, and return whether that could be done; what it lacks is said."""
    try:
        if lab.option != "modules":
            _ = lab.kubernetes
        if lab.option == "cluster":
            lab.require_node()
        versions = SETS[name].record(lab)
    except KataError as error:
        click.echo(f"{name}: {error}", err=True)
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
    """Let Ctrl-C and SIGTERM end the command with a shell's code: what stands in the lab goes first."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    app()


if __name__ == "__main__":
    main()
