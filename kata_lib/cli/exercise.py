"""The kata's steps from beginning to end without a person: a Lab goes in, one row a step comes out."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kata_lib.course.steps import CANARY, CANARY_V3, PROMOTE, V1, V2, V3
from kata_lib.lab.lab import Lab
from kata_lib.statistics import shares

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Row:
    """What one step should show and did: the share of v2, or of failed requests (`share.version`).

    share is None for the clean-up, which has no traffic to look at; `seen` says then what is left.
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
"""In place of a version: the requests without an answer of one."""


def _nothing_but_v1(lab: Lab) -> None:
    lab.begin("deploy", reset=True)


def _canary_of_v3(lab: Lab) -> None:
    lab.apply(V3)
    lab.apply(CANARY_V3)


_STEPS = (
    _Traffic("v1 alone", _nothing_but_v1, 0.0, 1 / 3, 300),
    _Traffic("v1 and v2", lambda lab: lab.apply(V2), 1 / 3, 0.1, 600),
    _Traffic("canary", lambda lab: lab.apply(CANARY), 0.1, 1 / 3, 1000),
    _Traffic("promoted", lambda lab: lab.apply(PROMOTE), 1.0, 0.1, 300),
    _Traffic("faulty v3", _canary_of_v3, 0.05, 0.0, 400, of=FAILED),
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
    sample = lab.sample(step.requests, on_progress=lambda done: on_progress(step.title, done / step.requests))
    failures = int(sample["version"].isna().sum())
    seen = _share(step, sample, failures)
    verdict = shares.judge(seen.count, seen.n, step.expected, step.otherwise)
    unwanted = failures if step.of != FAILED else 0
    return Row(step.title, step.expected, seen, failures, "wrong" if unwanted else verdict)


def _share(step: _Traffic, sample: "pd.DataFrame", failures: int) -> shares.Share:
    if step.of == FAILED:
        return shares.share_of(FAILED, failures, len(sample))
    return shares.observed(sample, step.of)


def _cleaned_up(lab: Lab) -> Row:
    for path in (V1, V2, V3, PROMOTE):
        lab.delete(path)
    left = lab.left_over()
    seen = ", ".join(left) or "nothing left"
    return Row(_CLEAN_UP, None, None, 0, "wrong" if left else "right", seen)
