"""What the commands share: the Typer application, and which cluster they are about."""

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from kata_lib.cli import ending
from kata_lib.errors import ClusterError, KataError
from kata_lib.machine import IS_CHECKOUT, MARK, WORKSHOP

if TYPE_CHECKING:
    from kata_lib.cluster.cluster import Cluster
    from kata_lib.cluster.location import Location
    from kata_lib.engines.base import Engine

RENAMED = {"rollout": "release"}
"""Commands by the name that they once had."""


class _Commands(TyperGroup):
    """The commands; a name that one once had is refused with the line to run."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        if args[0] in RENAMED:
            line = shlex.join(["kata", RENAMED[args[0]], *args[1:]])
            raise KataError(f"`kata {args[0]}` has another name since: {line}")
        return super().resolve_command(ctx, args)


app = typer.Typer(
    cls=_Commands,
    help="The canary workshop from a terminal: cluster, manifests, weights, traffic.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Json = Annotated[bool, typer.Option("--json", help="Write JSON.")]
Paths = Annotated[list[Path], typer.Argument(metavar="PATH...", help="Manifest files or folders.")]


@app.callback()
def choose(
    command: typer.Context,
    name: Annotated[
        str | None, typer.Option(help="Which cluster, of several side by side.", envvar="KATA_NAME")
    ] = None,
    engine: Annotated[
        str | None, typer.Option(help="embedded, kind or context.", envvar="KATA_ENGINE")
    ] = None,
    context: Annotated[
        str | None,
        typer.Option(help="For the engine context: which one of your kubeconfig.", envvar="KATA_CONTEXT"),
    ] = None,
) -> None:
    """Take the options that stand before or after every command."""
    for variable, value in (("KATA_NAME", name), ("KATA_ENGINE", engine), ("KATA_CONTEXT", context)):
        if value:
            os.environ[variable] = value
    if command.invoked_subcommand != "doctor" and "--help" not in sys.argv:
        check_folder()
    if command.invoked_subcommand != "run":  # which is supervised from its beginning to its end
        ending.as_usual()


def check_folder() -> None:
    """Raise KataError where the workshop is installed from a wheel and has no folder yet."""
    if not (IS_CHECKOUT or (WORKSHOP / MARK).is_file()):
        raise KataError(f"There is no workshop in {WORKSHOP}: `canary-kata` makes one there and opens it.")


def the_engine(*, any_state: bool = False) -> "Engine":
    """Return the engine of the cluster that the options name; any_state: as `engines.select` takes it."""
    from kata_lib import engines
    from kata_lib.course.application import APPLICATION

    return engines.select(APPLICATION, any_state=any_state)


def the_place() -> "Location":
    """Return where the cluster is; ClusterError where it does not run."""
    from kata_lib import engines

    place = the_engine().where()
    if place is None:
        raise ClusterError(
            f"The cluster {engines.cluster_name()!r} does not run. "
            "`kata up` starts it or finds its pods again."
        )
    return place


def the_cluster() -> "Cluster":
    """Return the cluster that runs; ClusterError where it does not."""
    return open_cluster(the_place())


def open_cluster(place: "Location") -> "Cluster":
    """Return the cluster at a place."""
    from kata_lib.cluster.cluster import Cluster

    return Cluster.at(place)
