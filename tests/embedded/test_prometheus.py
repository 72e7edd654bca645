"""A real Prometheus scrapes the pods' port 15020, and has the same numbers as the sampler, to the request."""

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import urlopen

import pandas as pd
import pytest
import yaml
from engine_cluster import Cluster as Running

from kata_lib import observe
from kata_lib.cluster import Cluster
from kata_lib.traffic import sample

PROMETHEUS = shutil.which("prometheus")
REQUESTS = 200
LIMIT = 30.0

pytestmark = pytest.mark.skipif(PROMETHEUS is None, reason="no Prometheus: apt-get install prometheus")


class Prometheus:
    """A running Prometheus that scrapes each target once a second."""

    def __init__(self, folder: Path, targets: list[str]) -> None:
        scrape = {
            "job_name": "pods",
            "metrics_path": "/stats/prometheus",
            "static_configs": [{"targets": targets}],
        }
        config = folder / "prometheus.yaml"
        config.write_text(yaml.safe_dump({"global": {"scrape_interval": "1s"}, "scrape_configs": [scrape]}))
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.address = f"127.0.0.1:{free.getsockname()[1]}"
        self.log = folder / "log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [
                    str(PROMETHEUS),
                    f"--config.file={config}",
                    f"--storage.tsdb.path={folder / 'data'}",
                    f"--web.listen-address={self.address}",
                ],
                stdout=log,
                stderr=log,
            )

    def ask(self, query: str, by: str) -> dict[str, float]:
        """Return the answer to a PromQL question, one value for each of a label's."""
        url = f"http://{self.address}/api/v1/query?{urlencode({'query': query})}"
        with urlopen(url, timeout=5) as answer:
            results = json.load(answer)["data"]["result"]
        return {result["metric"].get(by, ""): float(result["value"][1]) for result in results}

    def wait(self, query: str, by: str, wanted: dict[str, float]) -> dict[str, float]:
        """Ask until the answer is the wanted one; return the last."""
        end = time.monotonic() + LIMIT
        found: dict[str, float] = {}
        while found != wanted and time.monotonic() < end and self.process.poll() is None:
            with suppress(OSError):  # it does not listen yet
                found = self.ask(query, by)
            time.sleep(0.2)
        assert self.process.poll() is None, self.log.read_text()
        return found


@pytest.fixture
def prometheus(cluster: Running, tmp_path: Path) -> Iterator[Prometheus]:
    pods = json.loads(cluster.kubectl("get", "pods", "--output=json"))["items"]
    started = Prometheus(tmp_path, [f"{pod['status']['podIP']}:15020" for pod in pods])
    yield started
    started.process.terminate()
    started.process.wait(10)


def test_prometheus_the_tables_and_the_sampler_agree(cluster: Running, prometheus: Prometheus) -> None:
    mine = Cluster(cluster.location.kubeconfig, node_host=cluster.location.node_host)
    before = observe.reading(mine)
    answers = sample(cluster.url(), requests=REQUESTS, rate=200)
    after = observe.reading(mine)
    up = prometheus.wait("up", "instance", dict.fromkeys(_targets(mine), 1.0))
    assert up == dict.fromkeys(_targets(mine), 1.0)
    for reporter in ("source", "destination"):
        of = f'{{reporter="{reporter}",destination_service_name="name"}}'
        for metric, column in (
            ("istio_requests_total", "requests"),
            ("istio_request_duration_milliseconds_count", "timed"),
        ):
            wanted = _by_version(after, reporter, column)
            question = f"sum by (destination_version) ({metric}{of})"
            assert prometheus.wait(question, "destination_version", wanted) == wanted
    counted = observe.by_version(observe.difference(before, after))["requests"]
    assert counted.to_dict() == answers["version"].value_counts().to_dict()
    assert counted.sum() == REQUESTS


def _targets(cluster: Cluster) -> list[str]:
    return [f"{pod['status']['podIP']}:15020" for pod in cluster.pods()]


def _by_version(table: pd.DataFrame, reporter: str, column: str) -> dict[str, float]:
    rows = table.reset_index().query(f"service == 'name' and reporter == '{reporter}'")
    sums: dict[str, float] = rows.groupby("version")[column].sum().to_dict()
    return sums
