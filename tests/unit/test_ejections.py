"""Pods that a sidecar has ejected, as its Envoy says; as a picture; and how long it takes to get there."""

import random
from math import inf

import pandas as pd
import pytest

from kata_lib.mesh import telemetry
from kata_lib.mesh.ejections import _ejected
from kata_lib.pictures.graph import draw_pods
from kata_lib.statistics import runs

HOST = "name.default.svc.cluster.local"


def entry(name: str, *endpoints: tuple[str, bool]) -> dict[str, object]:
    """Return a cluster as Envoy lists it under /clusters?format=json; endpoints: which are ejected."""
    return {
        "name": name,
        "host_statuses": [
            {
                "address": {"socket_address": {"address": address, "port_value": 5000}},
                "health_status": {"eds_health_status": "HEALTHY"}
                | ({"failed_outlier_check": True} if ejected else {}),
            }
            for address, ejected in endpoints
        ],
    }


def test_who_is_ejected_from_any_subset_of_the_service_is_named() -> None:
    status = {
        "cluster_statuses": [
            entry(f"outbound|5000||{HOST}", ("10.0.0.1", False), ("10.0.0.2", False)),
            entry(f"outbound|5000|name-v3|{HOST}", ("10.0.0.2", True)),
            entry("outbound|5000||age.default.svc.cluster.local", ("10.0.0.3", True)),
            entry("inbound|5000||", ("10.0.0.1", True)),
        ]
    }
    pods = {"10.0.0.1": "name-v1-a", "10.0.0.2": "name-v3-b", "10.0.0.3": "age-c"}
    assert set(_ejected(status, HOST, pods)) == {"name-v3-b"}


def counted(*rows: tuple[str, str, str, str, float]) -> pd.DataFrame:
    """Return a reading: of each row the pod, the reporter, the workload called, the code, the requests."""
    index = pd.MultiIndex.from_tuples(
        [
            (pod, reporter, "sentences", "v1", "name", called, "v1", code, "-")
            for pod, reporter, called, code, _ in rows
        ],
        names=telemetry.KEYS,
    )
    return pd.DataFrame({"requests": [row[-1] for row in rows]}, index=index)


def test_each_pod_has_its_part_a_dark_one_says_so_and_what_reached_none_has_an_edge() -> None:
    table = counted(
        ("a", "destination", "name-v1", "200", 60.0),
        ("b", "destination", "name-v1", "500", 20.0),
        ("sentences-1", "source", "unknown", "503", 20.0),
    )
    made = draw_pods(table, "name", "sentences", {"a": "v1", "b": "v1", "c": "v3"}, {"c"})
    shares = {edge.called.name: (edge.share, edge.errors) for edge in made.edges}
    assert shares == {"a": (0.6, 0.0), "b": (0.2, 1.0), "c": (0.0, 0.0), "no pod": (0.2, 1.0)}
    assert "c v3 ejected: 0.0 %" in made.alt
    assert "stroke-dasharray" in made.svg


def test_without_any_request_every_pod_is_still_there() -> None:
    made = draw_pods(counted().astype(float), "name", "sentences", {"a": "v1"}, ())
    assert [(edge.called.name, edge.requests, edge.share) for edge in made.edges] == [("a", 0, 0.0)]


@pytest.mark.parametrize(("length", "failing", "mean"), [(5, 1.0, 5.0), (5, 0.5, 62.0), (2, 0.0, inf)])
def test_how_many_requests_it_takes_until_so_many_fail_in_a_row(
    length: int, failing: float, mean: float
) -> None:
    assert runs.until(length, failing) == pytest.approx(mean)


def test_the_mean_is_that_of_requests_thrown_by_dice() -> None:
    dice, total, rounds = random.Random(1), 0, 4000
    for _ in range(rounds):
        row = 0
        while row < 3:
            row = row + 1 if dice.random() < 0.5 else 0
            total += 1
    # The deviation of one round is below its mean of 14: six standard errors, one false alarm in 10^9.
    assert total / rounds == pytest.approx(runs.until(3, 0.5), abs=6 * 14 / rounds**0.5)
