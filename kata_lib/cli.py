"""The `kata` command: the workshop from a terminal.

Whatever takes long to load is imported by the command that needs it, so that `kata url` answers at once.
"""

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kata_lib.errors import ClusterError, KataError

if TYPE_CHECKING:
    from kata_lib.cluster import Cluster
    from kata_lib.engines.base import Location

app = typer.Typer(
    help="The canary workshop from a terminal: cluster, manifests, weights, traffic.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Paths = Annotated[list[Path], typer.Argument(metavar="PATH...", help="Manifest files or folders.")]


@app.callback()
def choose(
    name: Annotated[
        str | None, typer.Option(help="Which cluster, of several side by side.", envvar="KATA_NAME")
    ] = None,
) -> None:
    """Take the options that stand before or after every command."""
    if name:
        os.environ["KATA_NAME"] = name


@app.command()
def up() -> None:
    """Start the cluster, or find the one that runs; its namespace gets sidecars."""
    from rich.console import Console

    from kata_lib import engines

    engine = engines.select()
    console = Console(stderr=True)
    if console.is_terminal:
        with console.status("starting") as status:
            place = engine.start(status.update)
    else:
        place = engine.start(lambda line: print(line, file=sys.stderr))
    _open(place).enable_injection()
    print(f"The {engine.name} cluster {_name()!r} is up. For kubectl: export KUBECONFIG={place.kubeconfig}")


@app.command()
def down() -> None:
    """Remove the cluster; only its logs stay."""
    from kata_lib import engines

    engine = engines.select()
    engine.stop()
    print(f"The cluster {_name()!r} is removed; its logs are in {engine.logs()}.")


@app.command()
def status() -> None:
    """Show the pods, the share that each version should get, and where the service answers."""
    from rich.console import Console
    from rich.table import Table

    from kata_lib import mesh, pod_table, shares

    cluster = _cluster()
    table = Table(*pod_table.COLUMNS, box=None, header_style="bold")
    for row in pod_table.rows(cluster.pods()):
        table.add_row(*row.values())
    print(f"The cluster {_name()!r} answers at {cluster.api.server}, namespace {cluster.namespace}.")
    console = Console()
    if table.row_count:
        console.print(table)
    else:
        print("There are no pods; `kata apply deploy/v1` makes the first.")
    if expected := mesh.expected_share(cluster):
        source = "by the VirtualService" if mesh.weights(cluster) else "by the number of ready pods"
        print(
            "Requests to name: "
            + ", ".join(f"{v} {shares.percent(s)}" for v, s in expected.items())
            + f", {source}."
        )


@app.command()
def apply(paths: Paths) -> None:
    """Apply manifests, as `kubectl apply -f` does, and wait until all pods are ready."""
    cluster = _cluster()
    for path in paths:
        for line in cluster.apply(path):
            print(line)
    cluster.wait_ready(on_wait=lambda line: print(f"waiting: {line}", file=sys.stderr))


@app.command()
def delete(paths: Paths) -> None:
    """Delete what manifests hold, as `kubectl delete -f` does, and wait until it is gone."""
    cluster = _cluster()
    for path in paths:
        for line in cluster.delete(path):
            print(line)


@app.command()
def weights(
    wanted: Annotated[
        list[str] | None, typer.Argument(metavar="[SUBSET=WEIGHT]...", help="Such as name-v2=20.")
    ] = None,
) -> None:
    """Show the weights for name as shares, or set them; the rest to 100 goes to the other subset."""
    from kata_lib import mesh, shares

    cluster = _cluster()
    found = mesh.set_weights(cluster, mesh.parse_weights(wanted)) if wanted else mesh.weights(cluster)
    if not found:
        print("No VirtualService sets weights for name: its ready pods share the requests evenly.")
    for subset, share in found.items():
        print(f"{subset}  {shares.percent(share)}")


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
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Ask the sentences service and count the answers of each version."""
    from typing import cast

    from kata_lib import summary, traffic

    if requests is None and seconds is None:
        requests = 100
    frame = traffic.sample(
        _cluster().url("sentences"),
        requests=requests,
        seconds=seconds,
        rate=rate,
        concurrency=concurrency,
        connections=cast(traffic.Connections, connections),
        seed=seed,
    )
    found = summary.of(frame)
    print(json.dumps(found, indent=2) if as_json else summary.text(found))


@app.command()
def url(service: Annotated[str, typer.Argument(help="A Service of type NodePort.")] = "sentences") -> None:
    """Print where a service answers."""
    print(_cluster().url(service))


@app.command()
def logs(
    pod: Annotated[str, typer.Argument(metavar="POD")],
    container: Annotated[str, typer.Option("--container", "-c", help="Such as istio-proxy.")] = "",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
) -> None:
    """Print what a pod's container wrote."""
    for line in _cluster().logs(pod, container, follow):
        print(line, flush=follow)


@app.command()
def kubeconfig() -> None:
    """Print the path of the cluster's kubeconfig: export KUBECONFIG=$(kata kubeconfig)."""
    print(_place().kubeconfig)


@app.command(name="proxy-config")
def proxy_config(
    section: Annotated[str, typer.Argument(metavar="routes|clusters|endpoints")],
    pod: Annotated[str, typer.Argument(metavar="POD")],
) -> None:
    """Print what a pod's Envoy has in force, from its configuration dump, as JSON."""
    from kata_lib import proxy_config

    print(json.dumps(proxy_config.of(_cluster(), pod, proxy_config.section(section)), indent=2))


@app.command()
def analyze(as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False) -> None:
    """Say what is wrong with the namespace's objects, in istioctl's codes and more; exit 1 on errors."""
    from kata_lib import analyze

    analysis = analyze.of(_cluster())
    print(analysis.as_json() if as_json else analysis)
    if analysis.errors:
        print(
            f"Error: Analyzers found issues when analyzing namespace: {analysis.namespace}.", file=sys.stderr
        )
        sys.exit(1)


@app.command()
def doctor(as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False) -> None:
    """Say what this machine has and lacks for each engine, with the command that provides it."""
    from kata_lib import doctor

    report = doctor.examine(_name())
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
    from kata_lib import progress
    from kata_lib.progress import report

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
def run(
    report: Annotated[
        Path | None,
        typer.Option(help="Where the HTML report goes (default: KATA_REPORT, .kata/report.html)."),
    ] = None,
) -> None:
    """Do the whole exercise without a person: a table of shares, and the notebooks as one HTML report."""
    from kata_lib import headless

    sys.exit(0 if headless.run(report) else 1)


def main() -> None:
    """Run the command; a person's mistake is one line, not a traceback."""
    try:
        app(args=_name_first(sys.argv[1:]))
    except KataError as error:
        print(f"kata: {error}", file=sys.stderr)
        sys.exit(1)


def _name_first(arguments: list[str]) -> list[str]:
    """Return the arguments with --name in front, so that it may stand after the command as well."""
    for at, argument in enumerate(arguments):
        if argument == "--name" or argument.startswith("--name="):
            end = at + 1 if "=" in argument else at + 2
            return arguments[at:end] + arguments[:at] + arguments[end:]
    return arguments


def _name() -> str:
    return os.environ.get("KATA_NAME") or "kata"


def _place() -> "Location":
    from kata_lib import engines

    place = engines.select().where()
    if place is None:
        raise ClusterError(
            f"The cluster {_name()!r} does not run. `kata up` starts it or finds its pods again."
        )
    return place


def _cluster() -> "Cluster":
    return _open(_place())


def _open(place: "Location") -> "Cluster":
    from kata_lib.cluster import Cluster

    return Cluster(place.kubeconfig, node_host=place.node_host)
