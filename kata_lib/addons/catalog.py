"""Which add-ons there are, and how one is installed in an engine's cluster and opened."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from kata_lib.addons.flagger import FLAGGER
from kata_lib.addons.grafana import GRAFANA
from kata_lib.addons.kiali import KIALI
from kata_lib.addons.prometheus import PROMETHEUS
from kata_lib.addons.rollouts import ROLLOUTS
from kata_lib.addons.rollouts_gateway_api import ROLLOUTS_GATEWAY_API
from kata_lib.cluster.waiting import Progress
from kata_lib.engines.addons import Addon
from kata_lib.engines.base import Engine
from kata_lib.errors import EngineError, KataError

_RELEASES = (ROLLOUTS, ROLLOUTS_GATEWAY_API, FLAGGER)
_ALL = {addon.name: addon for addon in (PROMETHEUS, KIALI, GRAFANA, *_RELEASES)}
"""In this order, because Kiali and Grafana ask Prometheus."""

NAMES = tuple(_ALL)
PAGES = tuple(name for name, addon in _ALL.items() if addon.port is not None)
"""The names of all add-ons, and of those that have a page to open."""


def install(engine: Engine, names: Sequence[str], progress: Progress) -> None:
    """Install add-ons by name and wait until they work; where one is refused, none is installed.

    Raises KataError for a name that is none, and where the engine cannot have one, its manifest or its
    program is not to be had, the cluster refuses it, or it does not work in time.
    """
    chosen = [_addon(engine, name) for name in names]
    _require_running(engine)
    for addon in chosen:
        engine.addons().install(addon, progress)


def with_page(engine: Engine) -> list[str]:
    """Return which of the add-ons that have a page an engine's cluster can have."""
    return [name for name in PAGES if not engine.addons().refused(_ALL[name])]


@contextmanager
def opened(engine: Engine, name: str, port: int = 0) -> Iterator[str]:
    """Give an add-on's URL on this machine while the block runs.

    In a real cluster it is a port-forward, to `port` of 127.0.0.1 or to a free one. Raises KataError for what
    has no page, EngineError where the add-on is not ready or the engine cannot have it.
    """
    if name not in PAGES:
        raise KataError(f"There is no add-on {name!r} to open; there are: {', '.join(PAGES)}.")
    addon = _addon(engine, name)
    _require_running(engine)
    if engine.addons().missing(addon):
        raise EngineError(f"{name} is not ready in this cluster: `kata addons install {name}` installs it.")
    with engine.addons().opened(addon, port) as url:
        yield url


def _addon(engine: Engine, name: str) -> Addon:
    if name not in _ALL:
        raise KataError(f"There is no add-on {name!r}; there are: {', '.join(NAMES)}.")
    if reason := engine.addons().refused(_ALL[name]):
        raise EngineError(reason)
    return _ALL[name]


def _require_running(engine: Engine) -> None:
    if engine.where() is None:
        raise EngineError("The cluster does not run: `kata up` starts it.")
