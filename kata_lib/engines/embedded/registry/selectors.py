"""Label and field selectors: their text or object form in, a predicate over objects out."""

import re
from collections.abc import Callable, Collection
from typing import Any

from kata_lib.engines.embedded.registry import label_selectors, names
from kata_lib.engines.embedded.registry.label_selectors import Requirement
from kata_lib.engines.embedded.registry.resources import Resource
from kata_lib.engines.embedded.registry.status import StatusError, bad_request
from kata_lib.engines.embedded.store import Obj

Labels = dict[str, str]
LabelPredicate = Callable[[Labels], bool]
Predicate = Callable[[Obj], bool]

_TERM = re.compile(r"(?:[^\\,]|\\.?)+", re.DOTALL)

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
    requirements = [_requirement(found) for found in label_selectors.parse(text or "")]
    return lambda labels: all(requirement(labels) for requirement in requirements)


def _requirement(found: Requirement) -> LabelPredicate:
    """Return the predicate of a requirement whose key and values are such as labels can have."""
    for why in names.qualified_name(found.key):
        raise _unparsed(f'<nil>: Invalid value: "{found.key}": {why}')
    if found.operator in ("Gt", "Lt"):
        if not _is_64_bits(found.values[0]):
            why = "for 'Gt', 'Lt' operators, the value must be an integer"
            raise _unparsed(f'values[0]: Invalid value: "{found.values[0]}": {why}')
        return _comparison(found.key, found.operator, int(found.values[0]))
    for position, value in enumerate(found.values):
        for why in names.label_value(value):
            raise _unparsed(f'values[{position}][{found.key}]: Invalid value: "{value}": {why}')
    return _expression(found.key, found.operator, frozenset(found.values))


def _unparsed(why: str) -> StatusError:
    return bad_request(f"unable to parse requirement: {why}")


def _expression(key: str, operator: str, values: Collection[str]) -> LabelPredicate:
    if operator == "In":
        return lambda labels: labels.get(key) in values
    if operator == "NotIn":
        return lambda labels: labels.get(key) not in values
    if operator == "Exists":
        return lambda labels: key in labels
    if operator == "DoesNotExist":
        return lambda labels: key not in labels
    raise bad_request(f'"{operator}" is not a valid label selector operator')


def _is_64_bits(text: str) -> bool:
    return re.fullmatch(r"[+-]?[0-9]{1,19}", text) is not None and -(2**63) <= int(text) < 2**63


def _comparison(key: str, operator: str, bound: int) -> LabelPredicate:
    def holds(labels: Labels) -> bool:
        value = labels.get(key, "")
        if not re.fullmatch(r"-?\d+", value):
            return False
        return int(value) > bound if operator == "Gt" else int(value) < bound

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
        key, values = expression.get("key", ""), ",".join(sorted(expression.get("values", [])))
        forms = {
            "In": f"{key} in ({values})",
            "NotIn": f"{key} notin ({values})",
            "Exists": key,
            "DoesNotExist": f"!{key}",
        }
        texts.append(forms.get(expression.get("operator", ""), "<error>"))
    return ",".join(sorted(texts))


def field_selector(text: str | None, resource: Resource) -> Predicate:
    """Return the predicate over objects of a selector such as "status.phase!=Failed,metadata.name=a".

    Raises StatusError 400 for a field by which the resource cannot be selected.
    """
    parts = (part[0] for part in _TERM.finditer(text or ""))
    terms = [_field_term(term, text or "", resource) for term in parts if term.strip()]
    return lambda obj: all((_field(obj, path) == value) is equal for path, equal, value in terms)


def _field_term(term: str, text: str, resource: Resource) -> tuple[str, bool, str]:
    match = re.fullmatch(r"\s*([^=!]+?)\s*(!=|==|=)\s*(.*?)\s*", term)
    if not match:
        raise bad_request(f"invalid selector: '{text}'; can't understand '{term}'")
    path, operator, value = match[1], match[2], _unescaped(match[3])
    if path in ("metadata.name", "metadata.namespace"):
        return path, operator != "!=", value
    allowed = resource.selectable if resource.defined else FIELD_LABELS.get(resource.key)
    if allowed is None and not resource.custom:
        known = 'only "metadata.name", "metadata.namespace"'
        raise bad_request(f'"{path}" is not a known field selector: {known}')
    if path not in (allowed or ()):
        raise bad_request(f"field label not supported: {path}")
    return path, operator != "!=", value


def _unescaped(value: str) -> str:
    """Return a value of a field selector without its escapes; raise StatusError 400 where one is none."""
    if wrong := re.search(r"\\(?![\\,=]).?", re.sub(r"\\[\\,=]", "", value), re.DOTALL):
        raise bad_request(f"invalid field selector: invalid escape sequence: {wrong[0]}")
    return re.sub(r"\\([\\,=])", r"\1", value)


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
