"""The JSONPath of printer columns, as far as columns need it; a path in, what finds the first match out.

Fields (`.spec.replicas`, `['a.b']`), list items (`[0]`, `[-1]`, `[*]`) and filters by one comparison
(`[?(@.type=="Ready")]`), after https://kubernetes.io/docs/reference/kubectl/jsonpath/.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any

Selection = Callable[[Any], Iterable[Any]]

_STEP = re.compile(
    r"""\.?\['(?P<quoted>(?:[^'\\]|\\.)*)'\]"""
    r"""|\.?\["(?P<double>(?:[^"\\]|\\.)*)"\]"""
    r"""|\.(?P<field>(?:[^.\[\\*]|\\.)+)"""
    r"""|\.?\[(?P<index>-?\d+)\]"""
    r"""|\.?\[\*?\]|\.(?P<all>\*)"""
    r"""|\[\?\(\s*@(?P<inner>(?:[^=!<>"']|\\.)*?)\s*(?P<operator>==|!=)\s*(?P<value>"[^"]*"|'[^']*'|[^)\s]+)\s*\)\]"""
)


class BadPath(ValueError):
    """A path that is none, or none that is understood here."""


@cache
def compiled(path: str) -> Callable[[Any], Any]:
    """Return what finds the first match of a path in an object, None where there is none; raise BadPath."""
    steps = _steps(path)
    return lambda obj: next(_found(obj, steps), None)


def _steps(path: str) -> list[Selection]:
    steps, position = [], 0
    while position < len(path):
        match = _STEP.match(path, position)
        if not match:
            raise BadPath(f"{path[position:]!r} in {path!r} is not understood")
        steps.append(_step(match))
        position = match.end()
    return steps


def _step(match: re.Match[str]) -> Selection:
    for group in ("quoted", "double", "field"):
        if (name := match[group]) is not None:
            return _field(re.sub(r"\\(.)", r"\1", name))
    if match["index"]:
        return _item(int(match["index"]))
    if match["operator"]:
        inner, wanted = _steps(match["inner"]), match["value"].strip("\"'")
        return _filter(inner, wanted, equal=match["operator"] == "==")
    return _all


def _field(name: str) -> Selection:
    return lambda value: [value[name]] if isinstance(value, dict) and name in value else []


def _item(position: int) -> Selection:
    def item(value: Any) -> Iterable[Any]:
        inside = isinstance(value, list) and -len(value) <= position < len(value)
        return [value[position]] if inside else []

    return item


def _filter(inner: list[Selection], wanted: str, *, equal: bool) -> Selection:
    def chosen(item: Any) -> bool:
        found = next(_found(item, inner), None)
        text = str(found).lower() if isinstance(found, bool) else str(found)
        return found is not None and (text == wanted) is equal

    return lambda value: [item for item in _all(value) if chosen(item)]


def _all(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else []


def _found(value: Any, steps: list[Selection]) -> Iterator[Any]:
    if not steps:
        yield value
        return
    for inner in steps[0](value):
        yield from _found(inner, steps[1:])
