"""Rules of HorizontalPodAutoscalers."""

from collections.abc import Iterator, Mapping
from typing import Any

from kata_lib.engines.embedded.registry.status import Cause
from kata_lib.engines.embedded.registry.validation.causes import invalid, not_supported, required
from kata_lib.engines.embedded.store import Obj

_SOURCES = ("ContainerResource", "External", "Object", "Pods", "Resource")


def autoscaler(obj: Obj, old: Obj | None) -> Iterator[Cause]:
    """Return what is wrong with a HorizontalPodAutoscaler."""
    spec = obj["spec"]
    least, most = spec["minReplicas"], spec.get("maxReplicas", 0)
    if least < 1:
        yield invalid("spec.minReplicas", least, "must be greater than or equal to 1")
    if most < 1:
        yield invalid("spec.maxReplicas", most, "must be greater than 0")
    if most < least:
        yield invalid("spec.maxReplicas", most, "must be greater than or equal to `minReplicas`")
    target = spec.get("scaleTargetRef", {})
    yield from (
        required(f"spec.scaleTargetRef.{field}") for field in ("kind", "name") if not target.get(field)
    )
    for position, metric in enumerate(spec["metrics"]):
        yield from _metric(f"spec.metrics[{position}]", metric)


def _metric(path: str, metric: Mapping[str, Any]) -> Iterator[Cause]:
    source = metric.get("type", "")
    if not source:
        yield required(f"{path}.type", "must specify a metric source type")
    if source not in _SOURCES:
        yield not_supported(f"{path}.type", source, _SOURCES)
        return
    field = source[0].lower() + source[1:]
    if field not in metric:
        yield required(f"{path}.{field}", "must populate information for the given metric source")
