"""The routing of a release in an HTTPRoute: what routes.py does in a VirtualService's rules.

A version is a Service of its own there, called as the subset is. Defaults are written out, so that what the
API server returns is what was meant.
"""

import re
from collections.abc import Mapping
from typing import Any

from kata_lib.cluster.client import Obj
from kata_lib.delivery.plan import Plan
from kata_lib.delivery.state import ReleaseRouting
from kata_lib.delivery.steps import HeaderRoute
from kata_lib.mesh import http_routes

_MIRROR = "RequestMirror"


def rules(written: list[Obj], plan: Plan, routing: ReleaseRouting) -> list[Obj]:
    """Return an HTTPRoute's rules with this routing in them; MeshError where none takes plain requests."""
    names = {step.name for step in plan.steps if isinstance(step, HeaderRoute)}
    kept = [dict(rule) for rule in written if rule.get("name") not in names]
    index = http_routes.plain_index(kept)
    main = kept[index] = _weighted(kept[index], plan, routing)
    port = main["backendRefs"][0]["port"]
    return [_testers(plan, route, port) for route in routing.headers] + kept


def _weighted(rule: Obj, plan: Plan, routing: ReleaseRouting) -> Obj:
    wanted = {plan.stable: 100 - routing.weight, plan.canary: routing.weight}
    there: list[Obj] = rule["backendRefs"]
    named = {backend["name"] for backend in there}
    port = there[0]["port"]
    entries = there + [_backend(name, port) for name in wanted if name not in named]
    main = {**rule, "backendRefs": [{**entry, "weight": wanted.get(entry["name"], 0)} for entry in entries]}
    filters = [one for one in rule.get("filters", ()) if one["type"] != _MIRROR]
    if routing.mirror:
        copied = {"backendRef": _backend(plan.canary, port), "percent": routing.mirror}
        filters.append({"type": _MIRROR, "requestMirror": copied})
    main.pop("filters", None)
    return main | ({"filters": filters} if filters else {})


def _testers(plan: Plan, route: HeaderRoute, port: int) -> Obj:
    match: Mapping[str, Any] = {
        "path": {"type": "PathPrefix", "value": "/"},
        "headers": [_header(route)],
    }
    backend = {**_backend(plan.canary, port), "weight": 1}
    return {"name": route.name, "matches": [match], "backendRefs": [backend]}


def _header(route: HeaderRoute) -> Obj:
    """Return a header's match; of prefixes the Gateway API knows none, but expressions, of the whole text."""
    kind, value = "RegularExpression", route.value
    if route.kind == "exact":
        kind = "Exact"
    elif route.kind == "prefix":
        value = f"{re.escape(route.value)}.*"
    return {"type": kind, "name": route.header, "value": value}


def _backend(name: str, port: int) -> Obj:
    return {"group": "", "kind": "Service", "name": name, "port": port}
