"""Prometheus: Istio's own where pods are containers, else the real program as a process.

As a process it asks the API server which pods there are, and for their counters through it. Its Service has
the name and the place that it has beside a real Istio: queries and `http://prometheus.istio-system:9090`
mean the same.
"""

import json
from functools import partial
from typing import Any

from kata_lib.addons import manifests
from kata_lib.engines.addons import Addon, Process, Site
from kata_lib.engines.istioctl import NAMESPACE

NAME, IMAGE, PORT = "prometheus", "prom/prometheus", 9090
SCRAPE_INTERVAL = "5s"
REFRESH_INTERVAL = "2s"
KEPT = "1d"


def configuration(site: Site) -> dict[str, Any]:
    """Return Prometheus' configuration: it asks the API server whom to scrape."""
    access = {
        "authorization": {"type": "Bearer", "credentials_file": str(site.token)},
        "tls_config": {"ca_file": str(site.authority)},
    }
    discovery = {"url": site.targets, "refresh_interval": REFRESH_INTERVAL, **access}
    scrape = {"job_name": "pods", "scheme": "https", "http_sd_configs": [discovery], **access}
    return {"global": {"scrape_interval": SCRAPE_INTERVAL}, "scrape_configs": [scrape]}


def as_process(site: Site) -> list[dict[str, Any]]:
    """Write Prometheus' configuration, and return its Deployment and its Service."""
    config = site.folder / f"{NAME}.yaml"
    config.write_text(json.dumps(configuration(site), indent=1))
    labels = {"app": NAME}
    container = {
        "name": NAME,
        "image": IMAGE,
        "args": [
            f"--config.file={config}",
            f"--storage.tsdb.path={site.folder / NAME}",
            f"--storage.tsdb.retention.time={KEPT}",
            "--web.listen-address=$(LISTEN_ADDRESS):$(PORT)",
        ],
        "env": [{"name": "PORT", "value": str(PORT)}],
        "ports": [{"containerPort": PORT}],
        "readinessProbe": {"httpGet": {"path": "/-/ready", "port": PORT}, "periodSeconds": 1},
    }
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    meta = {"name": NAME, "namespace": NAMESPACE}
    deployment = {"selector": {"matchLabels": labels}, "template": template, "strategy": {"type": "Recreate"}}
    service = {"selector": labels, "ports": [{"name": "http", "port": PORT}], "type": "NodePort"}
    return [
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": deployment},
        {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": service},
    ]


PROMETHEUS = Addon(
    NAME,
    NAMESPACE,
    deployment=NAME,
    manifest=partial(manifests.of_istio, NAME),
    port=PORT,
    process=Process(
        IMAGE,
        program="prometheus",
        source="`apt-get install prometheus` brings it, or https://prometheus.io/download",
        manifests=as_process,
    ),
)
