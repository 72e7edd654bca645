"""Which add-ons there are, and how each comes into a real cluster and into the embedded one."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from kata_lib.addons import istio, prometheus_embedded, rollouts, rollouts_embedded
from kata_lib.cluster.location import Location
from kata_lib.engines.base import Engine
from kata_lib.errors import EngineError, KataError

Say = Callable[[str], None]
Installer = Callable[[Engine, Path, Say], None]
"""Installs one into an engine's cluster, whose kubeconfig it gets, and waits until it is ready."""

_REAL: Mapping[str, Installer] = {
    **{name: partial(istio.install, name) for name in istio.PORTS},
    "rollouts": rollouts.install,
}
_EMBEDDED: Mapping[str, Installer] = {
    "prometheus": prometheus_embedded.install,
    "rollouts": rollouts_embedded.install,
}
NAMES = tuple(_REAL)
"""All add-ons."""


def install(engine: Engine, names: list[str], say: Say) -> None:
    """Install add-ons by name and wait until they are ready; `say` is told what is waited for.

    Raises KataError for a name that is none, EngineError where the engine cannot have one, the manifests
    cannot be had, the cluster refuses, or an add-on is not ready in time. A name that is refused comes before
    anything is installed.
    """
    chosen = [_installer(engine, name) for name in names]
    kubeconfig = _place(engine).kubeconfig
    engine.logs().mkdir(parents=True, exist_ok=True)
    for installer in chosen:
        installer(engine, kubeconfig, say)


def of_istio(engine: Engine) -> list[str]:
    """Return which of Istio's own add-ons an engine's cluster can have."""
    return [name for name in istio.PORTS if name in _of(engine)]


@contextmanager
def opened(engine: Engine, name: str, port: int = 0) -> Iterator[str]:
    """Give an add-on's URL on this machine while the block runs.

    In a real cluster it is a port-forward, to `port` of 127.0.0.1 or to a free one. Raises KataError for what
    has no page, EngineError where the add-on is not ready or the engine cannot have it.
    """
    if name not in istio.PORTS:
        raise KataError(f"There is no add-on {name!r} to open; there are: {', '.join(istio.PORTS)}.")
    _installer(engine, name)
    place = _place(engine)
    if istio.missing(place.kubeconfig, name):
        raise EngineError(f"{name} is not ready in this cluster: `kata addons install {name}` installs it.")
    if engine.name == "embedded":
        yield prometheus_embedded.url(place)
    else:
        with istio.opened(place.kubeconfig, name, port) as url:
            yield url


def _of(engine: Engine) -> Mapping[str, Installer]:
    return _EMBEDDED if engine.name == "embedded" else _REAL


def _installer(engine: Engine, name: str) -> Installer:
    """Return what installs an add-on into an engine's cluster; raise as install() says."""
    if name not in NAMES:
        raise KataError(f"There is no add-on {name!r}; there are: {', '.join(NAMES)}.")
    if found := _of(engine).get(name):
        return found
    raise EngineError(
        "The embedded engine has no Kiali and no Grafana: `lab.graph()` and `lab.counters()` show the "
        "same, and `kata up --engine kind` gives a cluster that can have them. "
        "`kata addons install prometheus` brings a Prometheus where its program is on this machine."
    )


def _place(engine: Engine) -> Location:
    if place := engine.where():
        return place
    raise EngineError("The cluster does not run: `kata up` starts it.")
