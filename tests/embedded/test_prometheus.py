"""A real Prometheus scrapes the pods' port 15020, and has the same numbers as the sampler, to the request."""

import json
import time
from collections.abc import Iterator
from urllib.parse import urlencode
from urllib.request import urlopen

import pandas as pd
import pytest

from embedded.engine_cluster import Cluster as Running
from embedded.engine_cluster import quiet
from kata_lib import addons
from kata_lib.cluster.cluster import Cluster
from kata_lib.course.application import sample
from kata_lib.engines.istioctl import NAMESPACE
from kata_lib.mesh import telemetry

REQUESTS = 200
LIMIT = 60.0


class Prometheus:
    """A running Prometheus by its URL."""

    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, query: str, by: str) -> dict[str, float]:
        """Return the answer to a PromQL question, one value for each of a label's."""
        url = f"{self.url}api/v1/query?{urlencode({'query': query})}"
        with urlopen(url, timeout=5) as answer:
            results = json.load(answer)["data"]["result"]
        return {result["metric"].get(by, ""): float(result["value"][1]) for result in results}

    def wait(self, query: str, by: str, wanted: dict[str, float]) -> dict[str, float]:
        """Ask until the answer is the wanted one; return the last."""
        end = time.monotonic() + LIMIT
        found: dict[str, float] = {}
        while found != wanted and time.monotonic() < end:
            found = self.ask(query, by)
            time.sleep(0.2)
        return found


pytestmark = pytest.mark.needs("prometheus")


@pytest.fixture
def prometheus(cluster: Running) -> Iterator[Prometheus]:
    addons.install(cluster.engine, ["prometheus"], quiet)
    with addons.opened(cluster.engine, "prometheus") as url:
        yield Prometheus(url)
    cluster.kubectl("delete", "namespace", NAMESPACE)


def test_prometheus_the_tables_and_the_sampler_agree(cluster: Running, prometheus: Prometheus) -> None:
    mine = Cluster(cluster.location.kubeconfig, node_host=cluster.location.node_host)
    before = telemetry.reading(mine)
    answers = sample(cluster.url(), requests=REQUESTS, rate=200)
    after = telemetry.reading(mine)
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
    counted = telemetry.by_version(telemetry.difference(before, after), "name")["requests"]
    assert counted.to_dict() == answers["version"].value_counts().to_dict()
    assert counted.sum() == REQUESTS


def _targets(cluster: Cluster) -> list[str]:
    return [f"{pod['metadata']['namespace']}/{pod['metadata']['name']}" for pod in cluster.pods()]


def _by_version(table: pd.DataFrame, reporter: str, column: str) -> dict[str, float]:
    rows = table.reset_index().query(f"service == 'name' and reporter == '{reporter}'")
    sums = rows.groupby("version")[column].sum()
    return {str(version): float(value) for version, value in sums.items()}
