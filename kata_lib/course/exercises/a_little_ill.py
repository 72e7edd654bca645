"""13: versions that fail a little, for some, later, or under load; and a plan that sees them."""

from collections.abc import Iterator
from typing import Any

from kata_lib import delivery
from kata_lib.cluster.cluster import Cluster
from kata_lib.course import release_mistakes, verdicts
from kata_lib.course.exercise import PERCENT, Exercise, InClass, Question
from kata_lib.course.mistake import Mistake
from kata_lib.course.steps import PROMOTE, V1, V2, V3, Step
from kata_lib.course.turn import Hands, Turn, as_yaml
from kata_lib.delivery import record
from kata_lib.delivery.plan import Plan
from kata_lib.errors import ReleaseError
from kata_lib.traffic import users

HURRIED, CAREFUL = "deploy/rollouts/v3-hurried.yaml", "deploy/rollouts/v3-careful.yaml"
ERRORS, REQUESTS = 0.05, 10


def read(made: Any) -> Plan:
    """Return the plan that a cell made: one, or a text of what is other in it than in the hurried one."""
    if isinstance(made, Plan):
        return made
    parts = as_yaml(made) if isinstance(made, str) else None
    if not isinstance(parts, dict) or "..." in made:
        raise ReleaseError("There are still dots in its cell.")
    return delivery.read(HURRIED).changed(**parts)


def _open(lab: Hands, made: Any) -> str:
    from kata_lib.delivery import prices

    try:
        return prices.objection(read(made))
    except (ReleaseError, TypeError) as error:
        return " ".join(str(error).split())


def _not_seen(cluster: Cluster) -> Iterator[Mistake]:
    """Yield why the version that fails 5 % was not sent back by a plan that sees such versions."""
    from kata_lib.delivery import prices

    live = cluster.get("apps/v1", "Deployment", "name-v3") or {"spec": {"template": {"spec": {}}}}
    for container in live["spec"]["template"]["spec"].get("containers", []):
        rate = {one["name"]: one.get("value") for one in container.get("env", [])}.get("ERROR_RATE", "0")
        if rate != str(ERRORS):
            line = f"kubectl set env deployment name-v3 ERROR_RATE={ERRORS} DELAY-"
            yield Mistake(f"name-v3 has ERROR_RATE={rate}; the version to catch has {ERRORS}.", line)
    yield from release_mistakes.find(cluster, "name-v3", "Degraded", CAREFUL)
    if said := prices.objection(record.load(cluster, "name").release.plan):
        yield Mistake(f"It was sent back, but that was luck. {said}", f"kata release start {CAREFUL}")


EXERCISE = Exercise(
    Step("a-little-ill", "13-a-little-ill", (V1, V2, PROMOTE, V3), cell_seconds=90),
    about="versions that fail a little, for some, later or under load: who sees them, and at what price",
    in_class=InClass(
        say="A version fails one request in twenty. Your dashboard shows 99.5 %. Who would notice, and when?",
        ask="Pool everybody's my-releases.csv: trials.pool(FOLDER). Does the simulation fit the class?",
        goes_wrong="No pause, or a limit left at 25 %: the turn says what share of the ill goes through.",
    ),
    checks={"a-little-ill": verdicts.everyone_on_v2(_not_seen)},
    turns={
        "own-plan": Turn(_open, lambda *_: delivery.read(CAREFUL), f"the plan in {CAREFUL} is taken", read)
    },
    questions={
        "releases that let a version through that fails 5 %": Question(
            PERCENT,
            "Many say 0: 5 % is above the limit of 1. But of 17 requests at 5 % none fails in 42 % of the "
            "cases, and that is all the plan asks for.",
            expected=51,
            out_of=100,
        ),
        "users who meet an error, where 5 % of the answers fail": Question(
            PERCENT,
            "Many say 5. But each of a user's ten requests throws its own dice: 0.95¹⁰ is 60 %.",
            expected=100 * users.expected_to_meet(ERRORS, REQUESTS),
            out_of=100,
        ),
        "weight at which a version is stopped that is slow under load": Question(
            PERCENT,
            "Some say 10, the first weight. But there 40 requests a second come, and it can do some hundred.",
            out_of=100,
        ),
        "seconds that a healthy version takes by your plan": Question(
            "seconds",
            "Most of it is the pause: what turns bad late is seen by waiting, and who is well waits, too.",
            rough=0.25,
        ),
    },
)
