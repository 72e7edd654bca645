"""ReplicaSets: one pod."""

from kata_lib.engines.embedded.registry.defaults import pod_template
from kata_lib.engines.embedded.store import Obj

IMMUTABLE = ("spec.selector",)


def fill(obj: Obj) -> None:
    """Add a ReplicaSet's defaults in place."""
    spec = obj.setdefault("spec", {})
    spec.setdefault("replicas", 1)
    pod_template.fill(spec.setdefault("template", {}))
