"""What plans see of versions that are a little ill, and at what price: by simulation."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from kata_lib.cluster import waiting
from kata_lib.delivery.illnesses import Crowded, Late
from kata_lib.delivery.metric import LATENCY, SUCCESS_RATE
from kata_lib.delivery.plan import Plan
from kata_lib.delivery.simulation import Outcomes, Traffic, outcomes
from kata_lib.errors import ReleaseError
from kata_lib.statistics.shares import percent

if TYPE_CHECKING:
    import pandas as pd

RATE, WELL, RELEASES = 400.0, 0.001, 2000


class Kind(NamedTuple):
    """A kind of canary: what becomes of its requests, and which metric is bad of it."""

    traffic: Traffic
    metric: str = SUCCESS_RATE


KINDS: Mapping[str, Kind] = {
    "healthy, fails 0.1 %": Kind(Traffic(RATE, WELL, WELL)),
    "fails 5 %": Kind(Traffic(RATE, 0.05, WELL)),
    "fails for 1 user in 100": Kind(Traffic(RATE, 0.01, WELL)),
    "turns bad after 6 s": Kind(Traffic(RATE, WELL, WELL, illness=Late(0.5, 6.0))),
    "slow above 100 requests/s": Kind(Traffic(RATE, WELL, WELL, illness=Crowded(0.01, 0.25)), LATENCY),
}
"""By their names in the table. A user's requests are spread among all the others', so to who counts requests
one user in a hundred is one request in a hundred."""

ASKED: Mapping[str, tuple[float, float]] = {
    "fails 5 %": (0.0, 0.01),
    "turns bad after 6 s": (0.0, 0.01),
    "healthy, fails 0.1 %": (0.95, 1.0),
}
"""The least and the greatest share of releases that a good plan lets through, 0 to 1."""


def of(plan: Plan, kind: str, releases: int = RELEASES) -> Outcomes:
    """Return how so many releases of a kind of canary end.

    ReleaseError where the plan does not look at the metric that sees it.
    """
    names = [metric.name for metric in plan.metrics]
    if KINDS[kind].metric not in names:
        raise ReleaseError(f"The plan does not look at {KINDS[kind].metric}, so it cannot see what {kind}.")
    return outcomes(plan, KINDS[kind].traffic, releases, names.index(KINDS[kind].metric))


def objection(plan: Plan) -> str:
    """Return what a plan does not see, or sends back without need; "" where all is well."""
    for kind, (least, most) in ASKED.items():
        found = of(plan, kind)
        through = found.through / found.releases
        if not least <= through <= most:
            limit = f"at most {percent(most)}" if through > most else f"at least {percent(least)}"
            return (
                f"Of {found.releases:,} simulated releases of a version of this kind: {kind}, the plan lets "
                f"{percent(through)} through; asked for is {limit}."
            )
    return ""


def strictest(plan: Plan) -> Plan:
    """Return a plan that calls 0.1 % of failures healthy and 1 % faulty, and looks at nothing else."""
    metric = {
        "name": SUCCESS_RATE,
        "successCondition": "result >= 0.999",
        "failureCondition": "result < 0.99",
    }
    return plan.changed(analysis={**plan.source["analysis"], "metrics": [metric]})


def table(plans: Mapping[str, Plan], releases: int = RELEASES) -> "pd.DataFrame":
    """Return one row a kind of canary and one column a plan.

    A cell says which part of the releases goes through, how many of how many requests to the canary go wrong,
    both on average, and how many seconds half of the releases take at most.
    """
    import pandas as pd

    rows = {}
    for kind in KINDS:
        with waiting.busy(f"Simulating {releases:,} releases by each plan: {kind}"):
            rows[kind] = {name: _cell(plan, kind, releases) for name, plan in plans.items()}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("canary")


def _cell(plan: Plan, kind: str, releases: int) -> str:
    if KINDS[kind].metric not in [metric.name for metric in plan.metrics]:
        return "not looked at"
    found = of(plan, kind, releases)
    through = percent(found.through / found.releases)
    bad = "slow" if KINDS[kind].metric == LATENCY else "failed"
    return f"{through} through, {found.hurt:,.0f} of {found.met:,.0f} {bad}, {found.seconds:.0f} s"
