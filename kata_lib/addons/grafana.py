"""Grafana with Istio's dashboards, which ask Prometheus."""

from functools import partial

from kata_lib.addons import manifests
from kata_lib.engines.addons import Addon
from kata_lib.engines.istioctl import NAMESPACE

NAME = "grafana"

GRAFANA = Addon(
    NAME,
    NAMESPACE,
    deployment=NAME,
    manifest=partial(manifests.of_istio, NAME),
    port=3000,
    instead="`live.show_graph(lab)` and `lab.counters()` show the same.",
)
