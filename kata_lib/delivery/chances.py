"""What a plan's releases come to for one's own traffic: a table, from thousands of simulated releases.

Its upper part is what the two limits leave open: canaries between healthy and faulty. Its lower part is what
the plan promises, and what it does not: canaries that fail just as stable does, request by request, which the
promise covers, and in clumps of one version, which it does not.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from kata_lib.cluster import waiting
from kata_lib.delivery.common_troubles import Outages
from kata_lib.delivery.plan import Plan
from kata_lib.delivery.simulation import Outcomes, Traffic, outcomes
from kata_lib.statistics.sequential import greatest_share
from kata_lib.statistics.shares import percent

if TYPE_CHECKING:
    import pandas as pd

RATE, STABLE = 200.0, 0.001
CANARIES = (0.0, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5)
ALIKE, CLUMPS, OUTAGE = (0.01, 0.05), (3, 5), 2.0
RELEASES = 2000


def table(
    plan: Plan,
    rate: float = RATE,
    stable: float = STABLE,
    canaries: Sequence[float] = CANARIES,
    releases: int = RELEASES,
) -> "pd.DataFrame":
    """Return how releases end, one row a kind of canary.

    rate: users' requests a second. stable, canaries: the shares of their requests that fail, 0 to 1. aborted
    at most: the upper 99 % limit of the share aborted, as the simulation knows it. Half of the releases take
    no longer than the seconds; failed users is the mean number of users whose request failed at the canary.
    """
    import pandas as pd

    rows = {}
    for name, traffic in _kinds(rate, stable, canaries):
        with waiting.busy(f"Simulating {releases:,} releases: the canary {name}"):
            rows[name] = _row(outcomes(plan, traffic, releases))
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("canary")


def _kinds(rate: float, stable: float, canaries: Sequence[float]) -> Iterator[tuple[str, Traffic]]:
    for share in canaries:
        yield f"fails {percent(share)}, stable {percent(stable)}", Traffic(rate, share, stable)
    for share in ALIKE:
        yield f"fails {percent(share)}, as stable does", Traffic(rate, share, share)
    both_out = Traffic(rate, stable, stable, common=Outages(OUTAGE))
    yield f"as stable, both out for {OUTAGE:g} s now and then", both_out
    share = ALIKE[0]
    for clump in CLUMPS:
        yield f"the same {percent(share)} in clumps of {clump}", Traffic(rate, share, share, clump)


def _row(found: Outcomes) -> dict[str, object]:
    return {
        "goes through": percent(found.through / found.releases),
        "is held": percent(found.held / found.releases),
        "is aborted": percent(found.aborted / found.releases),
        "aborted at most": percent(greatest_share(found.aborted, found.releases)),
        "failed users": round(found.hurt, 1),
        "seconds": round(found.seconds),
    }
