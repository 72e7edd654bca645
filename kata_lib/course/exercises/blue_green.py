"""10: version 2 for those who ask for it by a header, version 1 for everyone else."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from kata_lib.cluster.cluster import Cluster
from kata_lib.course import mistakes, restoring, routing, service, verdicts
from kata_lib.course.exercise import PERCENT, Check, Exercise, InClass, Question
from kata_lib.course.mistake import Mistake
from kata_lib.course.result import Result
from kata_lib.course.steps import V1, V2, Step
from kata_lib.course.turn import Turn, seen
from kata_lib.course.wanted import same
from kata_lib.mesh.analyze import Choice, lines
from kata_lib.mesh.matches import PLAIN, Request
from kata_lib.mesh.virtual_services import is_plain, speaker

if TYPE_CHECKING:
    import pandas as pd

RULE = "deploy/blue-green/virtual-service.yaml"
SUBSETS = "deploy/blue-green/destination-rule.yaml"
TESTER = Request(headers={"x-test": "use-v2"})
Shares = Mapping[str, float]
EVERYONE_ELSE: Shares = {"v1": 1.0}
CANARY: Shares = {"v1": 0.9, "v2": 0.1}


def _routed(cluster: Cluster, users: Shares) -> Iterator[Mistake]:
    """Yield why testers do not get v2, or everyone else gets other shares than these."""
    yield from mistakes.headers_lost(cluster)
    yield from mistakes.workloads(cluster, verdicts.V1_AND_V2)
    written, found = speaker(cluster, service.NAME), service.in_force(cluster)
    testers, others = found.outcome(TESTER), found.outcome(PLAIN)
    if written and written["metadata"]["name"] != service.NAME:
        choice = Choice(lines.deleted(written), "its own rules go")
        yield Mistake(
            f"The VirtualService {written['metadata']['name']} speaks for {service.NAME}.", choices=(choice,)
        )
    if not same(testers.versions, {"v2": 1.0}):
        first = written["spec"]["http"][0] if written else {}
        late = "The rule for everyone stands first, so no request gets past it." if is_plain(first) else ""
        why = late if written else f"No VirtualService routes {service.NAME}."
        yield Mistake(
            f"With the header x-test: use-v2 a request gets: {testers}. {why}",
            restoring.applied(SUBSETS, RULE),
        )
    if not same(others.versions, users):
        shares = " ".join(f"name-{version}={users.get(version, 0) * 100:.0f}" for version in ("v1", "v2"))
        yield Mistake(f"A request without the header gets: {others}.", f"kata weights {shares}")
    yield from routing.unanswered(cluster)


def _judged(users: Shares, expected: float, otherwise: float) -> Check:
    def check(cluster: Cluster, sample: "pd.DataFrame") -> Result:
        found = verdicts.first(cluster, _routed(cluster, users), sample)
        return found or verdicts.judge(cluster, sample, expected, otherwise)

    return check


EXERCISE = Exercise(
    Step("blue-green", "10-blue-green", (V1, V2, SUBSETS)),
    about="version 2 for those who ask for it: choice in place of chance, and where the choice gets lost",
    in_class=InClass(
        say="A canary throws dice. Who of you wants to be sure to get version 2, and how would you say so?",
        ask="Your service has five tiers. Which of them must hand the header on? (All but the last.)",
        goes_wrong="The rule for everyone stands first; the header is not handed on. The check names both.",
    ),
    checks={
        "testers": _judged(EVERYONE_ELSE, 1.0, otherwise=1 / 3),
        "everyone-else": _judged(EVERYONE_ELSE, 0.0, otherwise=1 / 3),
        "testers-and-canary": _judged(CANARY, 0.1, otherwise=1 / 3),
    },
    turns={"by-header": Turn(seen(lambda cluster: _routed(cluster, EVERYONE_ELSE)))},
    questions={
        "testers' answers from v2": Question(
            PERCENT,
            "Some say a third, as before, or 10, as with a canary. But no chance is left: a rule looks at "
            "the header, and all who send it take the same route.",
            expected=100,
            out_of=100,
        ),
        "testers' answers from v2, where the header is lost": Question(
            PERCENT,
            "Many still say 100: the testers did send it. But the sidecar that chooses stands behind "
            "sentences, and what sentences does not hand on it cannot match.",
            expected=0,
            out_of=100,
        ),
    },
)
