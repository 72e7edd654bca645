"""Releases of the same canary by the same plan, again and again: real ones, one's own or a class's.

Each becomes a row: how it ended, how many users' requests failed meanwhile, how many seconds it took. Rows of
several people are pooled from the files into which each has saved theirs.
"""

import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from kata_lib import delivery
from kata_lib.cluster import waiting
from kata_lib.cluster.cluster import Cluster
from kata_lib.delivery.handle import Release
from kata_lib.delivery.plan import Plan
from kata_lib.delivery.simulation import Outcomes
from kata_lib.delivery.steps import SetWeight
from kata_lib.errors import ReleaseError
from kata_lib.statistics.shares import Share, share_of

if TYPE_CHECKING:
    import pandas as pd

    from kata_lib.traffic import Sampler

COLUMNS = ["ended", "failed", "seconds"]
THROUGH, HELD = "through", "held"
FILE = "my-releases.csv"


def run(cluster: Cluster, plan: Plan, number: int, users: "Sampler") -> "pd.DataFrame":
    """Release so many times, from none of the requests on, and return one row a release.

    users: who ask meanwhile. One that waits for a person is counted as held, and aborted.
    """
    import pandas as pd

    rows = []
    for done in range(number):
        with waiting.busy(f"Releasing {plan.canary}: {done + 1} of {number}"):
            rows.append(_one(cluster, plan, users))
    return pd.DataFrame(rows, columns=COLUMNS)


def _one(cluster: Cluster, plan: Plan, users: "Sampler") -> tuple[str, int, float]:
    before, began = _failed(users), time.monotonic()
    release = delivery.start(cluster, plan)
    release.wait(say=lambda line: None)
    took = round(time.monotonic() - began, 1)
    ended = ending(release)
    if ended == HELD:
        release.abort()
    return ended, _failed(users) - before, took


def through(releases: "pd.DataFrame") -> Share:
    """Return which share of releases went through."""
    return share_of("", int((releases["ended"] == THROUGH).sum()), len(releases))


def _failed(users: "Sampler") -> int:
    return int(users.frame()["error"].notna().sum())


def watched(cluster: Cluster, plan: Plan, seconds: float = 0.0) -> Release:
    """Release once, saying each decision, and return the release no sooner than after so many seconds."""
    began = time.monotonic()
    release = delivery.start(cluster, plan)
    release.wait()
    time.sleep(max(0.0, began + seconds - time.monotonic()))
    return release


def ending(release: Release) -> str:
    """Return how a release ended, in a word."""
    phase = release.state.phase
    if phase == "Degraded":
        return stopped_at(release.reached())
    return THROUGH if phase == "Healthy" else HELD


def stopped_at(weight: int) -> str:
    """Return the word for a release that was aborted at this weight, in per cent."""
    return f"stopped at {weight} %"


def endings(plan: Plan) -> list[str]:
    """Return how a release by this plan may end, the earliest end first."""
    weights = sorted({step.weight for step in plan.steps if isinstance(step, SetWeight) and step.weight})
    return [*map(stopped_at, weights), HELD, THROUGH]


def simulated(plan: Plan, found: Outcomes) -> Mapping[str, float]:
    """Return which share of simulated releases ended in each way."""
    counts = Counter({stopped_at(weight): count for weight, count in found.stopped.items()})
    counts.update({HELD: found.held, THROUGH: found.through})
    return {name: counts[name] / found.releases for name in endings(plan)}


def save(releases: "pd.DataFrame", file: Path | str = FILE) -> Path:
    """Write one's releases into a file, to be pooled with others'; return its place."""
    releases.to_csv(file, index=False)
    return Path(file)


def pool(folder: Path | str = ".") -> "pd.DataFrame":
    """Return the releases of all files `*releases*.csv` in a folder, one after the other.

    ReleaseError where there is none, or one holds something else.
    """
    import pandas as pd

    files = sorted(Path(folder).glob("*releases*.csv"))
    if not files:
        raise ReleaseError(f"In {Path(folder).resolve()} there is no file such as {FILE}.")
    frames = {file: pd.read_csv(file) for file in files}
    for file, frame in frames.items():
        if list(frame.columns) != COLUMNS:
            raise ReleaseError(
                f"Expected the columns {', '.join(COLUMNS)} in {file}, found {', '.join(map(str, frame))}."
            )
    return pd.concat(frames.values(), ignore_index=True)
