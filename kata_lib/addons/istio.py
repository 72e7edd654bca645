"""Istio's own add-ons, Prometheus, Kiali and Grafana: installed from its release's manifests, and opened."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from kata_lib.addons import deployed, prometheus_embedded
from kata_lib.addons.manifests import manifest_of
from kata_lib.engines.base import Engine
from kata_lib.engines.forwarding import port_forward
from kata_lib.engines.kind import KindEngine, images
from kata_lib.engines.kind.istio import NAMESPACE
from kata_lib.engines.programs import await_true
from kata_lib.errors import EngineError, KataError

PORTS = {"prometheus": 9090, "kiali": 20001, "grafana": 3000}
"""Each one's Service and port; in this order, because Kiali and Grafana ask Prometheus."""

READY_SECONDS = 180.0
NOT_READY = "{name} is not ready in this cluster: `kata addons install {name}` installs it."


def install(engine: Engine, names: list[str], say: Callable[[str], None]) -> None:
    """Install some and wait until they are ready; EngineError as kata_lib.addons.install says."""
    kubeconfig = _kubeconfig(engine)
    for name in names:
        manifest = manifest_of(name, engine.logs().parent)
        if isinstance(engine, KindEngine):
            engine.load(images.named_in(manifest.read_text()), say)
        say(f"installing {name}")
        deployed.apply(kubeconfig, name, manifest.read_text())
    for name in names:
        ready = partial(deployed.missing, kubeconfig, NAMESPACE, name)
        await_true(ready, READY_SECONDS, f"{name} was not ready", say)


@contextmanager
def opened(engine: Engine, name: str, port: int = 0) -> Iterator[str]:
    """Open a port-forward to an add-on while the block runs; its URL on 127.0.0.1 is given."""
    if name not in PORTS:
        raise KataError(f"There is no add-on {name!r} to open; there are: {', '.join(PORTS)}.")
    place = engine.where()
    if engine.name == "embedded" and name == "prometheus" and place:
        if not (found := prometheus_embedded.url(place)):
            raise EngineError(NOT_READY.format(name=name))
        yield found
        return
    kubeconfig = _kubeconfig(engine)
    if deployed.missing(kubeconfig, NAMESPACE, name):
        raise EngineError(NOT_READY.format(name=name))
    with port_forward(kubeconfig, NAMESPACE, f"service/{name}", PORTS[name], port) as address:
        yield f"http://{address}/"


def _kubeconfig(engine: Engine) -> Path:
    """Return the kubeconfig of a cluster that can have Istio's add-ons."""
    if engine.name == "embedded":
        raise EngineError(
            "The embedded engine has no Kiali and no Grafana: `lab.graph()` and `lab.counters()` show the "
            "same, and `kata up --engine kind` gives a cluster that can have them. "
            "`kata addons install prometheus` brings a Prometheus where its program is on this machine."
        )
    return running(engine)


def running(engine: Engine) -> Path:
    """Return the kubeconfig of an engine's cluster; EngineError where none runs."""
    place = engine.where()
    if place is None:
        raise EngineError("The cluster does not run: `kata up` starts it.")
    return place.kubeconfig
