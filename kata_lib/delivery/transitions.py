"""What a release can do, each with the decision that it leaves behind: events.py says when. Pure."""

from dataclasses import replace
from typing import Any

from kata_lib.delivery.state import By, Decision, Hold, ReleaseState, What
from kata_lib.delivery.steps import Analysis, Pause

KEPT = 200
"""Decisions kept: more than any plan makes; the oldest go first."""


def next_step(release: ReleaseState, now: float, by: By = "metrics") -> ReleaseState:
    """Leave the step for the next; by: who is to be named where it was the last."""
    return enter(replace(release, step=release.step + 1, beside=False, compared=0), now, by)


def enter(release: ReleaseState, now: float, by: By = "metrics", *, said: bool = False) -> ReleaseState:
    """Enter a step, and those after it as long as they take no time; said: that the routing is new."""
    steps = release.plan.steps
    if said:
        release = decide(release, now, "routed", "plan")
    while release.step < len(steps):
        step = steps[release.step]
        tallies = {name: tally.anew() for name, tally in release.tallies.items()}
        release = replace(
            release,
            since=now,
            inconclusive=0,
            errors=0,
            gone=0,
            tallies=tallies,
            phase="Progressing",
            hold="",
        )
        if isinstance(step, Analysis) or release.beside:
            return release
        if isinstance(step, Pause):
            waits = replace(release, phase="Paused", hold="plan")
            return waits if step.seconds is not None else held(release, now, "plan", "plan")
        release = decide(rerouted(release), now, "routed", "plan")
        release = replace(release, step=release.step + 1)
    return healthy(release, now, by)


def rerouted(release: ReleaseState) -> ReleaseState:
    """Have another routing put in force; what was counted under the old one is no longer judged."""
    tallies = {name: tally.rerouted() for name, tally in release.tallies.items()}
    return replace(routed_anew(release), tallies=tallies, failures=0)


def routed_anew(release: ReleaseState) -> ReleaseState:
    """Have the routing put in force again; what was counted stays, what is counted until then does not."""
    return replace(release, stage=release.stage + 1)


def healthy(release: ReleaseState, now: float, by: By) -> ReleaseState:
    """End it with everyone on the canary."""
    steps = len(release.plan.steps)
    ended = replace(rerouted(release), step=steps, phase="Healthy", hold="", beside=False)
    return decide(ended, now, "healthy", by)


def back(release: ReleaseState, now: float, what: What, by: By, **why: Any) -> ReleaseState:
    """End it with everyone on stable; why: fields of the Decision."""
    degraded = replace(rerouted(release), phase="Degraded", hold="", beside=False)
    return decide(degraded, now, what, by, **why)


def held(release: ReleaseState, now: float, hold: Hold, by: By, **why: Any) -> ReleaseState:
    """Hold it where it is."""
    return decide(replace(release, phase="Paused", hold=hold), now, "paused", by, hold=hold, **why)


def decide(release: ReleaseState, now: float, what: What, by: By, **why: Any) -> ReleaseState:
    """Write a decision down."""
    step = min(release.step + 1, len(release.plan.steps))
    decision = Decision(now, step, release.routing.weight, what, by, **why)
    return replace(release, decisions=(*release.decisions, decision)[-KEPT:])
