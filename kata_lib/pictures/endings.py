"""The picture of how releases end: real ones, as bars, beside what the simulation says."""

from typing import TYPE_CHECKING

from kata_lib.delivery.plan import Plan
from kata_lib.delivery.simulation import Outcomes
from kata_lib.delivery.trials import endings, simulated
from kata_lib.pictures.plots import distribution
from kata_lib.pictures.stills import Still
from kata_lib.statistics.shares import share_of

if TYPE_CHECKING:
    import pandas as pd


def draw(releases: "pd.DataFrame", plan: Plan, found: Outcomes) -> Still:
    """Show which share of real releases ended in each way, and of simulated ones.

    releases: as trials.run returns them; found: how simulated ones by the same plan end.
    """
    version, counts = plan.canary.removeprefix(f"{plan.service}-"), releases["ended"].value_counts()
    real = {name: share_of(version, int(counts.get(name, 0)), len(releases)) for name in endings(plan)}
    return distribution(
        {_short(name): share for name, share in real.items()},
        {_short(name): share for name, share in simulated(plan, found).items()},
        title=f"How releases of {plan.canary} end",
        of="releases",
        beside=f"simulated, {found.releases:,} releases",
        x_title="where they ended",
    )


def _short(ending: str) -> str:
    return ending.removeprefix("stopped at ")
