"""retryBudget as istiod writes it into a cluster (applyRetryBudget, in its cluster_traffic_policy.go)."""

from typing import Any

import pytest

from kata_lib.engines.embedded.mesh.translate import traffic_policy
from kata_lib.engines.embedded.mesh.translate.clusters import unlimited


@pytest.mark.parametrize(
    ("budget", "written"),
    [
        ({}, {"budget_percent": {"value": 20.0}, "min_retry_concurrency": 3}),
        ({"percent": 0}, {"budget_percent": {"value": 0}, "min_retry_concurrency": 3}),
        (
            {"percent": 10, "minRetryConcurrency": 1, "budgetInterval": "10s"},
            {"budget_percent": {"value": 10}, "min_retry_concurrency": 1, "budget_interval": "10s"},
        ),
    ],
)
def test_what_is_left_out_is_as_istiod_has_it(budget: dict[str, Any], written: dict[str, Any]) -> None:
    cluster = {"circuit_breakers": unlimited()}
    traffic_policy.apply({"retryBudget": budget}, cluster)
    assert cluster["circuit_breakers"]["thresholds"][0]["retry_budget"] == written


def test_settings_of_a_port_leave_the_rules_budget_where_the_subset_has_them() -> None:
    rule = {"retryBudget": {"percent": 10}, "connectionPool": {"tcp": {"maxConnections": 1}}}
    of_port = {"portLevelSettings": [{"port": {"number": 80}, "connectionPool": {}}]}
    assert traffic_policy.effective(rule, of_port, 80) == {
        "retryBudget": {"percent": 10},
        "connectionPool": {},
    }
    assert traffic_policy.effective({**rule, **of_port}, {}, 80) == {"connectionPool": {}}
