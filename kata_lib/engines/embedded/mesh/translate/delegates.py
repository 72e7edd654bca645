"""A rule that delegates, and the rules of its delegate: what comes of both.

Source: istio/istio, pilot/pkg/model/virtualservice.go (mergeHTTPRoute and what it calls).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Rule = Mapping[str, Any]

_INHERITED = (
    *("rewrite", "directResponse", "timeout", "retries", "fault", "mirror", "mirrorPercentage"),
    *("corsPolicy", "mirrors", "headers"),
)
_TEXTS = ("uri", "scheme", "method", "authority")
_MAPS = ("headers", "withoutHeaders", "queryParams")


def merged(root: Rule, delegates: Sequence[Rule]) -> Iterator[Rule]:
    """Yield the delegates' rules with what they have from the root.

    A rule whose conditions are not among the root's is left out.
    """
    inherited = {field: root[field] for field in _INHERITED if field in root}
    for rule in delegates:
        match = _conditions(root.get("match") or (), rule.get("match") or ())
        if match is not None:
            yield {**inherited, **rule, "match": match, "name": _joined(root, rule)}


def _joined(root: Rule, delegate: Rule) -> str:
    return "-".join(filter(None, (root.get("name"), delegate.get("name"))))


def _conditions(roots: Sequence[Rule], leaves: Sequence[Rule]) -> list[Rule] | None:
    """Return each pair of conditions that agree as one, None where one of the delegate's agrees with none."""
    if not roots or not leaves:
        return [*roots, *leaves]
    found = [[_both(root, leaf) for root in roots if not _conflict(root, leaf)] for leaf in leaves]
    return [condition for of_leaf in found for condition in of_leaf] if all(found) else None


def _both(root: Rule, leaf: Rule) -> Rule:
    maps = {
        field: {**root.get(field, {}), **leaf.get(field, {})}
        for field in (*_MAPS, "sourceLabels")
        if field in root or field in leaf
    }
    name = _joined(root, leaf)
    return {**root, **leaf, **maps, **({"name": name} if name else {})}


def _conflict(root: Rule, leaf: Rule) -> bool:
    if any(_texts_conflict(root.get(field), leaf.get(field)) for field in _TEXTS):
        return True
    for field in _MAPS:
        texts = root.get(field, {})
        if any(_texts_conflict(texts.get(key), wanted) for key, wanted in leaf.get(field, {}).items()):
            return True
    if bool(root.get("ignoreUriCase")) != bool(leaf.get("ignoreUriCase")):
        return True
    return _places_conflict(root, leaf)


def _places_conflict(root: Rule, leaf: Rule) -> bool:
    """Return whether port, source and gateways of a delegate's condition are other than the root's."""
    if root.get("port") and leaf.get("port") and root["port"] != leaf["port"]:
        return True
    if root.get("sourceNamespace") and leaf.get("sourceNamespace") != root["sourceNamespace"]:
        return True
    labels = leaf.get("sourceLabels", {})
    if any(labels.get(key, value) != value for key, value in root.get("sourceLabels", {}).items()):
        return True
    gateways = set(root.get("gateways", ()))
    return bool(gateways) and not gateways >= set(leaf.get("gateways", ()))


def _texts_conflict(root: Rule | None, leaf: Rule | None) -> bool:
    """Return whether a delegate's text is not among those that the root's matches."""
    if root is None or leaf is None:
        return False
    if root.get("exact"):
        return bool(leaf.get("exact") != root["exact"])
    inner = leaf.get("prefix") or leaf.get("exact")
    return not (root.get("prefix") and inner and inner.startswith(root["prefix"]))
