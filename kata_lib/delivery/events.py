"""What each event makes of a release: pure, so that whoever runs it may die between any two.

A Release and an event go in, a Release comes out; its `routing` is what the mesh should do then.
"""

from collections.abc import Mapping
from dataclasses import replace

from kata_lib.delivery.judging import Look, Tally, explain, judge
from kata_lib.delivery.metric import Metric
from kata_lib.delivery.plan import Plan
from kata_lib.delivery.state import Decision, Hold, ReleaseState
from kata_lib.delivery.steps import Analysis, HeaderRoute, MirrorRoute, Pause
from kata_lib.errors import ReleaseError
from kata_lib.statistics.sequential import Verdict

KEPT = 200
"""Decisions kept: more than any plan makes; the oldest go first."""


def begin(plan: Plan, now: float) -> ReleaseState:
    """Return a release at its first step."""
    tests = "; ".join(_test(plan, metric) for metric in plan.metrics)
    said = (
        f"{plan.canary} in place of {plan.stable}, {len(plan.steps)} steps. A healthy one is aborted with a "
        f"chance of at most {100 * plan.false_abort:g} %, a faulty one passes an analysis with at most "
        f"{100 * plan.missed:g} %. {tests}."
    )
    release = ReleaseState(plan, step=-1, tallies={metric.name: Tally() for metric in plan.metrics})
    return _next(_say(release, now, "Started", said), now)


def look(release: ReleaseState, looks: Mapping[str, Look], now: float) -> ReleaseState:
    """Return the release after one look at the metrics."""
    if release.ended or release.hold == "weights changed elsewhere":
        return release
    metrics = {metric.name: metric for metric in release.plan.metrics}
    tallies = {name: tally.add(looks[name], metrics[name]) for name, tally in release.tallies.items()}
    release = replace(release, tallies=tallies, errors=0)
    verdicts = {name: judge(release.plan, metrics[name], tally) for name, tally in tallies.items()}
    for name, verdict in verdicts.items():
        if verdict == "Failed":
            return _failed(release, metrics[name], now)
    return _go_on(release, verdicts, now)


def blind(release: ReleaseState, why: str, now: float) -> ReleaseState:
    """Return the release after a look at which the metrics could not be read."""
    if release.ended or release.hold in ("inconclusive", "weights changed elsewhere"):
        return release
    release = replace(release, errors=release.errors + 1)
    if release.errors <= release.plan.consecutive_error_limit:
        return release
    said = (
        f"The metrics could not be read {release.errors} times in a row, and consecutiveErrorLimit is "
        f"{release.plan.consecutive_error_limit}. Last: {why} That is no success: `resume` looks again."
    )
    return _hold(release, "inconclusive", said, now)


def taken_over(release: ReleaseState, since: float, now: float) -> ReleaseState:
    """Return the release where another runner finds it, and nobody looked since then."""
    if release.ended:
        return release
    said = f"Nobody ran it for {now - since:.0f} s; what was counted in that time is not judged."
    return _say(release, now, "Taken over", said)


def weights_changed(release: ReleaseState, found: str, now: float) -> ReleaseState:
    """Return the release after somebody else changed the routing: it is held, and leaves theirs in force."""
    if release.ended or release.hold == "weights changed elsewhere":
        return release
    said = (
        f"Somebody else changed the routing: {found}. It stays so, and nothing is judged; `resume` brings "
        f"back {release.routing.weight} % and goes on, `abort` sends everyone to {release.plan.stable}."
    )
    return _hold(release, "weights changed elsewhere", said, now)


def pause(release: ReleaseState, now: float) -> ReleaseState:
    """Hold it where it is until resume."""
    _must_run(release, "pause")
    return _hold(release, "by a person", f"The weight stays at {release.routing.weight} %.", now)


def resume(release: ReleaseState, now: float) -> ReleaseState:
    """Go on: with the same step, or after a pause of the plan with the next."""
    _must_run(release, "resume")
    if release.phase != "Paused":
        raise ReleaseError("The release is not paused, so there is nothing to resume.")
    if release.hold == "by the plan":
        return _next(_say(release, now, "Resumed", "The pause is over at a person's word."), now)
    said = f"The weight is {release.routing.weight} %."
    release = replace(_routed_anew(release), phase="Progressing", hold="", errors=0)
    return _enter(_say(release, now, "Resumed", said), now)


def promote(release: ReleaseState, now: float) -> ReleaseState:
    """Go on to the next step, whatever this one waits for."""
    _must_run(release, "promote")
    step = release.plan.steps[release.step]
    said = f"{step} is left at a person's word."
    return _next(_say(_routed_anew(release), now, "Promoted", said), now)


def promote_fully(release: ReleaseState, now: float) -> ReleaseState:
    """Give the canary everything at once, without any analysis."""
    _must_run(release, "promote")
    return _healthy(release, f"All requests go to {release.plan.canary} at a person's word.", now)


def abort(release: ReleaseState, now: float, why: str = "At a person's word.") -> ReleaseState:
    """Send everyone back to stable."""
    _must_run(release, "abort")
    return _back(release, "Aborted", why, now)


def retry(release: ReleaseState, now: float) -> ReleaseState:
    """Begin an aborted release again from its first step."""
    if release.phase != "Degraded":
        raise ReleaseError(f"The release is {release.phase}; retry is for one that was aborted.")
    again = begin(release.plan, now)
    return replace(
        again, stage=release.stage + again.stage, decisions=(*release.decisions, *again.decisions)[-KEPT:]
    )


def undo(release: ReleaseState, now: float) -> ReleaseState:
    """Send everyone back to the version before, after a release that went through."""
    if release.phase != "Healthy":
        raise ReleaseError(f"The release is {release.phase}; undo is for one that went through. Try abort.")
    return _back(release, "Undone", "At a person's word.", now)


def _failed(release: ReleaseState, metric: Metric, now: float) -> ReleaseState:
    release = replace(release, failures=release.failures + 1)
    limit, why = release.plan.failure_limit, explain(release.plan, metric, release.tallies[metric.name])
    if release.failures <= limit:
        said = f"{why} failureLimit {limit} bears it; counting begins anew."
        fresh = {name: Tally() for name in release.tallies}
        return replace(_say(release, now, f"Failed {metric.name}", said), tallies=fresh)
    return _back(release, "Aborted", f"{metric.name} at {release.routing.weight} %: {why}", now)


def _go_on(release: ReleaseState, verdicts: Mapping[str, Verdict], now: float) -> ReleaseState:
    step = release.plan.steps[release.step]
    if release.hold not in ("", "by the plan"):
        return release
    if isinstance(step, Pause):
        over = step.seconds is not None and now >= release.since + step.seconds
        return _next(release, now) if over else release
    assert isinstance(step, Analysis)
    metrics = [metric for metric in release.plan.metrics if metric.name in (step.metrics or verdicts)]
    undecided = [metric for metric in metrics if verdicts[metric.name] != "Successful"]
    if not undecided:
        for metric in metrics:
            why = explain(release.plan, metric, release.tallies[metric.name])
            release = _say(release, now, f"Successful {metric.name}", why)
        return _next(release, now)
    release = replace(release, inconclusive=release.inconclusive + 1)
    above = release.inconclusive > release.plan.inconclusive_limit
    return _undecided(release, undecided, now) if above else release


def _undecided(release: ReleaseState, metrics: list[Metric], now: float) -> ReleaseState:
    why = " ".join(f"{m.name}: {explain(release.plan, m, release.tallies[m.name])}" for m in metrics)
    limit = release.plan.inconclusive_limit
    said = f"After {limit} measurements there is no verdict. {why} `resume` goes on; or promote, or abort."
    return _hold(release, "inconclusive", said, now)


def _next(release: ReleaseState, now: float) -> ReleaseState:
    return _enter(replace(release, step=release.step + 1, phase="Progressing", hold=""), now)


def _enter(release: ReleaseState, now: float) -> ReleaseState:
    """Enter a step, and those after it as long as they take no time."""
    steps = release.plan.steps
    while release.step < len(steps):
        step = steps[release.step]
        release = replace(release, since=now, inconclusive=0)
        match step:
            case Analysis():
                return release
            case Pause(seconds):
                if seconds is not None:
                    return replace(release, phase="Paused", hold="by the plan")
                return _hold(release, "by the plan", "The plan waits for `resume`.", now)
        release = _say(_new_stage(release), now, str(step), _effect(release))
        release = replace(release, step=release.step + 1)
    return _healthy(release, f"All requests go to {release.plan.canary}: every step is done.", now)


def _effect(release: ReleaseState) -> str:
    plan, routing = release.plan, release.routing
    match plan.steps[release.step]:
        case HeaderRoute(_, header, kind, value):
            return f"Requests whose {header} is {value!r} ({kind}) go to {plan.canary}."
        case MirrorRoute(percentage):
            return (
                f"{plan.canary} gets a copy of {percentage} % of the requests; users get none of its answers."
            )
    return (
        f"{routing.weight} % of the requests go to {plan.canary}, {100 - routing.weight} % to {plan.stable}."
    )


def _test(plan: Plan, metric: Metric) -> str:
    limit = plan.limit(metric)
    least = f"{limit.fewest_to_succeed} requests or more to succeed, {limit.fewest_to_fail} to fail"
    return f"{metric.name} needs {least}"


def _new_stage(release: ReleaseState) -> ReleaseState:
    tallies = {name: tally.anew() for name, tally in release.tallies.items()}
    return replace(_routed_anew(release), tallies=tallies, failures=0)


def _routed_anew(release: ReleaseState) -> ReleaseState:
    """Have the routing put in force again; what was counted stays, what is counted until then does not."""
    return replace(release, stage=release.stage + 1)


def _healthy(release: ReleaseState, said: str, now: float) -> ReleaseState:
    ended = replace(_new_stage(release), step=len(release.plan.steps), phase="Healthy", hold="")
    return _say(ended, now, "Healthy", said)


def _back(release: ReleaseState, word: str, why: str, now: float) -> ReleaseState:
    degraded = replace(_new_stage(release), phase="Degraded", hold="")
    return _say(degraded, now, word, f"{why} All requests go to {release.plan.stable}.")


def _hold(release: ReleaseState, hold: Hold, said: str, now: float) -> ReleaseState:
    return _say(replace(release, phase="Paused", hold=hold), now, f"Paused {hold}", said)


def _must_run(release: ReleaseState, command: str) -> None:
    if release.ended:
        ways = "retry begins it again" if release.phase == "Degraded" else "undo takes it back"
        raise ReleaseError(f"The release has ended ({release.phase}), so {command} does nothing; {ways}.")


def _say(release: ReleaseState, now: float, word: str, text: str) -> ReleaseState:
    step = min(release.step + 1, len(release.plan.steps))
    decision = Decision(now, step, release.routing.weight, word, text)
    return replace(release, decisions=(*release.decisions, decision)[-KEPT:])
