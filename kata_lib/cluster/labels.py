"""Labels of objects and of pod templates, and whether a selector chooses them."""

from collections.abc import Mapping
from typing import Any


def of(obj: Mapping[str, Any]) -> Mapping[str, str]:
    """Return the labels of an object or of a pod template."""
    return (obj.get("metadata") or {}).get("labels") or {}


def carries(obj: Mapping[str, Any], wanted: Mapping[str, str]) -> bool:
    """Return whether an object has all these labels; it has all of none."""
    return wanted.items() <= of(obj).items()


def selects(selector: Mapping[str, str] | None, obj: Mapping[str, Any]) -> bool:
    """Return whether a Service's selector chooses a pod; an empty one chooses none."""
    return bool(selector) and carries(obj, selector or {})


def chooses(selector: Mapping[str, Any], obj: Mapping[str, Any]) -> bool:
    """Return whether a LabelSelector of the API chooses an object; an empty one chooses all."""
    wanted = carries(obj, selector.get("matchLabels") or {})
    return wanted and all(_holds(one, of(obj)) for one in selector.get("matchExpressions") or ())


def _holds(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, operator, values = expression["key"], expression["operator"], expression.get("values") or ()
    if operator in ("Exists", "DoesNotExist"):
        return (key in labels) is (operator == "Exists")
    return (labels.get(key) in values) is (operator == "In")


def as_selector(wanted: Mapping[str, str]) -> str:
    """Return labels as kubectl and the API take them: app=web,version=v2."""
    return ",".join(f"{key}={value}" for key, value in wanted.items())
