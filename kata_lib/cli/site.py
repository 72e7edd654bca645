"""Commands for whoever prepares a class: add-ons, and a bundle for machines without a network."""

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from kata_lib.cli.base import app, the_engine

addons_app = typer.Typer(
    help="Kiali and Grafana beside a real Istio; Prometheus, Argo Rollouts and Flagger in any cluster.",
    no_args_is_help=True,
)
bundle_app = typer.Typer(help="All that the engine kind needs, in one file.", no_args_is_help=True)
app.add_typer(addons_app, name="addons")
app.add_typer(bundle_app, name="bundle")

Names = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[NAME]...", help="prometheus, kiali, grafana; rollouts, rollouts-gateway-api, flagger."
    ),
]
File = Annotated[Path, typer.Argument(metavar="FILE")]


@addons_app.command()
def install(names: Names = None) -> None:
    """Install add-ons, by default those with a page, and wait until they are ready."""
    from kata_lib import addons

    engine = the_engine()
    chosen = names or addons.with_page(engine)
    addons.install(engine, chosen, _say)
    opens = next((name for name in chosen if name in addons.with_page(engine)), "")
    print(f"Ready. `kata addons open {opens}` opens it." if opens else "Ready.")


@addons_app.command(name="open")
def open_(
    name: Annotated[str, typer.Argument(help="prometheus, kiali or grafana.")],
    port: Annotated[int, typer.Option(help="A port of this machine; by default a free one.")] = 0,
) -> None:
    """Open an add-on on 127.0.0.1 until Ctrl-C."""
    from kata_lib import addons

    with addons.opened(the_engine(), name, port) as url:
        print(f"{name} is at {url}; Ctrl-C closes it.", flush=True)
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            print()


@bundle_app.command()
def create(file: File) -> None:
    """Write images, tools and checksums into one file."""
    from kata_lib.course.application import APPLICATION
    from kata_lib.engines import bundle

    bundle.create(file, APPLICATION, _say)
    print(f"Written: {file}, {file.stat().st_size / 1e6:.0f} MB. `kata up --bundle {file}` needs no network.")


@bundle_app.command()
def verify(file: File) -> None:
    """Read a whole bundle and compare its checksums."""
    from kata_lib.engines import bundle

    manifest = bundle.verify(file)
    print(f"{file} is whole: {len(manifest['images'])} images for {manifest['platform']}.")


def _say(line: str) -> None:
    print(line, file=sys.stderr)
