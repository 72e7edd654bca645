"""A route's rules as rules of a VirtualService, and the last thing that is wrong with them."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kata_lib.engines.embedded.mesh.translate.fields import LEAF, Tree
from kata_lib.engines.embedded.mesh.translate.gateway_api import (
    backends,
    cors,
    headers,
    matches,
    mirror,
    redirect,
    rewrite,
    timeouts,
)
from kata_lib.engines.embedded.mesh.translate.gateway_api.backends import Scope
from kata_lib.engines.embedded.mesh.translate.gateway_api.problems import Problem, joined
from kata_lib.engines.embedded.store import Obj

_FILTERS: Tree = {
    "type": LEAF,
    **headers.FIELDS,
    **redirect.FIELDS,
    **rewrite.FIELDS,
    **mirror.FIELDS,
    **cors.FIELDS,
    "extensionRef": LEAF,  # the status says that none is supported
}
FIELDS: Tree = {
    "name": LEAF,
    "matches": [matches.FIELDS],
    "filters": [_FILTERS],
    "backendRefs": [backends.FIELDS],
    "timeouts": timeouts.FIELDS,
}

Rule = dict[str, Any]


@dataclass(frozen=True)
class Converted:
    """The rules, each with one match, and what is wrong; where that takes all away there are no rules."""

    rules: list[Rule]
    problem: Problem | None = None


def of(route: Obj, hostnames: Collection[str], granted: Sequence[Obj] | None = None) -> Converted:
    """Return what a route's rules come to, where `hostnames` are those of Services that are there.

    `granted`: all ReferenceGrants, for callers through a Gateway; those of the mesh need none.
    """
    made: list[Rule] = []
    wrong: Problem | None = None
    try:
        for position, rule in enumerate(route["spec"].get("rules", ())):
            found, problem = _istio(rule, Scope(route["metadata"]["namespace"], hostnames, granted))
            found["name"] = rule.get("name") or _name(route, position)
            wrong = problem or wrong
            made.extend({**found, "match": [matches.istio(match)]} for match in rule.get("matches") or [{}])
    except Problem as problem:
        return Converted([], problem)
    return Converted(made, wrong)


def _name(route: Obj, position: int) -> str:
    metadata = route["metadata"]
    return f"{metadata['namespace']}.{metadata['name']}.{position}"


def _istio(rule: Mapping[str, Any], scope: Scope) -> tuple[Rule, Problem | None]:
    made: Rule = {}
    for field, value in _filters(rule):
        made[field] = {**made[field], **value} if field == "headers" and field in made else value
    made |= timeouts.istio(rule.get("timeouts", {}))
    mirrors, mirror_problem = _mirrors(rule, scope)
    made |= {"mirrors": mirrors} if mirrors else {}
    references = rule.get("backendRefs", ())
    if "redirect" in made:
        return made, mirror_problem
    if not backends.total(references):
        return made | {"directResponse": {"status": 500}}, mirror_problem
    made["route"], problem = backends.istio(references, scope)
    return made, joined(problem, mirror_problem)


def _filters(rule: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the fields of Istio's rule that come of filters, but for mirrors."""
    for given in rule.get("filters", ()):
        match given["type"]:
            case "RequestHeaderModifier" | "ResponseHeaderModifier" as kind:
                direction = headers.DIRECTIONS[kind]
                yield "headers", {direction: headers.istio(given.get(f"{direction}HeaderModifier", {}))}
            case "RequestRedirect":
                yield "redirect", redirect.istio(given["requestRedirect"])
            case "URLRewrite":
                yield "rewrite", rewrite.istio(given["urlRewrite"])
            case "CORS":
                yield "corsPolicy", cors.istio(given["cors"])
            case "RequestMirror":
                continue
            case other:
                raise Problem("InvalidFilter", f'unsupported filter type "{other}"')


def _mirrors(rule: Mapping[str, Any], scope: Scope) -> tuple[list[Rule], Problem | None]:
    """Return the mirrors; one whose backend is none is left out, and the last of them is told."""
    made: list[Rule] = []
    wrong: Problem | None = None
    for given in rule.get("filters", ()):
        if given["type"] == "RequestMirror":
            try:
                made.append(mirror.istio(given["requestMirror"], scope))
            except Problem as problem:
                wrong = problem
    return made, wrong
