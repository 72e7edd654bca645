"""How often a change is marked as seen that never came, and how many requests a mark takes: by simulation.

Many live labs at once, each with two versions and random answers. This is kata_lib.statistics.change for two
versions, with arrays in place of numbers; a test holds the two to the same evidence.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import log
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.results import Figure, percentile
from kata_lib.statistics.change import (
    ASKED,
    CONTRADICTED,
    ENOUGH,
    FAILED,
    PROMISED,
    UNLIKE,
    UNSEEN,
)
from kata_lib.statistics.shares import at_most, percent

Array = NDArray[np.float64]
"""A row for v1, v2 and failures, a column for each lab."""

OUTCOMES = 3
MINUTES, FASTEST, USUAL = 5, 400, 10  # the two latter in requests a second
HALF = (0.0, 0.5)  # v2 fails half its requests
OUTAGE = (0.3, 0.3)
PRICED = 2000  # labs
LOOK = 100  # requests between two sums of what is left
SMALL = 1e-9
HARDLY_ONE = 0.05  # of a mark
PATIENCE = 5000  # requests


@dataclass(frozen=True)
class Case:
    """A change of v2's share as asked for, after `before` requests; fails: the versions' shares of failures.

    ignored: v2's share in a mesh that does not do what is asked of it. outages: whether three in ten requests
    fail, whichever version they meet, in every tenth block of fifty.
    """

    old: float
    new: float
    fails: tuple[float, float] = (0.0, 0.0)
    before: int = 0
    ignored: float | None = None
    outages: bool = False

    def __str__(self) -> str:
        fails = "".join(f", v{i} fails {percent(share)}" for i, share in enumerate(self.fails, 1) if share)
        ignored = "" if self.ignored is None else f", a mesh at {percent(self.ignored)}"
        outages = ", outages of both" if self.outages else ""
        return f"{percent(self.old)} to {percent(self.new)}{fails}{ignored}{outages}"

    def failing(self, number: int) -> tuple[float, float]:
        """Return the versions' rates of failures at the request of that number."""
        return OUTAGE if self.outages and number // 50 % 10 == 2 else self.fails

    @property
    def unchanged(self) -> float:
        """v2's share in the mesh as long as nothing changes there."""
        return self.old if self.ignored is None else self.ignored


STEPS = [(0.1, 0.2), (0.1, 0.33), (0.1, 0.5), (0.5, 1.0)]
NOTHING_CHANGED = [
    *(Case(old, new) for old, new in STEPS),
    *(Case(old, new, HALF, 500) for old, new in STEPS),
    Case(0.1, 0.2, (0.5, 0.0)),
    Case(0.1, 0.2, ignored=1 / 3, before=500),
    *(Case(old, new, before=500, outages=True) for old, new in STEPS),
]
PRICES = [Case(old, new, fails, before=1000) for fails in ((0.0, 0.0), HALF) for old, new in STEPS]


class Weighed(NamedTuple):
    """Each lab's evidence of a change; chance: that it ever exceeds ENOUGH if nothing changes, at most."""

    evidence: Array
    chance: Array


@dataclass(frozen=True)
class Marks:
    """After how many requests each lab marked the change as seen, 0 where it did not.

    left: how many more of them would at most, on average, were they watched for ever; where nothing changed.
    """

    at: NDArray[np.int64]
    left: float


def weigh(case: Case, labs: int, v2: float, generator: np.random.Generator) -> Iterator[Weighed]:
    """Yield what each answer since the change brings, without an end; v2: its share from the change on."""
    old, new = (np.array([[1 - share], [share], [1.0]]) for share in (case.old, case.new))
    true = _log(_probabilities(case.unchanged, case.fails))
    counts, learned = np.zeros((OUTCOMES, labs)), np.tile(_expected(old), labs)
    asked = free = truth = np.zeros(labs)
    for number in range(case.before):
        outcome = drawn(case.unchanged, case.failing(number), generator.random(labs))
        failing = _failing(counts, outcome)
        asked = asked + failing + _of(_log(_split(_likeliest(learned, old))), outcome)
        free = free + failing + _of(_log(_free(counts)), outcome)
        truth = truth + np.where(outcome > 0, true, 0.0).sum(axis=0)
        counts += outcome
        learned += outcome
    found = free - _greatest(counts, old) >= CONTRADICTED
    unchanged, changed = np.where(found, free, asked), np.full(labs, -np.inf)
    after, number = _at(learned, old, new), 0
    anew, changed_anew = after[2] / after.sum(axis=0), changed
    answers = counts * [[1.0], [1.0], [0.0]]
    unlike = _greatest(answers, np.ones((OUTCOMES, 1))) - _greatest(answers, old) >= UNLIKE
    while True:
        number += 1
        outcome = drawn(v2, case.failing(number), generator.random(labs))
        failing = _failing(counts, outcome)
        begins = unchanged - log(2 * number * (number + 1))
        answered = _of(_log(_split(_likeliest(after, new))), outcome)
        changed = np.logaddexp(changed, begins) + failing + answered
        failing_anew = np.where(outcome[2] > 0, np.log(anew), np.log1p(-anew))
        failing_anew = np.where(unlike, failing_anew, failing)
        changed_anew = np.logaddexp(changed_anew, begins) + failing_anew + answered
        as_before = np.where(found, _free(counts), _split(_likeliest(learned, old)))
        unchanged = unchanged + failing + _of(_log(as_before), outcome)
        truth = truth + np.where(outcome > 0, true, 0.0).sum(axis=0)
        for array in (counts, learned, after):
            array += outcome
        greatest = _greatest(counts, np.where(found, 1.0, old) if found.any() else old)
        likelihood = np.logaddexp(np.logaddexp(changed, changed_anew), unchanged - log(number + 1))
        with np.errstate(invalid="ignore"):
            evidence = np.where(np.isneginf(greatest), np.inf, likelihood - greatest)
            chance = np.exp(np.minimum(0.0, likelihood - truth - ENOUGH))
            bounded = (found | (case.ignored is None)) & (not case.outages)
            yield Weighed(evidence, np.where(bounded, chance, 1.0))


def watch(case: Case, labs: int, v2: float, requests: int, generator: np.random.Generator) -> Marks:
    """Watch a change for so many requests, or until all labs have marked it or hardly one still will."""
    at, left = np.zeros(labs, dtype=np.int64), np.inf
    for number, weighed in enumerate(weigh(case, labs, v2, generator), 1):
        at[(at == 0) & (weighed.evidence >= ENOUGH)] = number
        if number % LOOK == 0 or number == requests:
            left = float(weighed.chance[at == 0].sum())
        if number == requests or left < HARDLY_ONE:
            break
    return Marks(at, left)


def measure(labs: int, say: Callable[[str], None]) -> list[Figure]:
    """Return the upper 99 % limits of the rates of false marks in five minutes, and the prices of marks."""
    generator = np.random.default_rng(MINUTES)
    figures = []
    for case in NOTHING_CHANGED:
        say(f"marks: {labs:,} labs, nothing changes; asked for: {case}")
        rate = USUAL if case.outages else FASTEST
        watched = watch(case, labs, case.unchanged, 60 * MINUTES * rate, generator)
        marks = int((watched.at > 0).sum())
        limit = upper_limit(marks, labs) + (0.0 if case.outages else watched.left / labs)
        how = f"{marks} of {labs:,}, upper 99 % limit, {MINUTES} min at up to {rate}/s"
        figures.append(Figure(f"false marks, {case}", 1000 * limit, "of 1,000", 1000 * PROMISED, how=how))
    for case in PRICES:
        at = watch(case, PRICED, case.new, PATIENCE, generator).at
        taken = [float(number) for number in np.where(at, at, PATIENCE)]
        how = f"95 of 100: {percentile(taken, 95):g}, after {case.before} requests before"
        figures.append(Figure(f"until a mark, {case}", percentile(taken, 50), "requests", how=how))
    return figures


def upper_limit(count: int, n: int, error: float = 0.01) -> float:
    """Return the highest share at which no more than `count` of `n` has a probability of at least `error`."""
    low, high = count / n, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if at_most(count, n, middle) >= error else (low, middle)
    return high


def drawn(v2: float, fails: tuple[float, float], dice: Array) -> Array:
    """Return the outcomes that dice, from 0 to 1, give at v2's share of the requests."""
    first, second, _ = _probabilities(v2, fails)[:, 0]
    both = first + second
    return np.stack([dice < first, (dice >= first) & (dice < both), dice >= both]).astype(float)


def _probabilities(v2: float, fails: tuple[float, float]) -> Array:
    answers = [(1 - v2) * (1 - fails[0]), v2 * (1 - fails[1])]
    return np.array([[*answers, 1 - sum(answers)]]).T


def _failing(counts: Array, outcome: Array) -> Array:
    failed = (counts[2] + FAILED) / (counts.sum(axis=0) + FAILED + ASKED)
    return np.asarray(np.where(outcome[2] > 0, _log(failed), np.log1p(-failed)))


def _of(logs: Array, outcome: Array) -> Array:
    """Return the log of the answer's probability, 0 for a failure, which is none."""
    return np.asarray(np.where(outcome[:2] > 0, logs, 0.0).sum(axis=0))


def _split(fractions: Array) -> Array:
    return np.asarray(fractions[:2] / np.maximum(fractions[:2].sum(axis=0), SMALL))


def _expected(asked: Array) -> Array:
    return np.concatenate([ASKED * asked[:2], [[FAILED]]])


def _free(counts: Array) -> Array:
    return np.asarray((counts[:2] + UNSEEN) / (counts[:2].sum(axis=0) + 3 * UNSEEN))


def _at(learned: Array, old: Array, new: Array) -> Array:
    fractions, seen = _likeliest(learned, old)[:2], learned.sum(axis=0)
    works = np.where(old[:2] > 0, fractions / np.where(old[:2] > 0, old[:2], 1.0), 1.0)
    answers = new[:2] * works
    return np.concatenate([seen * answers, [np.maximum(FAILED, seen * (1 - answers.sum(axis=0)))]])


def _likeliest(counts: Array, limits: Array) -> Array:
    fractions: Array = counts / np.maximum(counts.sum(axis=0), SMALL)
    at_limit = fractions > limits
    for _ in range(OUTCOMES - 1):
        free = counts * ~at_limit
        left = np.maximum(0.0, 1 - (limits * at_limit).sum(axis=0))
        fractions = np.where(at_limit, limits, free * (left / np.maximum(free.sum(axis=0), SMALL)))
        at_limit |= fractions > limits
    return fractions


def _greatest(counts: Array, limits: Array) -> Array:
    fractions = _likeliest(counts, limits)
    return np.asarray((counts * _log(np.where(counts > 0, fractions, 1.0))).sum(axis=0))


def _log(values: Array) -> Array:
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(values))
