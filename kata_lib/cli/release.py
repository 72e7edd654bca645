"""Commands of a release that the metrics decide: `kata release ...`."""

import signal
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kata_lib.cli.base import FILE, app, the_cluster

if TYPE_CHECKING:
    from kata_lib.delivery import Release

PLAN = click.argument("plan", type=FILE)
SERVICE = click.option("--service", default="name", show_default=True, help="The service that is released.")
TIMEOUT = click.option(
    "--timeout",
    default=3600.0,
    show_default=True,
    help="Seconds until this command leaves the release as it is.",
)


@app.group("release")
def commands() -> None:
    """Release a version step by step, as the metrics decide."""


@commands.command()
@PLAN
@TIMEOUT
def start(plan: Path, timeout: float) -> None:
    """Begin a release and run it until it has ended; Ctrl-C leaves it as it is.

    PLAN: such as deploy/rollouts/v2.yaml.
    """
    from kata_lib import delivery

    _run(delivery.start(the_cluster(), delivery.read(plan)), timeout)


@commands.command("plan")
@PLAN
@click.option(
    "--rate",
    type=click.FloatRange(min=0.1),
    default=200.0,
    show_default=True,
    help="Requests a second, of all users.",
)
@click.option(
    "--stable",
    type=click.FloatRange(min=0, max=1),
    default=0.001,
    show_default=True,
    help="Stable's share of failures.",
)
@click.option(
    "--canary",
    type=click.FloatRange(min=0, max=1),
    multiple=True,
    help="The canary's share of failures; repeatable.",
)
def show_plan(plan: Path, rate: float, stable: float, canary: tuple[float, ...]) -> None:
    """Say what a plan promises, and how releases by it end for your traffic: simulated, without a cluster.

    PLAN: such as deploy/rollouts/v2.yaml.
    """
    from kata_lib import delivery
    from kata_lib.delivery import chances, words

    read = delivery.read(plan)
    print(words.begun(read))
    found = chances.table(read, rate, stable, canary or chances.CANARIES)
    print(f"{chances.RELEASES:,} simulated releases of each kind, {rate:g} requests/s:")
    print(found.to_string())


@commands.command()
@SERVICE
def status(service: str) -> None:
    """Say where a release stands, and every decision so far."""
    release = _release(service)
    print(*release.lines(), release.where(), sep="\n")


@commands.command()
@SERVICE
def pause(service: str) -> None:
    """Hold the weight where it is; the metrics are watched on."""
    _said(_release(service), "pause")


@commands.command()
@SERVICE
@TIMEOUT
def resume(service: str, timeout: float) -> None:
    """Go on after a pause, or where whoever ran the release is gone."""
    release = _release(service)
    release.resume()
    _run(release, timeout)


@commands.command()
@click.option("--full", is_flag=True, help="To 100 % at once, without analysis.")
@SERVICE
@TIMEOUT
def promote(full: bool, service: str, timeout: float) -> None:
    """Go on to the next step, whatever this one waits for."""
    release = _release(service)
    release.promote(full)
    _run(release, timeout)


@commands.command()
@SERVICE
def abort(service: str) -> None:
    """Send everyone back to the stable version, at once."""
    _said(_release(service), "abort")


@commands.command()
@SERVICE
@TIMEOUT
def retry(service: str, timeout: float) -> None:
    """Begin an aborted release again from its first step."""
    release = _release(service)
    release.retry()
    _run(release, timeout)


@commands.command()
@SERVICE
def undo(service: str) -> None:
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
