"""Istio's add-ons come by one call; Kiali's graph and ours show the same distribution of a minute.

Runs where KATA_TEST_ENGINE=kind asks for it and KATA_ADDONS names a folder with prometheus.yaml, kiali.yaml,
grafana.yaml and, for a proxy without Istio's own counters, request-stats.json.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest
from labs import lab_on

from kata_lib import addons
from kata_lib.addons import kiali
from kata_lib.course.steps import CANARY, V2
from kata_lib.lab.lab import Lab
from kata_lib.mesh import telemetry
from kata_lib.statistics import shares

pytestmark = pytest.mark.needs("kind", "addons")

CLUSTER = "kata-addons"
RATE, WINDOW = 50.0, 60.0
Z = 4.9  # of a normal distribution, both ways: one false alarm in a million


@pytest.fixture(scope="module")
def kata(engine_environment: dict[str, str]) -> Iterator[Lab]:
    with lab_on(engine_environment, CLUSTER) as made:
        yield made


def test_kiali_and_the_sidecars_agree(kata: Lab, give_counters: Callable[[Path], None]) -> None:
    give_counters(kata.cluster.kubeconfig)
    addons.install(kata.engine, ["prometheus", "kiali"], print)
    kata.begin("deploy", reset=True)
    kata.apply(V2)
    kata.apply(CANARY)
    with kata.watch(RATE), addons.opened(kata.engine, "kiali") as url:
        time.sleep(WINDOW / 2)  # the window then holds traffic at a steady rate only
        before = kata.counters()
        time.sleep(WINDOW)
        counted = kata.counters(since=before)
        theirs = kiali.shares(url, kata.cluster.namespace, "name", WINDOW)
    ours = telemetry.by_version(counted, "name")
    n = int(ours["requests"].sum())
    assert n > 0.8 * RATE * WINDOW
    assert set(theirs) == set(ours.index) == {"v1", "v2"}
    for version, share in theirs.items():
        seen = ours["requests"][version] / n
        # Two windows of a minute that overlap differ by less than two that do not.
        assert abs(share - seen) < Z * (2 * seen * (1 - seen) / n) ** 0.5, (theirs, seen)
    assert shares.judge(int(ours["requests"]["v2"]), n, 0.1, 1 / 3) == "right"


def test_grafana_is_installed_and_linked(kata: Lab) -> None:
    """Of Grafana only what its manifest's probes ask is asked."""
    addons.install(kata.engine, ["grafana"], print)
    with addons.opened(kata.engine, "grafana") as url:
        assert httpx2.get(f"{url}api/health", timeout=10).status_code == 200
    found = addons.dashboards(kata, "name")
    assert set(found.links) == set(addons.with_page(kata.engine))
    assert httpx2.get(found.links["grafana"], timeout=10).status_code == 200
