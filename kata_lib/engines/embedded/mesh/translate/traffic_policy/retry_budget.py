"""trafficPolicy.retryBudget: how many retries may be under way, as a part of all requests that are.

Source: istio/istio, pilot/pkg/networking/core/cluster_traffic_policy.go (applyRetryBudget).
"""

from collections.abc import Mapping
from typing import Any

from kata_lib.engines.embedded.mesh.translate.fields import LEAF, Tree
from kata_lib.engines.embedded.mesh.translate.model import Envoy
from kata_lib.engines.embedded.mesh.translate.numbers import duration

FIELDS: Tree = {"percent": LEAF, "minRetryConcurrency": LEAF, "budgetInterval": LEAF}

_PERCENT, _AT_LEAST = 20.0, 3  # istiod's, where nothing is said


def apply(budget: Mapping[str, Any] | None, cluster: Envoy) -> None:
    """Write the budget into a cluster's circuit breakers."""
    if budget is None:
        return
    percent = budget.get("percent")
    made: Envoy = {
        "budget_percent": {"value": _PERCENT if percent is None else percent},
        "min_retry_concurrency": budget.get("minRetryConcurrency") or _AT_LEAST,
    }
    if "budgetInterval" in budget:
        made["budget_interval"] = duration(budget["budgetInterval"])
    cluster["circuit_breakers"]["thresholds"][0]["retry_budget"] = made
