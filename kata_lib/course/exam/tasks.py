"""The tasks of an exam, drawn with a seed: what is asked, what there is in the beginning, what is right.

Pure: the same seed draws the same tasks. A task's words do not tell what is right where that is to be found.
"""

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass

from kata_lib.cluster.client import Obj
from kata_lib.course.exam.faults import FAULTS
from kata_lib.course.exam.scenario import THEMES, WELL, Illness, Scenario
from kata_lib.statistics import shares

MOST_REQUESTS = 500
"""About so many requests may tell a task's weights from what plain Kubernetes does."""
EVIDENCE = 60
"""So many requests to the newest version decide: with 30 % errors, two or fewer fail once in a million."""
ERRORS_ALLOWED, MEDIAN_ALLOWED_MS = 0.02, 300
"""The limits of a decision: the share of a version's requests that may fail, and its median latency."""
ERRORS, DELAY = (0.3, 0.4, 0.5), 0.8
"""How ill an ill version is: share of errors, or seconds; far enough from the limits to be told from them."""


@dataclass(frozen=True)
class Task:
    """One task.

    start: the objects that are there in the beginning. wanted: the share of requests, 0 to 1, that each
    version has when it is done. otherwise: the newest version's share that this is told from. figures: how
    many requests are made first, whose figures the learner is shown; 0 for none.
    """

    title: str
    words: str
    scenario: Scenario
    start: list[Obj]
    wanted: Mapping[str, float]
    otherwise: float
    figures: int = 0

    @property
    def requests(self) -> int:
        """How many requests tell whether it is done, one in a million being told wrongly."""
        return shares.requests_needed(self.wanted[self.scenario.newest], self.otherwise)


def draw(seed: int) -> tuple[Task, ...]:
    """Return the tasks of a seed: a rule to write, a fault to find, a release to decide on."""
    chance = random.Random(seed)
    theme = chance.choice(THEMES)
    number = chance.randint(4, 30)
    both = (f"v{number}", f"v{number + 1}")
    later = (f"v{number + 1}", f"v{number + 2}")
    versions = chance.choice((both, (f"v{number - 1}", *both)))
    return (
        _rule(chance, Scenario(theme, versions, _replicas(chance, len(versions)))),
        _fault(chance, Scenario(theme, later, _replicas(chance, 2))),
        _decision(chance, Scenario(theme, (later[1], f"v{number + 3}"), _replicas(chance, 2))),
    )


def _rule(chance: random.Random, scenario: Scenario) -> Task:
    weights = _weights(chance, scenario)
    theme = scenario.theme
    asked = ", ".join(f"{version} {weight} %" for version, weight in weights.items())
    words = (
        f"`{theme.caller}` asks `{theme.service}` for each of its answers. `{theme.service}` runs in "
        f"{len(scenario.versions)} versions, and its requests are spread over their pods. From now on its "
        f"versions answer these shares of the requests: {asked}. The number of pods stays as it is, and no "
        "request fails."
    )
    start = scenario.workloads({})
    return Task("Write the rule", words, scenario, start, _shares(weights), scenario.by_pods(scenario.newest))


def _fault(chance: random.Random, scenario: Scenario) -> Task:
    weights = _weights(chance, scenario)
    theme, newest = scenario.theme, scenario.newest
    start = [*scenario.workloads({}), *scenario.routing(weights)]
    FAULTS[chance.choice(list(FAULTS))](scenario, start)
    words = (
        f"A release of `{theme.service}` was begun: {newest} is to answer {weights[newest]} % of the "
        f"requests of `{theme.caller}`, {scenario.versions[0]} the others, each with as many pods as before, "
        f"{_counted(scenario)}, and no request is to fail. It is not so. Find out why, and mend it."
    )
    return Task("Find the fault", words, scenario, start, _shares(weights), scenario.by_pods(newest))


def _decision(chance: random.Random, scenario: Scenario) -> Task:
    theme, (stable, newest) = scenario.theme, scenario.versions
    share = chance.choice((20, 30, 40))
    weights = {stable: 100 - share, newest: share}
    errors = chance.choice(ERRORS)
    ill: Mapping[str, Illness] = chance.choice(
        ({newest: Illness(errors)}, {newest: Illness(delay=DELAY)}, {stable: Illness(errors)}, {})
    )
    promoted = ill.get(newest, WELL) == WELL
    words = (
        f"{newest} of `{theme.service}` gets {share} % of the requests. A version may stay where at "
        f"most {100 * ERRORS_ALLOWED:g} % of its requests fail and half of its answers take at most "
        f"{MEDIAN_ALLOWED_MS} ms. Decide by the figures: everyone gets {newest}, or everyone goes back to "
        f"{stable}. Then do it."
    )
    start = [*scenario.workloads(ill), *scenario.routing(weights)]
    wanted = {stable: 1.0 - promoted, newest: float(promoted)}
    figures = shares.requests_for(EVIDENCE, share / 100)
    return Task("Decide on the release", words, scenario, start, wanted, share / 100, figures)


def _replicas(chance: random.Random, versions: int) -> tuple[int, ...]:
    return (chance.choice((1, 2)), *[1] * (versions - 1))


def _weights(chance: random.Random, scenario: Scenario) -> dict[str, int]:
    """Return weights that total 100, with a share of the newest that pods alone would not give it."""
    plain = scenario.by_pods(scenario.newest)
    possible = [
        weight
        for weight in range(5, 100, 5)
        if weight != 50  # swapped, it would be the same
        if _about_needed(weight / 100, plain) <= MOST_REQUESTS
    ]
    newest = chance.choice([weight for weight in possible if weight <= 80])
    rest = 100 - newest
    if len(scenario.versions) == 2:
        return {scenario.versions[0]: rest, scenario.newest: newest}
    middle = chance.randrange(5, rest, 5)
    return dict(zip(scenario.versions, (rest - middle, middle, newest), strict=True))


def _about_needed(share: float, plain: float) -> float:
    """Return about how many requests tell two shares apart, by the normal distribution, both ways at 1e-6."""
    spread = math.sqrt(share * (1 - share)) + math.sqrt(plain * (1 - plain))
    return (4.9 * spread / (share - plain)) ** 2 if share != plain else math.inf


def _shares(weights: Mapping[str, int]) -> dict[str, float]:
    return {version: weight / 100 for version, weight in weights.items()}


def _counted(scenario: Scenario) -> str:
    pods = zip(scenario.versions, scenario.replicas, strict=True)
    return " and ".join(f"{number} of {version}" for version, number in pods)
