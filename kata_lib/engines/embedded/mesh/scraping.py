"""A pod's annotations for Prometheus: injection points them at the sidecar, whose agent asks the application.

So whoever scrapes a pod gets the counters of both. Source: istio/istio, pkg/kube/inject/webhook.go
(applyPrometheusMerge).
"""

import json
from collections.abc import Mapping

from kata_lib.engines.embedded.registry.status import StatusError
from kata_lib.engines.embedded.store import Obj

METRICS_PORT = 15020
METRICS_PATH = "/stats/prometheus"
_ANNOTATION = "prometheus.io/"
_MERGE = "prometheus.istio.io/merge-metrics"
_ENVIRONMENT = "ISTIO_PROMETHEUS_ANNOTATIONS"
_DENIED = (
    'admission webhook "namespace.sidecar-injector.istio.io" denied the request: '
    "failed to process pod: invalid prometheus scrape configuration: "
)
_FALSE = {"0", "f", "F", "false", "FALSE", "False"}
"""Go's spellings."""


def redirect(annotations: dict[str, str], sidecar: Obj) -> None:
    """Point a pod's annotations at its sidecar; what they said goes into the container's environment.

    Raises StatusError, in the words of Istio's webhook, where they name a port that is none.
    """
    port = annotations.get(f"{_ANNOTATION}port")
    unwanted = {annotations.get(f"{_ANNOTATION}scrape"), annotations.get(_MERGE)} & _FALSE
    if unwanted or port == str(METRICS_PORT):
        return
    if port is not None and not (port.isdecimal() and 0 < int(port) < 65536):
        raise StatusError(400, "", f'{_DENIED}invalid port "{port}"')
    names = ("scrape", "path", "port")
    said = {name: annotations[_ANNOTATION + name] for name in names if _ANNOTATION + name in annotations}
    if said:
        variable = {"name": _ENVIRONMENT, "value": json.dumps(said, separators=(",", ":"))}
        sidecar.setdefault("env", []).append(variable)
    for name, value in zip(names, ("true", METRICS_PATH, str(METRICS_PORT)), strict=True):
        annotations[_ANNOTATION + name] = value


def application(sidecar: Obj) -> tuple[int, str] | None:
    """Return port and path of the application's own metrics, None where its pod named none."""
    environment = {variable["name"]: variable.get("value", "") for variable in sidecar.get("env", [])}
    said: Mapping[str, str] = json.loads(environment.get(_ENVIRONMENT) or "{}")
    if not said or said.get("scrape") == "false":
        return None
    return int(said.get("port") or 80), said.get("path") or "/metrics"
