"""What each event makes of a release: pure, so that whoever runs it may die between any two.

A ReleaseState and an event go in, a ReleaseState comes out; its `routing` is what the mesh should do then.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from kata_lib.delivery.judging import Judgement, Tally, judge
from kata_lib.delivery.observed import Observed
from kata_lib.delivery.plan import Plan
from kata_lib.delivery.state import BESIDE, ReleaseState, Versions
from kata_lib.delivery.steps import Analysis, Pause, SetWeight
from kata_lib.delivery.transitions import (
    KEPT,
    back,
    decide,
    enter,
    healthy,
    held,
    next_step,
    rerouted,
    routed_anew,
)
from kata_lib.errors import ReleaseError


def begin(plan: Plan, versions: Versions, now: float) -> ReleaseState:
    """Return a release at its first step."""
    release = ReleaseState(plan, versions, step=-1, tallies={metric.name: Tally() for metric in plan.metrics})
    return next_step(decide(release, now, "started", "person"), now)


def look(release: ReleaseState, seen: Observed, now: float) -> ReleaseState:
    """Return the release after one look at the metrics and the pods."""
    if release.ended or release.hold == "elsewhere":
        return release
    release = _counted(release, seen)
    findings = _findings(release, seen)
    failed = [finding for finding in findings if finding.verdict == "Failed"]
    if failed:
        return _failed(release, failed[0], seen, now)
    broken = [finding for finding in findings if finding.reason == "broken"]
    if broken and release.routing.weight > BESIDE:
        return _beside(release, broken[0], now)
    return _go_on(release, findings, seen, now)


def blind(release: ReleaseState, why: str, now: float) -> ReleaseState:
    """Return the release after a look at which the metrics could not be read."""
    if release.ended or release.hold in ("inconclusive", "unreadable", "elsewhere"):
        return release
    release = replace(release, errors=release.errors + 1)
    if release.errors <= release.plan.consecutive_error_limit:
        return release
    return held(release, now, "unreadable", "metrics", count=release.errors, quote=why)


def taken_over(release: ReleaseState, since: float, now: float) -> ReleaseState:
    """Return the release where another runner finds it, and nobody looked since then."""
    if release.ended:
        return release
    return decide(release, now, "taken over", "plan", count=round(now - since))


def weights_changed(
    release: ReleaseState, found: Mapping[str, int], now: float, quote: str = ""
) -> ReleaseState:
    """Return the release after somebody else changed the routing: it is held, and leaves theirs in force.

    found: the weights as written, {} where there are none; quote: why they cannot be read.
    """
    if release.ended or release.hold == "elsewhere":
        return release
    return held(release, now, "elsewhere", "person", found=found, quote=quote)


def pause(release: ReleaseState, now: float) -> ReleaseState:
    """Hold it where it is until resume."""
    _must_run(release, "pause")
    return held(release, now, "person", "person")


def resume(release: ReleaseState, now: float) -> ReleaseState:
    """Go on: with the same step, or after a pause of the plan with the next."""
    _must_run(release, "resume")
    if release.phase != "Paused":
        raise ReleaseError("The release is not paused, so there is nothing to resume.")
    said = decide(release, now, "resumed", "person", hold=release.hold)
    return next_step(said, now) if release.hold == "plan" else enter(routed_anew(said), now)


def promote(release: ReleaseState, now: float) -> ReleaseState:
    """Go on to the next step, whatever this one waits for."""
    _must_run(release, "promote")
    return next_step(decide(routed_anew(release), now, "promoted", "person"), now, "person")


def promote_fully(release: ReleaseState, now: float) -> ReleaseState:
    """Give the canary everything at once, and watch it there; a second time it is Healthy."""
    _must_run(release, "promote")
    everything = release.plan.steps.index(SetWeight(100))
    if release.step > everything:
        return healthy(release, now, "person")
    return next_step(replace(decide(release, now, "promoted", "person"), step=everything - 1), now)


def abort(release: ReleaseState, now: float) -> ReleaseState:
    """Send everyone back to stable."""
    _must_run(release, "abort")
    return back(release, now, "aborted", "person")


def retry(release: ReleaseState, now: float) -> ReleaseState:
    """Begin an aborted release again from its first step."""
    if release.phase != "Degraded":
        raise ReleaseError(f"The release is {release.phase}; retry is for one that was aborted.")
    again = begin(release.plan, release.versions, now)
    return replace(
        again, stage=release.stage + again.stage, decisions=(*release.decisions, *again.decisions)[-KEPT:]
    )


def undo(release: ReleaseState, now: float) -> ReleaseState:
    """Send everyone back to the version before, after a release that went through."""
    if release.phase != "Healthy":
        raise ReleaseError(f"The release is {release.phase}; undo is for one that went through. Try abort.")
    return back(release, now, "undone", "person")


def _counted(release: ReleaseState, seen: Observed) -> ReleaseState:
    plan, share = release.plan, release.routing.by_chance
    tallies = {m.name: release.tallies[m.name].add(seen.looks[m.name], plan, m, share) for m in plan.metrics}
    return replace(release, tallies=tallies, errors=0)


def _findings(release: ReleaseState, seen: Observed) -> list[Judgement]:
    plan, share = release.plan, release.routing.by_chance
    gone = seen.canary.gone and not seen.stable.gone
    return [judge(plan, metric, release.tallies[metric.name], share, gone) for metric in plan.metrics]


def _failed(release: ReleaseState, failed: Judgement, seen: Observed, now: float) -> ReleaseState:
    release = replace(release, failures=release.failures + 1)
    why: dict[str, Any] = {"findings": (failed,)}
    if seen.canary.gone:
        why["canary"] = seen.canary
    if release.failures > release.plan.failure_limit:
        return back(release, now, "aborted", "metrics", **why)
    fresh = {name: tally.forgiven() for name, tally in release.tallies.items()}
    return replace(decide(release, now, "borne", "metrics", **why), tallies=fresh)


def _beside(release: ReleaseState, broken: Judgement, now: float) -> ReleaseState:
    """Have it compared with stable, of which there was too little; a second time, hold it there."""
    again = release.compared > 0
    release = rerouted(replace(release, beside=True, compared=release.compared + 1))
    release = decide(release, now, "compared", "metrics", findings=(broken,))
    if release.hold not in ("", "plan"):
        return release
    if again:
        return held(release, now, "inconclusive", "metrics", findings=(broken,))
    return enter(release, now)


def _go_on(release: ReleaseState, findings: list[Judgement], seen: Observed, now: float) -> ReleaseState:
    """Go on to the next step where this one is done, nothing is missing, and nobody holds it."""
    if release.hold not in ("", "plan"):
        return release
    undecided = _undecided(release, findings)
    missing: dict[str, Any] = {} if seen.canary.whole else {"canary": seen.canary}
    if seen.stable.gone:
        missing["stable"] = seen.stable
    if not undecided and not missing:
        return _done(replace(release, inconclusive=0, gone=0), findings, now)
    gone = release.gone + 1 if seen.canary.gone and not seen.stable.gone else 0
    release = replace(release, inconclusive=release.inconclusive + 1, gone=gone)
    if release.gone > release.plan.inconclusive_limit:
        return back(release, now, "aborted", "metrics", canary=seen.canary, count=release.gone)
    if release.inconclusive <= release.plan.inconclusive_limit:
        return release
    return held(release, now, "inconclusive", "metrics", findings=tuple(undecided), **missing)


def _analysed(release: ReleaseState, findings: list[Judgement]) -> list[Judgement]:
    """Return the findings for which the step waits."""
    step = release.plan.steps[release.step]
    if release.beside:
        return findings
    if isinstance(step, Analysis):
        return [finding for finding in findings if finding.metric in step.metrics or not step.metrics]
    return []


def _undecided(release: ReleaseState, findings: list[Judgement]) -> list[Judgement]:
    return [finding for finding in _analysed(release, findings) if finding.verdict != "Successful"]


def _done(release: ReleaseState, findings: list[Judgement], now: float) -> ReleaseState:
    """Leave the step, where it is over."""
    step = release.plan.steps[release.step]
    for finding in _analysed(release, findings):
        release = decide(release, now, "successful", "metrics", findings=(finding,))
    if release.beside:
        return enter(rerouted(replace(release, beside=False)), now, said=True)
    if isinstance(step, Pause) and (step.seconds is None or now < release.since + step.seconds):
        return release
    return next_step(release, now)


def _must_run(release: ReleaseState, command: str) -> None:
    if release.ended:
        ways = "retry begins it again" if release.phase == "Degraded" else "undo takes it back"
        raise ReleaseError(f"The release has ended ({release.phase}), so {command} does nothing; {ways}.")
