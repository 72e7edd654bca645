"""What checks are made of: from mistakes and a sample to a verdict.

The objects are looked at first, because they tell the mistake and its mending line; then the sample, by a
test whose false alarms are rarer than one in a million.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from kata_lib.cluster.cluster import Cluster
from kata_lib.course import mistakes, originals, routing
from kata_lib.course.exercise import Check
from kata_lib.course.mistake import Mistake
from kata_lib.course.mistakes import V1_DEPLOYMENTS
from kata_lib.course.result import Result
from kata_lib.course.wanted import WantedRouting
from kata_lib.statistics import shares
from kata_lib.traffic import UNKNOWN

if TYPE_CHECKING:
    import pandas as pd

V1_AND_V2 = (*V1_DEPLOYMENTS, "name-v2")
_BEFORE = " What is in force is what the step asks, so the sample is from before: take a new one."


def routed(
    cluster: Cluster, wanted: WantedRouting, deployments: tuple[str, ...] = V1_AND_V2
) -> Iterator[Mistake]:
    """Yield what keeps the requests from going as a step wants, what would send a version too much first."""
    yield from routing.unsafe(cluster, wanted)
    yield from mistakes.workloads(cluster, deployments)
    yield from routing.mistakes(cluster, wanted)


def everyone_on_v2(found: Callable[[Cluster], Iterable[Mistake]]) -> Check:
    """Return the check of a step that leaves every request with v2; found: its mistakes."""
    return lambda cluster, sample: (
        first(cluster, found(cluster), sample) or judge(cluster, sample, 1.0, otherwise=0.9)
    )


def first(cluster: Cluster, found: Iterable[Mistake], sample: "pd.DataFrame") -> Result | None:
    """Return "wrong" for the first mistake, or for failed or strange answers; None where there are none."""
    for mistake in found:
        return wrong(mistake)
    failures = sample[sample["version"].isna()]
    if len(failures):
        return _failed(cluster, failures, len(sample))
    strangers = sample[sample["version"] == UNKNOWN]
    if len(strangers):
        said = strangers.iloc[0]["answer"]
        return Result(
            "",
            "wrong",
            f"{len(strangers)} of {len(sample)} answers are no sentence of the workshop's: {said!r}.",
        )
    return None


def judge(cluster: Cluster, sample: "pd.DataFrame", expected: float, otherwise: float) -> Result:
    """Judge v2's share of a sample: expected, or what it would be otherwise, both 0 to 1."""
    return verdict(cluster, seen(sample), shares.observed(sample, "v2"), expected, otherwise)


def verdict(cluster: Cluster, said: str, share: shares.Share, expected: float, otherwise: float) -> Result:
    """Judge a share; said: what was seen, in words."""
    found = str(shares.judge(share.count, share.n, expected, otherwise))
    text = f"{said}, expected {shares.percent(expected)}."
    if found == "not enough yet":
        needed = shares.requests_needed(expected, otherwise)
        text += f" Too few to tell that from {shares.percent(otherwise)}: take {needed} requests or more."
    elif found == "wrong":
        for mistake in itertools.chain(routing.retries(cluster), mistakes.changed(cluster)):
            return wrong(replace(mistake, text=f"{text} {mistake.text}"))
        text += _BEFORE
    return Result("", found, text)


def judge_failures(
    sample: "pd.DataFrame", expected: float, otherwise: float, behind: str, since: str = ""
) -> Result:
    """Judge the share of a sample's requests that failed: expected, or what it would be otherwise, 0 to 1.

    behind: what a failure rate is compared with, in words. since: what an old sample was taken before.
    """
    failed = failures_of(sample)
    verdict = str(shares.judge(failed.count, failed.n, expected, otherwise))
    said = f"{failed.count} requests failed: {failed}; {behind}."
    if verdict == "not enough yet":
        said += f" Take {shares.requests_needed(expected, otherwise)} requests or more."
    if verdict == "wrong":
        said += f" The rule is as it should be, so the sample is from before{since}: take a new one."
    return Result("", verdict, said)


def failures_of(sample: "pd.DataFrame") -> shares.Share:
    """Return the share of a sample's requests that no version answered."""
    return shares.share_of("failed", int(sample["version"].isna().sum()), len(sample))


def seen(sample: "pd.DataFrame") -> str:
    """Return in words how many answers of a sample are v2's."""
    share = shares.observed(sample, "v2")
    interval = f"95 % interval {shares.percent(share.low)} to {shares.percent(share.high)}"
    return f"{share.count} of {share.n:,} answers from v2 ({interval})"


def wrong(mistake: Mistake) -> Result:
    """Return a mistake as a result, with the difference of the files that its line applies."""
    edits = [originals.difference(file) for file in originals.edited() if file in mistake.mend]
    return Result("", "wrong", "\n".join([mistake.text, *edits]), mistake.mend, mistake.choices)


def right(text: str) -> Result:
    """Return that a step shows what it must; text: what was seen."""
    return Result("", "right", text)


def _failed(cluster: Cluster, failures: "pd.DataFrame", requests: int) -> Result:
    one = failures.iloc[0]
    said = one["error"] or f"status {one['status']}: {one['answer']}"
    text = f"{len(failures)} of {requests} requests failed, the first with {said}."
    for mistake in mistakes.changed(cluster):
        return wrong(replace(mistake, text=f"{text} {mistake.text}"))
    return Result("", "wrong", text)
