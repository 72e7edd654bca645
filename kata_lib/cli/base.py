"""What the commands share: the group that they are of, and which cluster they are about."""

import os
import shlex
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kata_lib.cli import ending
from kata_lib.errors import ClusterError, KataError
from kata_lib.machine import IS_CHECKOUT, MARK, WORKSHOP

if TYPE_CHECKING:
    from kata_lib.cluster.cluster import Cluster
    from kata_lib.cluster.location import Location
    from kata_lib.engines.base import Engine

HELP_WIDTH = 110

RENAMED = {"rollout": "release"}
"""Commands by the name that they once had."""


class _Group(click.Group):
    """Commands that are listed with their whole first sentence."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        found = [(name, one.get_short_help_str(limit=HELP_WIDTH)) for name, one in self.commands.items()]
        with formatter.section("Commands"):
            formatter.write_dl(found)


class _Commands(_Group):
    """The commands; a name that one once had is refused with the line to run."""

    group_class = _Group

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        if args[0] in RENAMED:
            line = shlex.join(["kata", RENAMED[args[0]], *args[1:]])
            raise KataError(f"`kata {args[0]}` has another name since: {line}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; after Ctrl-C the code is a shell's for SIGINT."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            ctx.exit(128 + signal.SIGINT)


FILE = click.Path(path_type=Path)
JSON = click.option("--json", "as_json", is_flag=True, help="Write JSON.")


@click.group(cls=_Commands, context_settings={"max_content_width": HELP_WIDTH})
@click.option("--name", envvar="KATA_NAME", help="Which cluster, of several side by side.")
@click.option("--engine", envvar="KATA_ENGINE", help="embedded, kind or context.")
@click.option(
    "--context", envvar="KATA_CONTEXT", help="For the engine context: which one of your kubeconfig."
)
@click.pass_context
def app(command: click.Context, name: str | None, engine: str | None, context: str | None) -> None:
    """The canary workshop from a terminal: cluster, manifests, weights, traffic."""
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
