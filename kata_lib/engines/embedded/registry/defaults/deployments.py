"""Deployments: a rolling update by quarters, ten old revisions kept, ten minutes to make progress."""

from kata_lib.engines.embedded.registry.defaults import pod_template
from kata_lib.engines.embedded.store import Obj

IMMUTABLE = ("spec.selector",)


def fill(obj: Obj) -> None:
    """Add a Deployment's defaults in place."""
    spec = obj.setdefault("spec", {})
    spec.setdefault("replicas", 1)
    spec.setdefault("revisionHistoryLimit", 10)
    spec.setdefault("progressDeadlineSeconds", 600)
    strategy = spec.setdefault("strategy", {})
    strategy.setdefault("type", "RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxSurge", "25%")
        rolling.setdefault("maxUnavailable", "25%")
    pod_template.fill(spec.setdefault("template", {}))
