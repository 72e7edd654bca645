"""What each step must show: right, wrong, or not enough yet.

A cluster and a sample go in, a Result comes out. The objects are looked at first, because they tell the
mistake and its mending line; then the sample, by a test whose false alarms are rarer than one in a million.
"""

import itertools
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from types import EllipsisType

import pandas as pd

from kata_lib.cluster.cluster import Cluster
from kata_lib.cluster.snapshot import Snapshot
from kata_lib.course import argo_mistakes, mistakes, originals, release_mistakes, routing, wanted
from kata_lib.course.mistake import Mistake
from kata_lib.course.mistakes import V1_DEPLOYMENTS
from kata_lib.course.result import Result
from kata_lib.course.steps import PLAN_V2, PLAN_V3, SCALED
from kata_lib.course.wanted import WantedRouting
from kata_lib.errors import KataError
from kata_lib.statistics import shares
from kata_lib.traffic import UNKNOWN

V1_AND_V2 = (*V1_DEPLOYMENTS, "name-v2")
HALF = 0.5  # of the requests fail where one of two pods does not answer
V3_ERRORS = 0.5  # of v3's requests, as deploy/v3-faulty asks
V3_FAILURES = 0.1 * V3_ERRORS  # of all requests, where v3 gets a tenth
UNROUTED_FAILURES = 0.25 * V3_ERRORS  # where v3 gets what plain Kubernetes gives one pod of four
_BEFORE = " What is in force is what the step asks, so the sample is from before: take a new one."


class CheckFailed(KataError):
    """A check was not right where it has to be: in a run without a person."""


Check = Callable[[Cluster, pd.DataFrame], Result]


def check(name: str, cluster: Cluster, sample: pd.DataFrame | EllipsisType = ...) -> Result:
    """Run the check of that name; raise CheckFailed if nobody watches and it is not right.

    Dots for a sample, as a cell to fill has them, are not enough yet; the clean-up
    has none.
    """
    if name not in CHECKS:
        raise KataError(f"There is no check {name!r}; there are: {', '.join(CHECKS)}.")
    if name == "cleaned-up":
        sample = pd.DataFrame()
    if isinstance(sample, EllipsisType):
        result = Result(name, "not enough yet", "There is no sample: put one in place of the dots.")
    else:
        result = replace(CHECKS[name](Snapshot(cluster), sample), name=name)
    if unattended() and result.verdict != "right":
        raise CheckFailed(repr(result))
    return result


def unattended() -> bool:
    """Return whether no person watches: KATA_RESET=1, or CI is set as continuous integration does."""
    return os.environ.get("KATA_RESET") == "1" or bool(os.environ.get("CI"))


def resets() -> bool:
    """Return whether a step begins anew where nothing else is said: unattended, unless KATA_RESET=0."""
    return unattended() and os.environ.get("KATA_RESET") != "0"


def _v1_runs(cluster: Cluster, sample: pd.DataFrame) -> Result:
    found = itertools.chain(mistakes.workloads(cluster, V1_DEPLOYMENTS), routing.unanswered(cluster))
    if result := _first(cluster, found, sample):
        return result
    if len(sample) < (needed := shares.requests_needed(0.0, HALF)):
        return Result("", "not enough yet", f"{_seen(sample)}: take {needed} requests or more.")
    return _right(f"{_seen(sample)}, no failure.")


def _v1_alone(cluster: Cluster, sample: pd.DataFrame) -> Result:
    found = itertools.chain(
        mistakes.extra_version(cluster),
        mistakes.unwanted_route(cluster),
        mistakes.workloads(cluster, V1_DEPLOYMENTS),
        routing.mistakes(cluster, wanted.V1_ALONE),
    )
    return _first(cluster, found, sample) or _judge(cluster, sample, 0.0, otherwise=1 / 3)


def _a_third(cluster: Cluster, sample: pd.DataFrame) -> Result:
    found = itertools.chain(
        mistakes.replicas(cluster, {"name-v1": 2, "name-v2": 1}),
        mistakes.unwanted_route(cluster),
        mistakes.workloads(cluster, V1_AND_V2),
        routing.mistakes(cluster, wanted.A_THIRD),
    )
    return _first(cluster, found, sample) or _judge(cluster, sample, 1 / 3, otherwise=0.1)


def _canary_10(cluster: Cluster, sample: pd.DataFrame) -> Result:
    found = _routed(cluster, wanted.CANARY_10)
    return _first(cluster, found, sample) or _judge(cluster, sample, 0.1, otherwise=1 / 3)


def _weights_rule(cluster: Cluster, sample: pd.DataFrame) -> Result:
    found = itertools.chain(
        routing.unsafe(cluster, wanted.CANARY_BY_FOUR_PODS),
        mistakes.replicas(cluster, SCALED),
        _routed(cluster, wanted.CANARY_BY_FOUR_PODS),
    )
    # With four pods beside two, plain Kubernetes would give v2 two thirds.
    return _first(cluster, found, sample) or _judge(cluster, sample, 0.1, otherwise=2 / 3)


def _canary_20(cluster: Cluster, sample: pd.DataFrame) -> Result:
    return _first(cluster, _routed(cluster, wanted.CANARY_20), sample) or _judge(
        cluster, sample, 0.2, otherwise=0.1
    )


def _mesh_agrees(cluster: Cluster, table: pd.DataFrame) -> Result:
    """Look at a table of telemetry.side_by_side."""
    for mistake in _routed(cluster, wanted.CANARY_10):
        return _wrong(mistake)
    if missing := {"client", "source", "destination"} - set(table.columns):
        return _wrong(Mistake(f"The table has no column {', '.join(sorted(missing))}.", _MEASURE))
    client, source = int(table["client"].sum()), int(table["source"].sum())
    seen = f"The client counted {client}, the callers' sidecars {source}"
    if client != source or not table["client"].equals(table["source"]):
        return _wrong(
            Mistake(
                f"{seen}. Something else asked too (scripts/loop-query.sh?), or the counters were read at "
                "another moment.",
                _MEASURE,
            )
        )
    if client < (needed := shares.requests_needed(0.1, 1 / 3)):
        return Result("", "not enough yet", f"{seen}: take {needed} requests or more.")
    if (table["destination"] < table["source"]).any():
        return _wrong(Mistake("Some of name's pods counted less than was sent to them.", _MEASURE))
    return _right(f"{seen}, and so for each version.")


_MEASURE = (
    "before = lab.counters(); sample = lab.sample(requests=500); counted = lab.counters(since=before); "
    "from kata_lib import telemetry; table = telemetry.side_by_side(sample, counted, service='name')"
)


def _promoted(cluster: Cluster, sample: pd.DataFrame) -> Result:
    return _first(cluster, _routed(cluster, wanted.PROMOTED), sample) or _judge(
        cluster, sample, 1.0, otherwise=0.9
    )


def _v3_hurts(cluster: Cluster, sample: pd.DataFrame) -> Result:
    found = itertools.chain(
        _routed(cluster, wanted.CANARY_OF_V3, (*V1_AND_V2, "name-v3")), routing.retries(cluster)
    )
    for mistake in found:
        return _wrong(mistake)
    seen = shares.share_of("failed", int(sample["version"].isna().sum()), len(sample))
    return _verdict(cluster, f"{seen.count} requests failed: {seen}", seen, V3_FAILURES, UNROUTED_FAILURES)


def _routed(
    cluster: Cluster, wanted: WantedRouting, deployments: tuple[str, ...] = V1_AND_V2
) -> Iterator[Mistake]:
    """Yield what keeps the requests from going as a step wants, what would send a version too much first."""
    yield from routing.unsafe(cluster, wanted)
    yield from mistakes.workloads(cluster, deployments)
    yield from routing.mistakes(cluster, wanted)


def _everyone_on_v2(found: Callable[[Cluster], Iterable[Mistake]]) -> Check:
    """Return the check of a release that leaves every request with v2."""
    return lambda cluster, sample: (
        _first(cluster, found(cluster), sample) or _judge(cluster, sample, 1.0, otherwise=0.9)
    )


def _cleaned_up(cluster: Cluster, _: pd.DataFrame) -> Result:
    for mistake in mistakes.left_over(cluster):
        return _wrong(mistake)
    return _right(f"Nothing of the workshop is left in namespace {cluster.namespace}.")


def _first(cluster: Cluster, found: Iterable[Mistake], sample: pd.DataFrame) -> Result | None:
    for mistake in found:
        return _wrong(mistake)
    failures = sample[sample["version"].isna()]
    if len(failures):
        first = failures.iloc[0]
        said = first["error"] or f"status {first['status']}: {first['answer']}"
        text = f"{len(failures)} of {len(sample)} requests failed, the first with {said}."
        for mistake in mistakes.changed(cluster):
            return _wrong(replace(mistake, text=f"{text} {mistake.text}"))
        return Result("", "wrong", text)
    strangers = sample[sample["version"] == UNKNOWN]
    if len(strangers):
        said = strangers.iloc[0]["answer"]
        return Result(
            "",
            "wrong",
            f"{len(strangers)} of {len(sample)} answers are no sentence of the workshop's: {said!r}.",
        )
    return None


def _judge(cluster: Cluster, sample: pd.DataFrame, expected: float, otherwise: float) -> Result:
    return _verdict(cluster, _seen(sample), shares.observed(sample, "v2"), expected, otherwise)


def _verdict(cluster: Cluster, said: str, seen: shares.Share, expected: float, otherwise: float) -> Result:
    verdict = str(shares.judge(seen.count, seen.n, expected, otherwise))
    text = f"{said}, expected {shares.percent(expected)}."
    if verdict == "not enough yet":
        needed = shares.requests_needed(expected, otherwise)
        text += f" Too few to tell that from {shares.percent(otherwise)}: take {needed} requests or more."
    elif verdict == "wrong":
        for mistake in itertools.chain(routing.retries(cluster), mistakes.changed(cluster)):
            return _wrong(replace(mistake, text=f"{text} {mistake.text}"))
        text += _BEFORE
    return Result("", verdict, text)


def _seen(sample: pd.DataFrame) -> str:
    seen = shares.observed(sample, "v2")
    interval = f"95 % interval {shares.percent(seen.low)} to {shares.percent(seen.high)}"
    return f"{seen.count} of {seen.n:,} answers from v2 ({interval})"


def _wrong(mistake: Mistake) -> Result:
    edits = [originals.difference(file) for file in originals.edited() if file in mistake.mend]
    return Result("", "wrong", "\n".join([mistake.text, *edits]), mistake.mend, mistake.choices)


def _right(text: str) -> Result:
    return Result("", "right", text)


CHECKS: dict[str, Check] = {
    "v1-runs": _v1_runs,
    "v1-alone": _v1_alone,
    "a-third": _a_third,
    "canary-10": _canary_10,
    "weights-rule": _weights_rule,
    "canary-20": _canary_20,
    "mesh-agrees": _mesh_agrees,
    "promoted": _promoted,
    "v3-hurts": _v3_hurts,
    "rolled-back": _promoted,
    "released": _everyone_on_v2(lambda c: release_mistakes.find(c, "name-v2", "Healthy", PLAN_V2)),
    "caught": _everyone_on_v2(lambda c: release_mistakes.find(c, "name-v3", "Degraded", PLAN_V3)),
    "argo-released": _everyone_on_v2(lambda c: argo_mistakes.find(c, "v2", "Healthy")),
    "argo-caught": _everyone_on_v2(lambda c: argo_mistakes.find(c, "v3", "Degraded")),
    "cleaned-up": _cleaned_up,
}
"""Every check by the name that notebooks use."""
