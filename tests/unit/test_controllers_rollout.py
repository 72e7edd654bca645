"""The arithmetic of a rolling update keeps within its limits, and gets to its end."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kata_lib.engines.embedded.controllers import rollout
from kata_lib.engines.embedded.store import Obj


def replicaset(name: str, wanted: int, available: int, **annotations: str) -> Obj:
    return {
        "metadata": {"name": name, "creationTimestamp": "2026-01-01T00:00:00Z", "annotations": annotations},
        "spec": {"replicas": wanted},
        "status": {"replicas": wanted, "availableReplicas": available},
    }


def spec(replicas: int, surge: int | str = "25%", unavailable: int | str = "25%") -> dict[str, Any]:
    rolling = {"maxSurge": surge, "maxUnavailable": unavailable}
    return {"replicas": replicas, "strategy": {"type": "RollingUpdate", "rollingUpdate": rolling}}


@pytest.mark.parametrize(
    ("replicas", "surge", "unavailable", "expected"),
    [
        (1, "25%", "25%", (1, 0)),
        (2, "25%", "25%", (1, 0)),
        (4, "25%", "25%", (1, 1)),
        (10, "25%", "25%", (3, 2)),
        (3, 0, 0, (0, 1)),
        (3, 0, 5, (0, 3)),
        (10, "100%", 0, (10, 0)),
    ],
)
def test_percentages_round_as_kubernetes_rounds_them(
    replicas: int, surge: int | str, unavailable: int | str, expected: tuple[int, int]
) -> None:
    assert rollout.limits(spec(replicas, surge, unavailable)) == rollout.Limits(*expected)


def test_old_pods_go_only_when_new_ones_are_available() -> None:
    old, new = replicaset("old", 2, 2), replicaset("new", 1, 0)
    assert rollout.scale_down_old(spec(2), new, [old]) == []
    assert rollout.scale_down_old(spec(2), replicaset("new", 1, 1), [old]) == [(old, 1)]


def test_unhealthy_old_pods_go_first() -> None:
    sick, well = replicaset("b-sick", 2, 0), replicaset("a-well", 2, 2)
    new = replicaset("new", 1, 0)
    sizes = {rs["metadata"]["name"]: size for rs, size in rollout.scale_down_old(spec(3), new, [well, sick])}
    assert sizes == {"b-sick": 1}


def test_a_change_of_replicas_during_a_rollout_keeps_the_shares() -> None:
    annotations = {rollout.DESIRED: "10", rollout.MAXIMUM: "13"}
    old, new = replicaset("old", 8, 8, **annotations), replicaset("new", 5, 5, **annotations)
    sizes = {rs["metadata"]["name"]: size for rs, size in rollout.proportional(spec(20), new, [old])}
    assert sum(sizes.values()) == 25
    assert sizes["old"] > sizes["new"] > 5


@given(
    replicas=st.integers(1, 12),
    surge=st.integers(0, 4),
    unavailable=st.integers(0, 4),
    readiness=st.lists(st.booleans(), min_size=80, max_size=80),
)
def test_a_rollout_stays_within_its_limits_and_ends(
    replicas: int, surge: int, unavailable: int, readiness: list[bool]
) -> None:
    wanted = spec(replicas, surge, unavailable)
    limits = rollout.limits(wanted)
    old, new = replicaset("old", replicas, replicas), replicaset("new", 0, 0)
    for becomes_ready in [*readiness, *[True] * 60]:
        new["spec"]["replicas"] = rollout.new_replicas(wanted, new, [old])
        for found, size in rollout.scale_down_old(wanted, new, [old]):
            found["spec"]["replicas"] = size
            found["status"]["availableReplicas"] = min(size, rollout.available(found))
        assert rollout.wanted(new) + rollout.wanted(old) <= replicas + limits.surge
        assert rollout.available(new) + rollout.available(old) >= replicas - limits.unavailable
        if becomes_ready and rollout.available(new) < rollout.wanted(new):
            new["status"]["availableReplicas"] += 1
    assert (rollout.wanted(old), rollout.wanted(new)) == (0, replicas)
