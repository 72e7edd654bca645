"""Rules of Deployments and ReplicaSets."""

from collections.abc import Iterator, Mapping
from typing import Any

from kata_lib.engines.embedded.registry import names
from kata_lib.engines.embedded.registry.selectors import selector_object
from kata_lib.engines.embedded.registry.status import Cause
from kata_lib.engines.embedded.registry.validation import metadata, pods
from kata_lib.engines.embedded.registry.validation.causes import (
    forbidden,
    invalid,
    not_supported,
    required,
    show_struct,
)
from kata_lib.engines.embedded.store import Obj

NEGATIVE = "must be greater than or equal to 0"

_SELECTOR_FIELDS = ("matchLabels", "matchExpressions")
_OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist")


def deployment(obj: Obj, old: Obj | None) -> Iterator[Cause]:
    """Return what is wrong with a Deployment's specification."""
    spec = obj.get("spec", {})
    yield from not_negative("spec.replicas", spec.get("replicas", 0))
    yield from _selector_and_template(spec)
    yield from _strategy("spec.strategy", spec.get("strategy", {}))
    ready = spec.get("minReadySeconds", 0)
    yield from not_negative("spec.minReadySeconds", ready)
    yield from not_negative("spec.revisionHistoryLimit", spec.get("revisionHistoryLimit", 0))
    deadline = spec.get("progressDeadlineSeconds")
    if deadline is not None:
        yield from not_negative("spec.progressDeadlineSeconds", deadline)
        if deadline <= ready:
            yield invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds")


def replica_set(obj: Obj, old: Obj | None) -> Iterator[Cause]:
    """Return what is wrong with a ReplicaSet's specification."""
    spec = obj.get("spec", {})
    yield from not_negative("spec.replicas", spec.get("replicas", 0))
    yield from not_negative("spec.minReadySeconds", spec.get("minReadySeconds", 0))
    yield from _selector_and_template(spec)


def not_negative(path: str, value: int) -> Iterator[Cause]:
    """Refuse a number below zero."""
    if value < 0:
        yield invalid(path, value, NEGATIVE)


def label_selector(path: str, selector: Mapping[str, Any]) -> Iterator[Cause]:
    """Return what is wrong with a label selector object."""
    yield from metadata.labels(f"{path}.matchLabels", selector.get("matchLabels", {}))
    for position, expression in enumerate(selector.get("matchExpressions", ())):
        inner = f"{path}.matchExpressions[{position}]"
        operator, values = expression.get("operator", ""), expression.get("values")
        if operator not in _OPERATORS:
            yield invalid(f"{inner}.operator", operator, "not a valid selector operator")
        elif operator in ("In", "NotIn") and not values:
            yield required(f"{inner}.values", "must be specified when `operator` is 'In' or 'NotIn'")
        elif operator not in ("In", "NotIn") and values:
            yield forbidden(
                f"{inner}.values", "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            )
        key = expression.get("key", "")
        yield from (invalid(f"{inner}.key", key, why) for why in names.qualified_name(key))


def _selector_and_template(spec: Mapping[str, Any]) -> Iterator[Cause]:
    selector, template = spec.get("selector"), spec.get("template", {})
    mistakes: list[Cause] = []
    if selector is None:
        mistakes = [required("spec.selector")]
    else:
        mistakes = list(label_selector("spec.selector", selector))
        if mistakes:
            shown = show_struct({key: selector[key] for key in _SELECTOR_FIELDS if key in selector})
            message = f"Invalid value: {shown}: invalid label selector"
            mistakes.append(Cause("spec.selector", "FieldValueInvalid", message))
        if not any(selector.values()):
            mistakes.append(invalid("spec.selector", selector, "empty selector is invalid for deployment"))
    yield from mistakes
    labels = template.get("metadata", {}).get("labels", {})
    # Without a selector nothing matches; a broken one is not asked.
    if selector is None or (not mistakes and not selector_object(selector)(labels)):
        words = "`selector` does not match template `labels`"
        yield invalid("spec.template.metadata.labels", labels or None, words)
    yield from pods.template("spec.template", template)
    inner = template.get("spec", {})
    policy = inner.get("restartPolicy", "Always")
    if policy != "Always":
        yield not_supported("spec.template.spec.restartPolicy", policy, ["Always"])
    if "activeDeadlineSeconds" in inner:
        words = "activeDeadlineSeconds in ReplicaSet is not Supported"
        yield forbidden("spec.template.spec.activeDeadlineSeconds", words)


def _strategy(path: str, strategy: Mapping[str, Any]) -> Iterator[Cause]:
    kind, rolling = strategy.get("type", ""), strategy.get("rollingUpdate")
    if kind == "Recreate":
        if rolling is not None:
            words = "may not be specified when strategy `type` is 'Recreate'"
            yield forbidden(f"{path}.rollingUpdate", words)
    elif kind == "RollingUpdate":
        yield from _rolling_update(f"{path}.rollingUpdate", rolling or {})
    else:
        shown = show_struct({"Type": kind, "RollingUpdate": rolling})
        message = f'Unsupported value: {shown}: supported values: "Recreate", "RollingUpdate"'
        yield Cause(path, "FieldValueNotSupported", message)


def _rolling_update(path: str, rolling: Mapping[str, Any]) -> Iterator[Cause]:
    unavailable, surge = rolling.get("maxUnavailable", 0), rolling.get("maxSurge", 0)
    for field, value in (("maxUnavailable", unavailable), ("maxSurge", surge)):
        if isinstance(value, str):
            yield from (invalid(f"{path}.{field}", value, why) for why in names.percent(value))
        else:
            yield from not_negative(f"{path}.{field}", value)
    if unavailable in (0, "0%") and surge in (0, "0%"):
        yield invalid(f"{path}.maxUnavailable", unavailable, "may not be 0 when `maxSurge` is 0")
    if isinstance(unavailable, str) and unavailable[:-1].isdigit() and int(unavailable[:-1]) > 100:
        yield invalid(f"{path}.maxUnavailable", unavailable, "must not be greater than 100%")
