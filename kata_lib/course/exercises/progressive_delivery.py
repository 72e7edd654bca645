"""06: a release that decides by itself."""

from typing import Any

from kata_lib import delivery
from kata_lib.course import release_mistakes, verdicts
from kata_lib.course.exercise import PERCENT, Exercise, InClass, Question
from kata_lib.course.steps import CANARY, PLAN_V2, PLAN_V3, V1, V2, V3, Step
from kata_lib.course.turn import Hands, Turn, as_yaml, has_dots
from kata_lib.errors import ReleaseError

ALL_AT_ONCE = "- setWeight: 100\n- analysis: {}"


def _no_steps(lab: Hands, text: str) -> str:
    """Return why a text is no list of a plan's steps."""
    try:
        steps = as_yaml(text)
    except ReleaseError as error:
        return f"Your text is no YAML: {error}."
    if not isinstance(steps, list):
        return "Expected is a list of steps, one a line that begins with a dash."
    try:
        delivery.read(PLAN_V3).changed(steps=steps)
    except ReleaseError as error:
        return str(error)
    return ""


def _release_v3(lab: Hands, _: Any) -> Any:
    """Return the release of v3: the one that a terminal started, else a new one that has ended."""
    try:
        found = delivery.find(lab.cluster, "name")
        if found.state.plan.canary == "name-v3":
            found.wait()
            return found
    except ReleaseError:
        pass
    lab.apply(V3)
    release = delivery.start(lab.cluster, delivery.read(PLAN_V3).without(lab.uncounted()))
    release.wait()
    return release


EXERCISE = Exercise(
    Step("progressive-delivery", "06-progressive-delivery", (V1, V2, CANARY), cell_seconds=90),
    about="a release that decides by itself",
    in_class=InClass(
        say="The loop does what you did by hand. Ask where it will stop v3.",
        ask="Why does one step take most of the time? Would you let it decide alone?",
        goes_wrong="A second release while one is under way is refused: `kata release abort`, then again.",
    ),
    checks={
        "released": verdicts.everyone_on_v2(
            lambda cluster: release_mistakes.find(cluster, "name-v2", "Healthy", PLAN_V2)
        ),
        "caught": verdicts.everyone_on_v2(
            lambda cluster: release_mistakes.find(cluster, "name-v3", "Degraded", PLAN_V3)
        ),
    },
    turns={
        "release-v3": Turn(has_dots, _release_v3, "version 3 is applied, and released by its plan"),
        "own-steps": Turn(_no_steps, lambda *_: as_yaml(ALL_AT_ONCE), "a plan with one weight, 100", as_yaml),
    },
    questions={
        "weight at which v3 is stopped": Question(
            PERCENT,
            "Many say 10 or 50, because one request in a hundred seems too few to judge by. But it is v3's "
            "own requests that count, and where every second one fails a handful of them is enough.",
            expected=1,
            out_of=100,
        ),
        "records that a hundred requests write, with a mirror": Question(
            "records",
            "Many say 100: nobody gets the copies' answers. But to whom it reaches a copy is a request "
            "like any other, and so it is to what is behind.",
            expected=200,
            rough=0.02,
        ),
    },
)
