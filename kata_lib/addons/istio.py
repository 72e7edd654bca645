"""Istio's own add-ons in a real cluster, Prometheus, Kiali and Grafana, from its release's manifests."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from kata_lib.addons import deployed
from kata_lib.addons.manifests import manifest_of
from kata_lib.engines.base import Engine
from kata_lib.engines.forwarding import port_forward
from kata_lib.engines.kind import KindEngine, images
from kata_lib.engines.kind.istio import NAMESPACE
from kata_lib.engines.programs import await_true

PORTS = {"prometheus": 9090, "kiali": 20001, "grafana": 3000}
"""Each one's Service and port; in this order, because Kiali and Grafana ask Prometheus."""

READY_SECONDS = 180.0


def install(name: str, engine: Engine, kubeconfig: Path, say: Callable[[str], None]) -> None:
    """Install one and wait until it is ready; raise EngineError where it cannot be."""
    manifest = manifest_of(name, engine.logs().parent).read_text()
    if isinstance(engine, KindEngine):
        engine.load(images.named_in(manifest), say)
    say(f"installing {name}")
    deployed.apply(kubeconfig, name, manifest)
    await_true(partial(missing, kubeconfig, name), READY_SECONDS, f"{name} was not ready", say)


def missing(kubeconfig: Path, name: str) -> str:
    """Return why one does not serve yet, "" where it does."""
    return deployed.missing(kubeconfig, NAMESPACE, name)


@contextmanager
def opened(kubeconfig: Path, name: str, port: int) -> Iterator[str]:
    """Open a port-forward to one while the block runs; its URL on 127.0.0.1 is given."""
    with port_forward(kubeconfig, NAMESPACE, f"service/{name}", PORTS[name], port) as address:
        yield f"http://{address}/"
