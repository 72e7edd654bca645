"""Mistakes that a release shows: what is not as a step wants it, and the line that mends it."""

from collections.abc import Iterator

from kata_lib.cluster.cluster import Cluster
from kata_lib.course import routing
from kata_lib.course.mistake import Mistake
from kata_lib.course.wanted import PROMOTED
from kata_lib.delivery import record, words
from kata_lib.delivery.state import Phase, ReleaseState
from kata_lib.errors import ReleaseError

_ENDED_BY = {"Healthy": "goes through", "Degraded": "is aborted by its analysis"}


def find(cluster: Cluster, canary: str, phase: Phase, plan: str) -> Iterator[Mistake]:
    """Yield why the release of this canary has not ended so, by the metrics, and everyone is in place."""
    begin = f"kata release start {plan}"
    try:
        release = record.load(cluster, "name").release
    except ReleaseError as error:
        yield Mistake(str(error), begin)
        return
    last = words.line(release.decisions[-1], release.plan)
    if release.plan.canary != canary:
        yield Mistake(
            f"The last release was that of {release.plan.canary}; this step wants {canary}'s.", begin
        )
    elif not release.ended:
        yield Mistake(f"The release is {release.phase}. Last: {last}", "kata release resume")
    elif release.phase != phase:
        yield Mistake(f"This step's release {_ENDED_BY[phase]}; yours ended otherwise: {last}", begin)
    elif not _by_metrics(release):
        yield Mistake(f"A person decided this release, not the metrics: {last}", begin)
    else:
        yield from _moved(cluster, release)


def _by_metrics(release: ReleaseState) -> bool:
    """Return whether the last run was judged: a verdict, and no step left or ended at a person's word."""
    run = release.since_started
    persons = {d.what for d in run if d.by == "person"} & {"promoted", "healthy", "aborted", "undone"}
    return not persons and any(d.what in ("successful", "aborted") for d in run)


def _moved(cluster: Cluster, release: ReleaseState) -> Iterator[Mistake]:
    everyone = release.plan.canary if release.phase == "Healthy" else release.plan.stable
    for mistake in routing.mistakes(cluster, PROMOTED):
        said = f"The release has left everyone on {everyone}, and somebody moved them since. {mistake.text}"
        yield Mistake(said, mistake.mend, mistake.choices)
