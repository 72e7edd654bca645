"""11: ten per cent of requests is not ten per cent of users, and a canary that users stay on."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kata_lib.cluster.cluster import Cluster
from kata_lib.course import mistakes, restoring, service, verdicts
from kata_lib.course.exercise import PERCENT, Exercise, InClass, Question
from kata_lib.course.mistake import Mistake
from kata_lib.course.result import Result
from kata_lib.course.steps import CANARY, V1, V2, Step
from kata_lib.course.turn import Turn, seen
from kata_lib.course.wanted import CANARY_10, same
from kata_lib.mesh.matches import PLAIN, Request
from kata_lib.mesh.virtual_services import is_plain, speaker
from kata_lib.traffic import users

if TYPE_CHECKING:
    import pandas as pd

STICKY = "deploy/users/sticky.yaml"
SHARE, REQUESTS = 0.1, 20
MEET = users.expected_to_meet(SHARE, REQUESTS)
_SAMPLE = "Take a sample of users: lab.sample(users=200, requests=5, concurrency=16)."


def _not_sticky(cluster: Cluster) -> Iterator[Mistake]:
    """Yield why users with a cookie do not stay where they are, or those without do not throw dice."""
    yield from mistakes.headers_lost(cluster)
    yield from mistakes.workloads(cluster, verdicts.V1_AND_V2)
    mend, found, written = (
        restoring.applied(CANARY, STICKY),
        service.in_force(cluster),
        speaker(cluster, "name"),
    )
    rules = written["spec"]["http"] if written else []
    for version in ("v2", "v1"):
        outcome = found.outcome(Request(headers={"cookie": f"user=0; canary={version}"}))
        if not same(outcome.versions, {version: 1.0}):
            late = " The rule for everyone stands first." if rules[1:] and is_plain(rules[0]) else ""
            yield Mistake(f"A user with the cookie canary={version} gets: {outcome}.{late}", mend)
    if not same(found.outcome(PLAIN).versions, CANARY_10.shares):
        yield Mistake(f"A user without a cookie gets: {found.outcome(PLAIN)}.", mend)
    for place in (place for rule in rules if is_plain(rule) for place in rule["route"]):
        if "set-cookie" not in str(place.get("headers", {}).get("response", {})).lower():
            yield Mistake(f"The route to {place['destination'].get('subset', 'name')} sets no cookie.", mend)


def _sticky(cluster: Cluster, sample: "pd.DataFrame") -> Result:
    if result := verdicts.first(cluster, _not_sticky(cluster), sample):
        return result
    if "user" not in sample:
        return Result("", "not enough yet", f"Nobody is told apart in this sample. {_SAMPLE}")
    if flips := int(users.flips(sample).sum()):
        return Result(
            "", "wrong", f"Users changed version {flips} times: the sample is from before. {_SAMPLE}"
        )
    met = users.met(sample)
    return verdicts.verdict(cluster, f"{met} of the users have met v2, and stayed", met, SHARE, MEET)


EXERCISE = Exercise(
    Step("users", "11-users", (V1, V2, CANARY)),
    about="ten percent of the requests is not ten percent of the users; a canary that users stay on",
    in_class=InClass(
        say="Ten percent of the requests go to version 2. How many of your customers meet it today?",
        ask="Which canary would you choose for a new search result, and which for a new password form?",
        goes_wrong="One cookie rule without the other: then who met v1 throws dice again, with each request.",
    ),
    checks={"sticky": _sticky},
    turns={"sticky": Turn(seen(_not_sticky))},
    questions={
        "users with 20 requests each who meet v2": Question(
            PERCENT,
            "Many say 10, the share of the requests. But each of a user's 20 requests throws its own dice, "
            "and to stay with v1 all of them must fall so: 0.9²⁰ is 12 %.",
            expected=100 * MEET,
            out_of=100,
        ),
        "times that a user is sent to the other version": Question(
            "times",
            "Many say once: to v2, and there they stay. But a request knows nothing of the one before.",
            expected=users.expected_flips(SHARE, REQUESTS),
            rough=0.25,
        ),
        "users who meet v2 under consistentHash": Question(
            PERCENT,
            "Many say 10: the hash keeps a user where they are. It does, but on a pod. Which subset's pods "
            "are asked, the weight decides before, and that throws dice for each request.",
            expected=100 * MEET,
            out_of=100,
        ),
        "users who meet a sticky canary": Question(
            PERCENT,
            "Some say 88, as before. But now dice are thrown once a user, and the cookie remembers.",
            expected=100 * SHARE,
            out_of=100,
        ),
    },
)
