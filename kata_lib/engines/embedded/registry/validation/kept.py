"""Rules of the kinds that are kept for others to act on: Leases, Jobs, Ingresses, PodDisruptionBudgets."""

from collections.abc import Iterator
from typing import Any

from kata_lib.engines.embedded.registry import names
from kata_lib.engines.embedded.registry.status import Cause
from kata_lib.engines.embedded.registry.validation import pods
from kata_lib.engines.embedded.registry.validation.causes import invalid, required, show_struct
from kata_lib.engines.embedded.registry.validation.workloads import label_selector, not_negative
from kata_lib.engines.embedded.store import Obj

_PATH_TYPES = ("Exact", "Prefix", "ImplementationSpecific")
_NOT_NEGATIVE = (
    "parallelism",
    "completions",
    "activeDeadlineSeconds",
    "backoffLimit",
    "ttlSecondsAfterFinished",
)


def lease(obj: Obj, old: Obj | None) -> Iterator[Cause]:
    """Return what is wrong with a Lease."""
    spec = obj.get("spec", {})
    seconds = spec.get("leaseDurationSeconds")
    if seconds is not None and seconds <= 0:
        yield invalid("spec.leaseDurationSeconds", seconds, "must be greater than 0")
    yield from not_negative("spec.leaseTransitions", spec.get("leaseTransitions", 0))


def job(obj: Obj, old: Obj | None) -> Iterator[Cause]:
    """Return what is wrong with a Job."""
    spec = obj["spec"]
    for field in _NOT_NEGATIVE:
        yield from not_negative(f"spec.{field}", spec.get(field, 0))
    template = spec["template"]
    place = "spec.template.spec.restartPolicy"
    of_pods = pods.specification("spec.template.spec", template.get("spec", {}))
    yield from (cause for cause in of_pods if cause.field != place)
    policy = template.get("spec", {}).get("restartPolicy", "")
    if policy not in ("OnFailure", "Never"):
        valid = 'valid values: "OnFailure", "Never"'
        yield (invalid(place, policy, f"supported values: {valid}") if policy else required(place, valid))
    if old is not None:
        for field in ("completions", "selector", "completionMode", "template"):
            if spec.get(field) != old["spec"].get(field) and not (field == "template" and spec["suspend"]):
                yield invalid(f"spec.{field}", spec.get(field), "field is immutable")


def ingress_class(obj: Obj, old: Obj | None) -> Iterator[Cause]:
    """Return what is wrong with an IngressClass."""
    controller = obj["spec"].get("controller", "")
    if not controller:
        yield required("spec.controller")
    elif old is not None and controller != old["spec"].get("controller"):
        yield invalid("spec.controller", controller, "field is immutable")


def ingress(obj: Obj, old: Obj | None) -> Iterator[Cause]:
    """Return what is wrong with an Ingress."""
    spec = obj.get("spec", {})
    if not spec.get("rules") and "defaultBackend" not in spec:
        yield invalid("spec", None, "either `defaultBackend` or `rules` must be specified")
    for position, rule in enumerate(spec.get("rules", ())):
        host = rule.get("host", "")
        if host and not host.startswith("*."):
            for why in names.dns_subdomain(host):
                yield invalid(f"spec.rules[{position}].host", host, why)
        for number, path in enumerate(rule.get("http", {}).get("paths", ())):
            yield from _path(f"spec.rules[{position}].http.paths[{number}]", path)


def _path(place: str, path: dict[str, Any]) -> Iterator[Cause]:
    kind, value = path.get("pathType"), path.get("path", "")
    if kind is None:
        yield required(f"{place}.pathType", "pathType must be specified")
    elif kind in ("Exact", "Prefix") and not value.startswith("/"):
        yield invalid(f"{place}.path", value, "must be an absolute path")


def disruption_budget(obj: Obj, old: Obj | None) -> Iterator[Cause]:
    """Return what is wrong with a PodDisruptionBudget."""
    spec = obj.get("spec", {})
    if "minAvailable" in spec and "maxUnavailable" in spec:
        fields = ("minAvailable", "selector", "maxUnavailable", "unhealthyPodEvictionPolicy")
        shown = show_struct({field[0].upper() + field[1:]: spec.get(field) for field in fields})
        why = "minAvailable and maxUnavailable cannot be both set"
        yield Cause("spec", "FieldValueInvalid", f"Invalid value: {shown}: {why}")
    for field in ("minAvailable", "maxUnavailable"):
        value = spec.get(field, 0)
        if isinstance(value, str):
            yield from (invalid(f"spec.{field}", value, why) for why in names.percent(value))
        else:
            yield from not_negative(f"spec.{field}", value)
    yield from label_selector("spec.selector", spec.get("selector", {}))
