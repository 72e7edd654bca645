"""A real Prometheus on the embedded engine, as a process that scrapes every pod with a sidecar.

It asks the API server which pods there are, and for their counters through it. Its Service has the name and
the place that it has beside a real Istio: queries and `http://prometheus.istio-system:9090` mean the same.
"""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from kata_lib.addons import deployed
from kata_lib.addons.embedded import Program, wait
from kata_lib.cluster.location import Location
from kata_lib.engines import kubectl
from kata_lib.engines.base import Engine
from kata_lib.engines.kind.istio import NAMESPACE

NAME, PORT = "prometheus", 9090
READY_SECONDS = 60.0
SCRAPE_INTERVAL = "5s"
REFRESH_INTERVAL = "2s"
TARGETS = "/kata/scrape-targets"
KEPT = "1d"
PROGRAM = Program(
    "prometheus",
    "KATA_PROMETHEUS",
    "`apt-get install prometheus` brings it, or https://prometheus.io/download",
)


def install(engine: Engine, kubeconfig: Path, say: Callable[[str], None]) -> None:
    """Install Prometheus and wait until it answers; EngineError where it does not, or is not there."""
    file = PROGRAM.file()
    PROGRAM.offer(file)
    folder = engine.logs().parent
    config = folder / "prometheus.yaml"
    server = yaml.safe_load(kubeconfig.read_text())["clusters"][0]["cluster"]["server"]
    config.write_text(json.dumps(configuration(server, folder / "pki"), indent=1))
    say(f"installing prometheus: {file}")
    deployed.apply(
        kubeconfig, NAME, "\n---\n".join(map(json.dumps, manifests(config, folder / "prometheus")))
    )
    missing = partial(deployed.missing, kubeconfig, NAMESPACE, NAME)
    wait(engine, kubeconfig, NAME, NAMESPACE, missing, READY_SECONDS, say)


def url(place: Location) -> str:
    """Return where Prometheus answers on this machine once it is installed."""
    service = kubectl.read(place.kubeconfig, "get", "service", NAME, f"--namespace={NAMESPACE}")
    (port,) = service["spec"]["ports"]
    return f"http://{place.node_host}:{port['nodePort']}/"


def configuration(server: str, pki: Path) -> dict[str, Any]:
    """Return Prometheus' configuration: it asks `server`, the API's URL, whom to scrape."""
    access = {
        "authorization": {"type": "Bearer", "credentials_file": str(pki / "token")},
        "tls_config": {"ca_file": str(pki / "ca.pem")},
    }
    discovery = {"url": f"{server}{TARGETS}", "refresh_interval": REFRESH_INTERVAL, **access}
    scrape = {"job_name": "pods", "scheme": "https", "http_sd_configs": [discovery], **access}
    return {"global": {"scrape_interval": SCRAPE_INTERVAL}, "scrape_configs": [scrape]}


def manifests(config: Path, data: Path) -> list[dict[str, Any]]:
    """Return the namespace, the Deployment and the Service."""
    labels = {"app": NAME}
    container = {
        "name": NAME,
        "image": "prom/prometheus",
        "args": [
            f"--config.file={config}",
            f"--storage.tsdb.path={data}",
            f"--storage.tsdb.retention.time={KEPT}",
            "--web.listen-address=$(LISTEN_ADDRESS):$(PORT)",
        ],
        "env": [{"name": "PORT", "value": str(PORT)}],
        "ports": [{"containerPort": PORT}],
        "readinessProbe": {"httpGet": {"path": "/-/ready", "port": PORT}, "periodSeconds": 1},
    }
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    meta = {"name": NAME, "namespace": NAMESPACE}
    spec = {"selector": {"matchLabels": labels}, "template": template, "strategy": {"type": "Recreate"}}
    ports = [{"name": "http", "port": PORT}]
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec},
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": meta,
            "spec": {"selector": labels, "ports": ports, "type": "NodePort"},
        },
    ]
