"""A release's plan: which versions, which steps, and what the analysis between them asks.

YAML goes in, in Argo Rollouts' terms (https://argo-rollouts.readthedocs.io/en/stable/features/specification/
and .../features/analysis/); a checked Plan comes out, or a ReleaseError that names what is wrong.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kata_lib.delivery.fields import choice, duration, fields, fraction, text, whole
from kata_lib.delivery.metric import Metric, parse_metrics
from kata_lib.delivery.steps import Analysis, Step, parse_steps
from kata_lib.errors import ReleaseError
from kata_lib.machine import WORKSHOP
from kata_lib.statistics.sequential import Limit

FALSE_ABORT = MISSED = 0.01
INTERVAL = "1s"
INCONCLUSIVE_LIMIT = 60
CONSECUTIVE_ERROR_LIMIT = 4


@dataclass(frozen=True)
class Plan:
    """How a release goes. `stable` and `canary` are subsets of the service.

    caller: the Service whose sidecars send the requests, and are asked where these go.
    interval: seconds between two looks at the metrics, each of which is a measurement. failure_limit,
    inconclusive_limit, consecutive_error_limit: how many measurements of that kind are borne, as in Argo
    Rollouts. false_abort: the greatest chance that a canary no worse than stable is aborted, over the whole
    release; missed: the greatest chance that an analysis passes a faulty one.
    """

    service: str
    stable: str
    canary: str
    caller: str
    steps: tuple[Step, ...]
    metrics: tuple[Metric, ...]
    interval: float
    failure_limit: int
    inconclusive_limit: int
    consecutive_error_limit: int
    false_abort: float
    missed: float
    source: Mapping[str, Any]
    """What it was read from."""

    def __repr__(self) -> str:
        import yaml

        return yaml.safe_dump(dict(self.source), sort_keys=False, allow_unicode=True).rstrip()

    def changed(self, **parts: Any) -> "Plan":
        """Return a plan with other parts, such as steps=[{"setWeight": 50}, {"analysis": {}}]."""
        return parse({**self.source, **parts})

    def without(self, names: Collection[str]) -> "Plan":
        """Return a plan without metrics of these names, such as those that the sidecars do not count."""
        rules = self.source["analysis"]
        left = [metric for metric in rules["metrics"] if metric["name"] not in names]
        if left == rules["metrics"]:
            return self
        return self.changed(analysis={**rules, "metrics": left})

    @property
    def alpha(self) -> float:
        """The greatest chance of a false abort for each metric: the release's is spread evenly."""
        return self.false_abort / len(self.metrics)

    def limit(self, metric: Metric) -> Limit:
        """Return a metric's test against its fixed limit."""
        return Limit(metric.healthy, metric.faulty, self.missed)

    def odds(self, metric: Metric) -> float:
        """Return how many times stable's odds of a bad request are held against the canary."""
        return self.limit(metric).odds if metric.odds is None else metric.odds


def read(path: str | Path) -> Plan:
    """Return the plan in a file, from here or from the learner's folder."""
    from kata_lib.cluster.documents import Unreadable, read_yaml

    place = next((place for place in (Path(path), WORKSHOP / path) if place.is_file()), None)
    if place is None:
        beside = Path(path).parent
        known = sorted(file.name for file in (WORKSHOP / beside).glob("*.yaml"))
        raise ReleaseError(f"There is no file {path}. In {beside} there are: {', '.join(known) or 'none'}.")
    try:
        return parse(read_yaml(place.read_bytes()))
    except Unreadable as error:
        raise ReleaseError(f"{path} is not a plan in YAML: {error}") from error


def parse(source: Any) -> Plan:
    """Return the plan that this is, as YAML reads it."""
    given = fields(source, "the plan", ("service", "caller", "stable", "canary", "steps"), ("analysis",))
    stable, canary = text(given["stable"], "stable"), text(given["canary"], "canary")
    if stable == canary:
        raise ReleaseError(f"stable and canary are both {stable!r}: a release goes from one to another.")
    rules = fields(
        given.get("analysis", {}),
        "analysis",
        ("metrics",),
        ("interval", "failureLimit", "inconclusiveLimit", "consecutiveErrorLimit", "falseAbort", "missed"),
    )
    metrics = parse_metrics(rules["metrics"])
    steps = parse_steps(given["steps"])
    names = [metric.name for metric in metrics]
    for step in steps:
        for name in step.metrics if isinstance(step, Analysis) else ():
            choice(name, "an analysis step's metric", names)
    return Plan(
        service=text(given["service"], "service"),
        stable=stable,
        canary=canary,
        caller=text(given["caller"], "caller"),
        steps=steps,
        metrics=metrics,
        interval=duration(rules.get("interval", INTERVAL), "analysis.interval"),
        failure_limit=whole(rules.get("failureLimit", 0), "analysis.failureLimit"),
        inconclusive_limit=whole(
            rules.get("inconclusiveLimit", INCONCLUSIVE_LIMIT), "analysis.inconclusiveLimit"
        ),
        consecutive_error_limit=whole(
            rules.get("consecutiveErrorLimit", CONSECUTIVE_ERROR_LIMIT), "analysis.consecutiveErrorLimit"
        ),
        false_abort=fraction(rules.get("falseAbort", FALSE_ABORT), "analysis.falseAbort"),
        missed=fraction(rules.get("missed", MISSED), "analysis.missed"),
        source=given,
    )
