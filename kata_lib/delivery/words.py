"""The words for a release: a Decision, or where it stands, goes in; a line for a person comes out.

Everything that is shown of a release is said here: by the command, in a notebook, in the live view, in the
ConfigMap's history. Nothing reads these words.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

from kata_lib.delivery.judging import Judgement
from kata_lib.delivery.metric import Metric
from kata_lib.delivery.observed import Pods
from kata_lib.delivery.plan import Plan
from kata_lib.delivery.state import Decision, Hold, ReleaseState
from kata_lib.delivery.steps import HeaderRoute, MirrorRoute, SetWeight, Step
from kata_lib.statistics.sequential import Counted
from kata_lib.statistics.shares import percent, share_of

HELD: dict[Hold, str] = {
    "": "",
    "plan": "by the plan",
    "person": "by a person",
    "inconclusive": "without a verdict",
    "unreadable": "without metrics",
    "elsewhere": "weights changed elsewhere",
}
_BY_A_PERSON = "At a person's word."


def line(decision: Decision, plan: Plan) -> str:
    """Return a decision with its time and the weight since."""
    at = datetime.fromtimestamp(decision.at, UTC)
    return f"{at:%H:%M:%S}  {decision.weight:3} %  {name(decision, plan)}: {why(decision, plan)}"


def where(state: ReleaseState) -> str:
    """Return where a release stands."""
    plan, weight = state.plan, state.routing.weight
    held = f" {HELD[state.hold]}" if state.hold else ""
    number = state.step + 1
    step = "" if state.ended else f", step {number} of {len(plan.steps)}: {plan.steps[state.step]}"
    return f"{state.phase}{held}{step}. {plan.canary} {weight} %, {plan.stable} {100 - weight} %."


def name(decision: Decision, plan: Plan) -> str:
    """Return what was decided, in a few words."""
    match decision.what:
        case "routed":
            return str(_step(decision, plan) or f"setWeight {decision.weight}")
        case "successful" | "borne":
            verdict = "Successful" if decision.what == "successful" else "Failed"
            return f"{verdict} {decision.findings[0].metric}"
        case "paused":
            return f"Paused {HELD[decision.hold]}"
    return decision.what.capitalize()


def why(decision: Decision, plan: Plan) -> str:
    """Return the reason of a decision, with its figures."""
    person = decision.by == "person"
    everyone = plan.stable if decision.what in ("aborted", "undone") else plan.canary
    all_go = f"All requests go to {everyone}."
    match decision.what:
        case "started":
            return begun(plan)
        case "routed":
            return effect(decision, plan)
        case "successful":
            return explain(decision.findings[0], plan)
        case "borne":
            said = explain(decision.findings[0], plan)
            return f"{said} failureLimit {plan.failure_limit} bears it; counting begins anew."
        case "compared":
            said = explain(decision.findings[0], plan)
            return f"{said} {_shares(decision, plan)}, until the two are compared."
        case "paused":
            return _held(decision, plan)
        case "resumed":
            return f"The weight is {decision.weight} %."
        case "promoted":
            return f"{plan.steps[max(decision.step, 1) - 1]} is left at a person's word."
        case "taken over":
            return f"Nobody ran it for {decision.count} s; what was counted in that time is not judged."
        case "healthy":
            return f"{_BY_A_PERSON if person else 'Every step is done.'} {all_go}"
        case "aborted":
            return f"{_BY_A_PERSON if person else _failed(decision, plan)} {all_go}"
        case "undone":
            return f"{_BY_A_PERSON} {all_go}"


def begun(plan: Plan) -> str:
    """Return what a plan promises, and what it takes."""
    tests = "; ".join(
        f"{metric.name} needs {plan.limit(metric).fewest} requests or more to succeed"
        for metric in plan.metrics
    )
    return (
        f"{plan.canary} in place of {plan.stable}, {len(plan.steps)} steps. A canary that is no worse than "
        f"{plan.stable} is aborted with a chance of at most {100 * plan.false_abort:g} %, a faulty one "
        f"passes an analysis with at most {100 * plan.missed:g} %. {tests}."
    )


def effect(decision: Decision, plan: Plan) -> str:
    """Return what a change of the routing means for users."""
    match _step(decision, plan):
        case HeaderRoute(_, header, kind, value):
            return f"Requests whose {header} is {value!r} ({kind}) go to {plan.canary}."
        case MirrorRoute(percentage):
            copies = f"{plan.canary} gets a copy of {percentage} % of the requests"
            return f"{copies}; users get none of its answers."
    return f"{_shares(decision, plan)}."


def explain(finding: Judgement, plan: Plan) -> str:
    """Return why a metric has its verdict: the figures of both versions, and what would have changed it."""
    metric = next(metric for metric in plan.metrics if metric.name == finding.metric)
    return " ".join([*_counted(finding, metric, plan), *_because(finding, metric, plan)])


def _counted(finding: Judgement, metric: Metric, plan: Plan) -> Iterator[str]:
    canary = _seen(plan.canary, metric, finding.canary)
    yield f"{canary}, {_seen(plan.stable, metric, finding.stable)}."
    if finding.lost:
        yield f"{finding.lost} more reached no pod of either."


def _because(finding: Judgement, metric: Metric, plan: Plan) -> Iterator[str]:
    limit = f"{100 * metric.healthy:g} % is healthy, {100 * metric.faulty:g} % is not"
    match finding.reason:
        case "worse":
            yield (
                f"The evidence that the odds of it are {plan.odds(metric):.3g} times as high is "
                f"{finding.evidence:.1f}, and {finding.needed:.1f} is enough."
            )
            if 0 < finding.fails_from <= finding.canary.n:
                yield f"With {finding.fails_from - 1} or fewer it would not be."
        case "gone":
            yield f"{limit}."
        case "kept":
            yield f"{limit}. With {finding.kept_to + 1} or more it would not be kept."
        case "broken":
            yield f"{limit}. That is no proof that {plan.canary} is worse than {plan.stable}."
        case "silent":
            yield f"But {plan.canary} answered nothing in the last look."
        case "few":
            fewest = plan.limit(metric).fewest
            yield f"{limit}. Successful takes {fewest} requests or more."
            if finding.kept_to >= 0:
                yield f"Of as many as now it takes {finding.kept_to} or fewer."


def _failed(decision: Decision, plan: Plan) -> str:
    said = [f"{finding.metric}: {explain(finding, plan)}" for finding in decision.findings]
    said += [f"{decision.count} measurements in a row found nothing that answers."] if decision.count else []
    said += [_pods(plan.canary, decision.canary)] if decision.canary else []
    return " ".join(said)


def _held(decision: Decision, plan: Plan) -> str:
    match decision.hold:
        case "plan":
            return "The plan waits for `resume`."
        case "person":
            return f"The weight stays at {decision.weight} %."
        case "unreadable":
            return (
                f"The metrics could not be read {decision.count} times in a row, and consecutiveErrorLimit "
                f"is {plan.consecutive_error_limit}. Last: {decision.quote} That is no success: `resume` "
                "looks again."
            )
        case "elsewhere":
            return (
                f"Somebody else changed the routing: {_written(decision, plan)}. It stays so, and nothing is "
                f"judged; `resume` brings back {decision.weight} % and goes on, `abort` sends everyone to "
                f"{plan.stable}."
            )
    said = [f"{f.metric}: {explain(f, plan)}" for f in decision.findings]
    said += [_pods(plan.canary, decision.canary)] if decision.canary else []
    said += [_pods(plan.stable, decision.stable)] if decision.stable else []
    first = f"After {plan.inconclusive_limit} measurements there is no verdict."
    return " ".join([first, *said, "`resume` goes on; or promote, or abort."])


def _pods(subset: str, pods: Pods) -> str:
    ready = (
        f"{pods.ready} of {pods.total} pods of {subset} are ready" if pods.total else f"{subset} has no pod"
    )
    return f"{ready}: {pods.why}." if pods.why else f"{ready}."


def _written(decision: Decision, plan: Plan) -> str:
    if decision.quote:
        return decision.quote.rstrip(".")
    if not decision.found:
        return f"no VirtualService routes {plan.service}"
    there = ", ".join(f"{subset} {weight}" for subset, weight in decision.found.items())
    return f"the weights are {there}, where the release has {decision.weight} for {plan.canary}"


def _seen(subset: str, metric: Metric, counted: Counted) -> str:
    if not counted.n:
        return f"no request to {subset} was counted"
    share = share_of(subset, counted.bad, counted.n)
    interval = f"95 % interval {percent(share.low)} to {percent(share.high)}"
    return f"{counted.bad} of {counted.n:,} requests to {subset} {metric.bad} ({interval})"


def _shares(decision: Decision, plan: Plan) -> str:
    weight = decision.weight
    return f"{weight} % of the requests go to {plan.canary}, {100 - weight} % to {plan.stable}"


def _step(decision: Decision, plan: Plan) -> Step | None:
    """Return the step that changed the routing, None where the weight came back after a comparison."""
    step = plan.steps[decision.step - 1]
    return step if isinstance(step, SetWeight | HeaderRoute | MirrorRoute) else None
