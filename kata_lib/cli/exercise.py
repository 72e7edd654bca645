"""The kata's steps from beginning to end without a person: a Lab goes in, one row a step comes out."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from kata_lib.course.steps import CANARY, CANARY_V3, PROMOTE, V1, V2, V3
from kata_lib.course.wanted import V3_ERRORS
from kata_lib.lab.lab import Lab
from kata_lib.mesh import telemetry
from kata_lib.statistics import shares


@dataclass(frozen=True)
class Row:
    """What one step should show and did: v2's share, or the failed share of v3's requests (`share.version`).

    share is None for the clean-up, which has no traffic to look at; `seen` says then what is left.
    failures: of all requests, as the client saw them.
    """

    step: str
    expected: float | None
    share: shares.Share | None
    failures: int
    verdict: str
    seen: str = ""


@dataclass(frozen=True)
class _Traffic:
    """One step: what is done, and the share that shows that it worked, told apart from `otherwise`."""

    title: str
    begin: Callable[[Lab], None]
    expected: float
    otherwise: float
    requests: int
    of: str = "v2"


FAILED = "failed"
"""In place of a version: those of v3's requests that failed, as the callers' sidecars counted them."""
HEALTHY = 0.01
"""The share of failures that a version without fault may have: the limit of deploy/rollouts/v3.yaml."""
_CONCURRENCY = 8  # v3 is slow; one request after the other would wait for it


def _nothing_but_v1(lab: Lab) -> None:
    lab.begin("deploy", reset=True)


def _canary_of_v3(lab: Lab) -> None:
    lab.apply(V3)
    lab.apply(CANARY_V3)


V3_REQUESTS = shares.requests_for(shares.requests_needed(V3_ERRORS, HEALTHY), 0.1)
"""So many that v3, which gets a tenth, is told from a healthy version by its own."""

_STEPS = (
    _Traffic("v1 alone", _nothing_but_v1, 0.0, 1 / 3, 300),
    _Traffic("v1 and v2", lambda lab: lab.apply(V2), 1 / 3, 0.1, 600),
    _Traffic("canary", lambda lab: lab.apply(CANARY), 0.1, 1 / 3, 1000),
    _Traffic("promoted", lambda lab: lab.apply(PROMOTE), 1.0, 0.1, 300),
    _Traffic("faulty v3", _canary_of_v3, V3_ERRORS, HEALTHY, V3_REQUESTS, of=FAILED),
    _Traffic("rolled back", lambda lab: lab.apply(PROMOTE), 1.0, 0.1, 300),
)
_CLEAN_UP = "cleaned up"
TITLES = (*(step.title for step in _STEPS), _CLEAN_UP)
"""The steps in their order, for a progress display."""


def run(lab: Lab, on_progress: Callable[[str, float], None] = lambda title, done: None) -> Iterator[Row]:
    """Do each step and yield its row; on_progress is told the step and how much of it is done (0 to 1)."""
    for step in _STEPS:
        on_progress(step.title, 0.0)
        step.begin(lab)
        yield _measured(lab, step, on_progress)
    on_progress(_CLEAN_UP, 0.0)
    yield _cleaned_up(lab)


def _measured(lab: Lab, step: _Traffic, on_progress: Callable[[str, float], None]) -> Row:
    before = lab.counters() if step.of == FAILED else None
    sample = lab.sample(
        step.requests,
        concurrency=_CONCURRENCY,
        on_progress=lambda done: on_progress(step.title, done / step.requests),
    )
    failures = int(sample["version"].isna().sum())
    if before is None:
        seen, wanted = shares.observed(sample, step.of), 0
    else:
        seen = telemetry.failures_of(lab.counters(since=before), "name-v3")
        wanted = seen.count
    verdict = shares.judge(seen.count, seen.n, step.expected, step.otherwise)
    return Row(step.title, step.expected, seen, failures, verdict if failures == wanted else "wrong")


def _cleaned_up(lab: Lab) -> Row:
    for path in (V1, V2, V3, PROMOTE):
        lab.delete(path)
    left = lab.left_over()
    seen = ", ".join(left) or "nothing left"
    return Row(_CLEAN_UP, None, None, 0, "wrong" if left else "right", seen)
