"""Plans for the tests of releases, and looks at made-up requests."""

from typing import Any

from kata_lib import delivery
from kata_lib.delivery.observed import Look, Observed, Pods
from kata_lib.delivery.state import Versions
from kata_lib.statistics.sequential import Counted

SUCCESS = {
    "name": "success-rate",
    "successCondition": "result >= 0.99",
    "failureCondition": "result < 0.90",
}


def plan(*steps: dict[str, Any], compared: float | None = None, **analysis: Any) -> delivery.Plan:
    """Return a plan with these steps and one metric, compared with stable by odds where they are given."""
    metric = {**SUCCESS, "oddsAgainstStable": compared} if compared else SUCCESS
    return delivery.parse(
        {
            "service": "name",
            "caller": "sentences",
            "stable": "name-v1",
            "canary": "name-v2",
            "steps": list(steps) or [{"setWeight": 10}, {"analysis": {}}],
            "analysis": {"metrics": [metric], **analysis},
        }
    )


VERSIONS = Versions(canary="v2", stable="v1")
WELL = Pods(1, 1)


def seen(
    canary: tuple[int, int],
    stable: tuple[int, int] = (0, 0),
    *,
    lost: int = 0,
    canary_pods: Pods = WELL,
    stable_pods: Pods = WELL,
) -> Observed:
    """Return a look at (failed, requests) of each version."""
    looks = {"success-rate": Look(Counted(*canary), Counted(*stable), lost)}
    return Observed(looks, canary_pods, stable_pods)
