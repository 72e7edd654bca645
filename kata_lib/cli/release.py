"""Commands of a release that the metrics decide: `kata release ...`."""

import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kata_lib.cli.base import app, the_cluster

if TYPE_CHECKING:
    from kata_lib.delivery import Release

commands = typer.Typer(help="Release a version step by step, as the metrics decide.", no_args_is_help=True)
app.add_typer(commands, name="release")

Plan = Annotated[Path, typer.Argument(metavar="PLAN", help="Such as deploy/rollouts/v2.yaml.")]
Service = Annotated[str, typer.Option("--service", help="The service that is released.")]
Timeout = Annotated[float, typer.Option(help="Seconds until this command leaves the release as it is.")]
_WAIT = 3600.0


@commands.command()
def start(
    plan: Plan,
    timeout: Timeout = _WAIT,
) -> None:
    """Begin a release and run it until it has ended; Ctrl-C leaves it as it is."""
    from kata_lib import delivery

    _run(delivery.start(the_cluster(), delivery.read(plan)), timeout)


@commands.command("plan")
def show_plan(
    plan: Plan,
    rate: Annotated[float, typer.Option(min=0.1, help="Requests a second, of all users.")] = 200.0,
    stable: Annotated[float, typer.Option(min=0, max=1, help="Stable's share of failures.")] = 0.001,
    canary: Annotated[
        list[float] | None, typer.Option(min=0, max=1, help="The canary's share of failures; repeatable.")
    ] = None,
) -> None:
    """Say what a plan promises, and how releases by it end for your traffic: simulated, without a cluster."""
    from kata_lib import delivery
    from kata_lib.delivery import chances, words

    read = delivery.read(plan)
    print(words.begun(read))
    found = chances.table(read, rate, stable, canary or chances.CANARIES)
    print(f"{chances.RELEASES:,} simulated releases of each kind, {rate:g} requests/s:")
    print(found.to_string())


@commands.command()
def status(service: Service = "name") -> None:
    """Say where a release stands, and every decision so far."""
    release = _release(service)
    print(*release.lines(), release.where(), sep="\n")


@commands.command()
def pause(service: Service = "name") -> None:
    """Hold the weight where it is; the metrics are watched on."""
    _said(_release(service), "pause")


@commands.command()
def resume(service: Service = "name", timeout: Timeout = _WAIT) -> None:
    """Go on after a pause, or where whoever ran the release is gone."""
    release = _release(service)
    release.resume()
    _run(release, timeout)


@commands.command()
def promote(
    full: Annotated[bool, typer.Option("--full", help="To 100 % at once, without analysis.")] = False,
    service: Service = "name",
    timeout: Timeout = _WAIT,
) -> None:
    """Go on to the next step, whatever this one waits for."""
    release = _release(service)
    release.promote(full)
    _run(release, timeout)


@commands.command()
def abort(service: Service = "name") -> None:
    """Send everyone back to the stable version, at once."""
    _said(_release(service), "abort")


@commands.command()
def retry(service: Service = "name", timeout: Timeout = _WAIT) -> None:
    """Begin an aborted release again from its first step."""
    release = _release(service)
    release.retry()
    _run(release, timeout)


@commands.command()
def undo(service: Service = "name") -> None:
    """Send everyone back to the version before, after a release that went through."""
    _said(_release(service), "undo")


def _release(service: str) -> "Release":
    from kata_lib import delivery

    return delivery.find(the_cluster(), service)


def _said(release: "Release", command: str) -> None:
    getattr(release, command)()
    print(release.status())


def _run(release: "Release", timeout: float) -> None:
    """Run a release in the foreground, unless another process does; say its decisions."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: let others run it at once
    try:
        release.wait(timeout, lambda line: print(line, flush=True), through=True)
        print(release.where())
    except KeyboardInterrupt:
        print("Nobody runs it now: it holds until `kata release resume`, or `kata release abort`.")
    finally:
        release.close()
