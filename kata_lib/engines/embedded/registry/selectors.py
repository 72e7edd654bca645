"""Label and field selectors: their text or object form in, a predicate over objects out."""

import re
from collections.abc import Callable
from typing import Any

from kata_lib.engines.embedded.registry.resources import Resource
from kata_lib.engines.embedded.registry.status import bad_request
from kata_lib.engines.embedded.store import Obj

Labels = dict[str, str]
LabelPredicate = Callable[[Labels], bool]
Predicate = Callable[[Obj], bool]

_KEY = r"[A-Za-z0-9](?:[A-Za-z0-9._/-]*[A-Za-z0-9])?"
_REQUIREMENT = re.compile(
    rf"""\s*(?:
        (?P<key>{_KEY})\s*(?P<op>==|=|!=)\s*(?P<value>[A-Za-z0-9._-]*)
      | (?P<set_key>{_KEY})\s+(?P<set_op>in|notin)\s*\((?P<values>[^()]*)\)
      | (?P<compare_key>{_KEY})\s*(?P<compare>[<>])\s*(?P<bound>-?\d+)
      | !\s*(?P<absent>{_KEY})
      | (?P<present>{_KEY})
    )\s*(?:,|$)""",
    re.VERBOSE,
)

FIELD_LABELS: dict[str, frozenset[str]] = {
    "pods": frozenset(
        {
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.nominatedNodeName",
        }
    ),
    "services": frozenset({"spec.clusterIP", "spec.type"}),
    "namespaces": frozenset({"status.phase"}),
    "nodes": frozenset({"spec.unschedulable"}),
    "secrets": frozenset({"type"}),
    "replicasets": frozenset({"status.replicas"}),
    "events": frozenset(
        {f"involvedObject.{field}" for field in ("kind", "namespace", "name", "uid", "apiVersion")}
        | {"involvedObject.resourceVersion", "involvedObject.fieldPath", "reason", "type"}
        | {"reportingComponent", "source"}
    ),
}
"""The fields by which each resource can be selected, besides metadata.name and metadata.namespace."""


def label_selector(text: str | None) -> LabelPredicate:
    """Return the predicate over labels of a selector such as "app=name,version in (v1,v2),!canary".

    Raises StatusError 400 where the text is no selector.
    """
    requirements: list[LabelPredicate] = []
    position, text = 0, (text or "").strip()
    while position < len(text):
        match = _REQUIREMENT.match(text, position)
        if not match:
            raise bad_request(f"unable to parse requirement: found '{text[position:]}' in selector {text!r}")
        requirements.append(_requirement(match))
        position = match.end()
    return lambda labels: all(requirement(labels) for requirement in requirements)


def _requirement(match: re.Match[str]) -> LabelPredicate:
    found = {key: value for key, value in match.groupdict().items() if value is not None}
    if "op" in found:
        operator = "NotIn" if found["op"] == "!=" else "In"
        return _expression(found["key"], operator, [found["value"]])
    if "set_op" in found:
        values = [value.strip() for value in found["values"].split(",")]
        return _expression(found["set_key"], "NotIn" if found["set_op"] == "notin" else "In", values)
    if "compare" in found:
        return _comparison(found["compare_key"], found["compare"], int(found["bound"]))
    if "absent" in found:
        return _expression(found["absent"], "DoesNotExist", [])
    return _expression(found["present"], "Exists", [])


def _expression(key: str, operator: str, values: list[str]) -> LabelPredicate:
    if operator == "In":
        return lambda labels: labels.get(key) in values
    if operator == "NotIn":
        return lambda labels: labels.get(key) not in values
    if operator == "Exists":
        return lambda labels: key in labels
    if operator == "DoesNotExist":
        return lambda labels: key not in labels
    raise bad_request(f'"{operator}" is not a valid label selector operator')


def _comparison(key: str, operator: str, bound: int) -> LabelPredicate:
    def holds(labels: Labels) -> bool:
        value = labels.get(key, "")
        if not re.fullmatch(r"-?\d+", value):
            return False
        return int(value) > bound if operator == ">" else int(value) < bound

    return holds


def selector_object(selector: dict[str, Any] | None) -> LabelPredicate:
    """Return the predicate over labels of a LabelSelector object; None matches nothing, {} everything."""
    if selector is None:
        return lambda labels: False
    requirements = [_expression(key, "In", [value]) for key, value in selector.get("matchLabels", {}).items()]
    requirements += [
        _expression(expression["key"], expression["operator"], expression.get("values", []))
        for expression in selector.get("matchExpressions", [])
    ]
    return lambda labels: all(requirement(labels) for requirement in requirements)


def selector_text(selector: dict[str, Any] | None) -> str:
    """Return a LabelSelector object as text, as kubectl shows it: "app=name,version in (v1,v2)"."""
    selector = selector or {}
    texts = [f"{key}={value}" for key, value in selector.get("matchLabels", {}).items()]
    for expression in selector.get("matchExpressions", []):
        key, values = expression["key"], ",".join(sorted(expression.get("values", [])))
        forms = {
            "In": f"{key} in ({values})",
            "NotIn": f"{key} notin ({values})",
            "Exists": key,
            "DoesNotExist": f"!{key}",
        }
        texts.append(forms[expression["operator"]])
    return ",".join(sorted(texts))


def field_selector(text: str | None, resource: Resource) -> Predicate:
    """Return the predicate over objects of a selector such as "status.phase!=Failed,metadata.name=a".

    Raises StatusError 400 for a field by which the resource cannot be selected.
    """
    terms = [_field_term(term, text or "", resource) for term in (text or "").split(",") if term.strip()]
    return lambda obj: all((_field(obj, path) == value) is equal for path, equal, value in terms)


def _field_term(term: str, text: str, resource: Resource) -> tuple[str, bool, str]:
    match = re.fullmatch(r"\s*([^=!]+?)\s*(!=|==|=)\s*(.*?)\s*", term)
    if not match:
        raise bad_request(f"invalid field selector: '{text}'; can't understand '{term}'")
    path, operator, value = match.groups()
    allowed = FIELD_LABELS.get(resource.plural, frozenset())
    if path not in allowed and path not in ("metadata.name", "metadata.namespace"):
        raise bad_request(f"field label not supported: {path}")
    return path, operator != "!=", value


def _field(obj: Obj, path: str) -> str:
    value: Any = obj
    if path == "source":
        path = "source.component"
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def combined(resource: Resource, labels: str | None, fields: str | None) -> Predicate:
    """Return the predicate over objects that both selectors, either of them absent, make together."""
    by_labels, by_fields = label_selector(labels), field_selector(fields, resource)
    return lambda obj: by_labels(obj["metadata"].get("labels") or {}) and by_fields(obj)
