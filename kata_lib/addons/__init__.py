"""Add-ons of a cluster: installed by one call, opened by another.

Kiali and Grafana need a cluster with a real Istio; Prometheus and Argo Rollouts (`rollouts`) go into every
cluster, into the embedded one as processes (embedded.py).
"""

from collections.abc import Callable

from kata_lib.addons import istio, prometheus_embedded, rollouts, rollouts_embedded
from kata_lib.addons.dashboards import dashboards
from kata_lib.addons.istio import PORTS, opened
from kata_lib.engines.base import Engine
from kata_lib.errors import KataError

__all__ = ["NAMES", "PORTS", "dashboards", "install", "opened"]

NAMES = (*PORTS, "rollouts")
"""All add-ons."""

Say = Callable[[str], None]


def install(engine: Engine, names: list[str], say: Say) -> None:
    """Install add-ons by name and wait until they are ready; `say` is told what is waited for.

    Raises KataError for a name that is none, EngineError where the engine has none, the manifests cannot be
    had, the cluster refuses, or an add-on is not ready within READY_SECONDS.
    """
    for name in names:
        if name not in NAMES:
            raise KataError(f"There is no add-on {name!r}; there are: {', '.join(NAMES)}.")
    engine.logs().mkdir(parents=True, exist_ok=True)
    is_embedded = engine.name == "embedded"
    of_istio = [name for name in names if name in PORTS]
    if is_embedded and of_istio == ["prometheus"]:
        prometheus_embedded.install(engine, istio.running(engine), say)
    elif of_istio:
        istio.install(engine, of_istio, say)
    if "rollouts" in names:
        chosen = rollouts_embedded if is_embedded else rollouts
        chosen.install(engine, istio.running(engine), say)
