"""Any notebook after any other, as a learner leaves it: the end of one, then the beginning of another.

What was left is recorded of a real run (ends.py), with which test_notebooks.py compares each run. Here it
is brought to the engine's API in memory. Notebooks that begin alike, or leave the same, are one case. A plain
run draws for each end ROUNDS beginnings, always the same, so that one notebook more is a few cases more;
`scripts/test --all` takes every pair.
"""

import itertools
import json
import random
from collections.abc import Callable, Iterator
from functools import partial

import argo_stages
import pytest
from api_server import Api, StartApi
from random_sets import ALL

from kata_lib.cluster.client import Obj
from kata_lib.course import beginning, notebooks
from kata_lib.course.exercises import STEPS
from kata_lib.course.steps import ARGO, Step
from notebooks import ends

ENDS = ends.recorded()
ROUNDS = 3
SEED = 1

End = tuple[str, Callable[[Api], None]]
Beginning = tuple[str, Step]


def distinct_ends() -> Iterator[End]:
    """Yield what brings each distinct end, by the names of all notebooks that leave it."""
    names: dict[str, list[str]] = {}
    for name, left in ENDS.items():
        names.setdefault(json.dumps(left), []).append(name)
    for text, alike in names.items():
        yield ", ".join(alike), partial(bring, json.loads(text))


def bring(left: list[Obj], api: Api) -> None:
    """Have an API server hold what a notebook left."""
    if "Rollout" in str(left):
        argo_stages.install(api)
    ends.bring(api.cluster(), left)


def distinct_beginnings() -> Iterator[Beginning]:
    """Yield one step of each beginning, by the notebooks of all that begin so."""
    alike: dict[tuple[str, ...], list[Step]] = {}
    for step in STEPS:
        alike.setdefault(step.starts_with, []).append(step)
    for steps in alike.values():
        yield ", ".join(step.notebook for step in steps), steps[0]


def drawn(left: list[End], begun: list[Beginning], draw: random.Random) -> Iterator[tuple[End, Beginning]]:
    """Yield each end once, with a beginning; each beginning comes as often as any other."""
    order = draw.sample(begun, len(begun))
    yield from zip(draw.sample(left, len(left)), itertools.cycle(order))


def pairs() -> list[tuple[End, Beginning]]:
    """Return ends, each with a beginning to try after it."""
    left, begun = list(distinct_ends()), list(distinct_beginnings())
    if ALL:
        return list(itertools.product(left, begun))
    draw = random.Random(SEED)
    found = {(end[0], one[0]): (end, one) for _ in range(ROUNDS) for end, one in drawn(left, begun, draw)}
    return list(found.values())


def test_every_notebook_is_recorded_with_its_turns_taken_and_skipped() -> None:
    taken = [f"{run} {source.stem}" for run in ends.RUNS for source in notebooks.sources()]
    assert list(ENDS) == taken


@pytest.mark.parametrize(
    ("end", "place"), [pytest.param(end, one, id=f"{one[0]} after {end[0]}") for end, one in pairs()]
)
def test_a_notebook_begins_as_it_says_after_another(start_api: StartApi, end: End, place: Beginning) -> None:
    (_, left), (_, step) = end, place
    api = start_api(left)
    if ARGO in str(step.starts_with):
        argo_stages.install(api)
    cluster = api.cluster()
    found = beginning.differences(cluster, step)
    begun = beginning.begin(cluster, step)
    assert begun.kept == []
    assert len(begun.lines) <= max(1, len(step.starts_with) * all(d.change == "missing" for d in found))
    assert beginning.differences(cluster, step) == []
