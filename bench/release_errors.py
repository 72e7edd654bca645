"""How often a release errs: simulated releases by the workshop's plan, each rate by its upper 99 % limit.

Without a cluster. tests/unit/test_release_simulation.py runs fewer of them.
"""

from collections.abc import Callable, Iterator
from functools import partial

from bench.results import Figure
from kata_lib import delivery
from kata_lib.delivery.common_troubles import Drift, Outages
from kata_lib.delivery.plan import Plan
from kata_lib.delivery.simulation import Outcomes, Traffic, outcomes
from kata_lib.statistics.sequential import greatest_share

PLAN, FAULTY = "deploy/rollouts/v2.yaml", "deploy/rollouts/v3.yaml"
RATES = (5, 20, 60, 200, 400)
SHARES = (0.001, 0.01, 0.03, 0.05, 0.1, 0.15)
USUAL = 0.001
PARTS = (0.3, 1.0)
"""Of the requests in an outage, that are bad."""
AT_ONCE = [{"setWeight": 100}, {"analysis": {}}]


def measure(releases: int, say: Callable[[str], None]) -> Iterator[Figure]:
    """Yield the figures, of so many releases for each kind of traffic."""
    plan, faulty = delivery.read(PLAN), delivery.read(FAULTY)
    for name, kinds in _alike().items():
        say(f"release-errors: {name}")
        yield _blamed(plan, name, kinds, releases)
    say("release-errors: faulty canaries")
    for name, made in (("by steps", faulty), ("at once", faulty.changed(steps=AT_ONCE))):
        yield _caught(made, name, outcomes(made, Traffic(200, 0.5, 0.0), releases))
    yield _missed(plan, releases)


def _alike() -> dict[str, list[Traffic]]:
    """Return what both versions have alike."""
    usual = partial(Traffic, canary=USUAL, stable=USUAL)
    return {
        "both fail 0.1 to 15 %": [Traffic(rate, share, share) for rate in RATES for share in SHARES],
        "both are out for 0.5 s": [
            usual(rate, common=Outages(0.5, part)) for rate in RATES for part in PARTS
        ],
        "both are out for 2 s": [usual(rate, common=Outages(2.0, part)) for rate in RATES for part in PARTS],
        "both drift from 0 to 15 % and back": [usual(rate, common=Drift(0.15)) for rate in RATES],
    }


def _blamed(plan: Plan, name: str, kinds: list[Traffic], releases: int) -> Figure:
    worst = max(outcomes(plan, kind, releases).aborted for kind in kinds)
    how = (
        f"the worst of {len(kinds)} kinds of traffic, {RATES[0]} to {RATES[-1]} requests/s: "
        f"{worst} of {releases:,}"
    )
    limit = 100 * greatest_share(worst, releases)
    return Figure(
        f"canary blamed where {name}, upper 99 % limit", limit, "%", 100 * plan.false_abort, how=how
    )


def _caught(plan: Plan, name: str, found: Outcomes) -> Figure:
    how = f"{found.aborted:,} of {found.releases:,} sent back, {found.seconds:.1f} s (median), 200 requests/s"
    return Figure(f"faulty v3 {name}: requests that met it, mean", found.met, "requests", how=how)


def _missed(plan: Plan, releases: int) -> Figure:
    """Return how often the mildest faulty canary goes through."""
    faulty = plan.metrics[0].faulty
    found = outcomes(plan, Traffic(400, faulty, USUAL), releases)
    limit = 100 * greatest_share(found.through, releases)
    what = f"canary that fails {100 * faulty:g} % goes through, upper 99 % limit"
    return Figure(what, limit, "%", 100 * plan.missed, how=f"{found.through} of {releases:,}")
