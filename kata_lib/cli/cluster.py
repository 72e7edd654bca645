"""Commands about the cluster and what is in it."""

import json
import signal
import sys
from pathlib import Path
from typing import Any

import click

from kata_lib.cli.base import FILE, app, open_cluster, the_cluster, the_engine, the_place

PATHS = click.argument("paths", type=FILE, nargs=-1, required=True, metavar="PATH...")


@app.command()
@click.option("--bundle", type=FILE, metavar="FILE", help="For the engine kind: all that it needs, offline.")
def up(bundle: Path | None) -> None:
    """Start the cluster, or find the one that runs; its namespace gets sidecars."""
    from kata_lib import engines
    from kata_lib.cluster import waiting
    from kata_lib.course.application import APPLICATION
    from kata_lib.engines import bundle as bundles
    from kata_lib.lab import activity

    if bundle is not None:
        bundles.open_(bundle, APPLICATION, lambda line: print(line, file=sys.stderr))
    engine = the_engine()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what is half-made is removed, as after Ctrl-C
    with activity.shown(first_seconds=0.0), waiting.busy() as tell:
        place = engine.start(tell)
    open_cluster(place).enable_injection()
    print(f"The {engine.name} cluster {engines.cluster_name()!r} is up.", end=" ")
    print(f"For kubectl: export KUBECONFIG={place.kubeconfig}")


@app.command()
def down() -> None:
    """Remove the cluster; only its logs stay."""
    from kata_lib import engines
    from kata_lib.cluster import waiting
    from kata_lib.lab import activity

    name = engines.cluster_name()
    there = engines.engine_of(name) is not None
    engine = the_engine(any_state=True)
    with activity.shown(), waiting.busy("Removing the cluster"):
        engine.stop()
    if there:
        print(f"The cluster {name!r} is removed; its logs are in {engine.folder.logs}.")
    else:
        print(f"The workshop has no cluster {name!r}: there is nothing to remove.")


@app.command()
def status() -> None:
    """Show the pods, the share that each version should get, and where the service answers."""
    from kata_lib import engines
    from kata_lib.cluster import pod_table
    from kata_lib.course import service

    cluster = the_cluster()
    pods = cluster.pods()
    name = engines.cluster_name()
    print(f"The cluster {name!r} answers at {cluster.api.server}, namespace {cluster.namespace}.")
    print(pod_table.text(pods) if pods else "There are no pods; `kata apply deploy/v1` makes the first.")
    if cluster.get("v1", "Service", service.NAME) is not None:
        print(service.in_force(cluster))


@app.command()
@PATHS
def apply(paths: tuple[Path, ...]) -> None:
    """Apply manifests, as `kubectl apply -f` does, and wait until all pods are ready.

    PATH: manifest files or folders.
    """
    from kata_lib.course import service
    from kata_lib.lab import activity

    cluster = the_cluster()
    since = service.moment(cluster)
    with activity.shown():
        for path in paths:
            for line in cluster.apply(path):
                print(line)
        cluster.wait_ready()
        service.settle(cluster, since)


@app.command()
@PATHS
def delete(paths: tuple[Path, ...]) -> None:
    """Delete what manifests hold, as `kubectl delete -f` does, and wait until it is gone.

    PATH: manifest files or folders.
    """
    from kata_lib.course import service
    from kata_lib.lab import activity

    cluster = the_cluster()
    since = service.moment(cluster)
    with activity.shown():
        for path in paths:
            for line in cluster.delete(path):
                print(line)
        service.settle(cluster, since)


@app.command()
@click.argument("wanted", nargs=-1, metavar="[SUBSET=WEIGHT]...")
def weights(wanted: tuple[str, ...]) -> None:
    """Show the weights for name as written, or set them; the rest to 100 goes to the other subset.

    SUBSET=WEIGHT: such as name-v2=20.
    """
    from kata_lib.course import service
    from kata_lib.lab import activity
    from kata_lib.mesh import weights

    cluster = the_cluster()
    if wanted:
        since = service.moment(cluster)
        found = service.set_weights(cluster, weights.parse_weights(wanted))
        with activity.shown():
            service.settle(cluster, since)
    else:
        found = weights.read(cluster, service.NAME)
    if not found:
        print("No rule sets weights for name: its ready pods share the requests evenly.")
    for name, weight in found.items():
        print(f"{name}  {weight}")


@app.command()
@click.argument("service", required=False, default="")
@click.option("--port", default="", help="Which of its ports, such as https; by default its first.")
def url(service: str, port: str) -> None:
    """Print where a service answers; where nothing leads there, a port-forward is opened and stays.

    SERVICE: a Service of type NodePort, or a gateway; by default sentences.
    """
    from kata_lib.course import application

    cluster = the_cluster()
    print(application.url(cluster, service, port))


@app.command()
@click.argument("pod", metavar="POD")
@click.option("--container", "-c", default="", help="Such as istio-proxy.")
@click.option("--follow", "-f", is_flag=True, help="Go on until Ctrl-C.")
def logs(pod: str, container: str, follow: bool) -> None:
    """Print what a pod's container wrote."""
    for line in the_cluster().logs(pod, container, follow):
        print(line, flush=follow)


@app.command()
def kubeconfig() -> None:
    """Print the path of the cluster's kubeconfig: export KUBECONFIG=$(kata kubeconfig)."""
    print(the_place().kubeconfig)


@app.command(name="proxy-config")
@click.argument("section", metavar="listeners|routes|clusters|endpoints|all")
@click.argument("pod", metavar="POD")
def proxy_config(section: str, pod: str) -> None:
    """Print what a pod's Envoy has in force, from its configuration dump, as JSON.

    All of it is what `istioctl proxy-config routes --file` reads.
    """
    from kata_lib.mesh import proxy_config

    if section == "all":
        found: Any = proxy_config.dump(the_cluster(), pod)
    else:
        found = proxy_config.read(the_cluster(), pod, proxy_config.section(section))
    print(json.dumps(found, indent=2))
