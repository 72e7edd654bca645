"""Commands for whoever prepares a class: add-ons, and a bundle for machines without a network."""

import sys
import time
from pathlib import Path

import click

from kata_lib.cli.base import FILE, app, the_engine

BUNDLE = click.argument("file", type=FILE)


@app.group("addons")
def addons_app() -> None:
    """Kiali and Grafana beside a real Istio; Prometheus, Argo Rollouts and Flagger in any cluster."""


@app.group("bundle")
def bundle_app() -> None:
    """All that the engine kind needs, in one file."""


@addons_app.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
def install(names: tuple[str, ...]) -> None:
    """Install add-ons, by default those with a page, and wait until they are ready.

    NAME: prometheus, kiali, grafana; rollouts, rollouts-gateway-api, flagger.
    """
    from kata_lib import addons

    engine = the_engine()
    chosen = names or addons.with_page(engine)
    addons.install(engine, chosen, _say)
    opens = next((name for name in chosen if name in addons.with_page(engine)), "")
    print(f"Ready. `kata addons open {opens}` opens it." if opens else "Ready.")


@addons_app.command(name="open")
@click.argument("name")
@click.option("--port", type=int, default=0, help="A port of this machine; by default a free one.")
def open_(name: str, port: int) -> None:
    """Open an add-on on 127.0.0.1 until Ctrl-C.

    NAME: prometheus, kiali or grafana.
    """
    from kata_lib import addons

    with addons.opened(the_engine(), name, port) as url:
        print(f"{name} is at {url}; Ctrl-C closes it.", flush=True)
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            print()


@bundle_app.command()
@BUNDLE
def create(file: Path) -> None:
    """Write images, tools and checksums into one file."""
    from kata_lib.course.application import APPLICATION
    from kata_lib.engines import bundle

    bundle.create(file, APPLICATION, _say)
    print(f"Written: {file}, {file.stat().st_size / 1e6:.0f} MB. `kata up --bundle {file}` needs no network.")


@bundle_app.command()
@BUNDLE
def verify(file: Path) -> None:
    """Read a whole bundle and compare its checksums."""
    from kata_lib.engines import bundle

    manifest = bundle.verify(file)
    print(f"{file} is whole: {len(manifest['images'])} images for {manifest['platform']}.")


def _say(line: str) -> None:
    print(line, file=sys.stderr)
