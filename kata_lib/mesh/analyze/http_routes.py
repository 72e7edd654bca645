"""HTTPRoutes of the Gateway API: what has no effect, what answers 500, and which of two rules counts."""

from collections.abc import Iterator, Mapping
from typing import Any

from kata_lib.cluster.client import Obj
from kata_lib.mesh import http_routes
from kata_lib.mesh.analyze import lines
from kata_lib.mesh.analyze.finding import Choice, Finding, finding
from kata_lib.mesh.analyze.objects import MESH, Objects, destinations, nearest, rules
from kata_lib.statistics.shares import percent

_GRANT = "gateway.networking.k8s.io/v1beta1"


def findings(found: Objects) -> Iterator[Finding]:
    """Yield what an HTTPRoute's status says against it, and where another rule stands beside one."""
    for route in found.own(found.http_routes):
        yield from _parents(found, route)
        yield from _backends(found, route)
    for service in found.own(found.services):
        yield from _both_kinds(found, service)
        yield from _from_outside(found, service)


def _parents(found: Objects, route: Obj) -> Iterator[Finding]:
    """Yield each parent that does not take the route, as its status says or says nothing of."""
    name = route["metadata"]["name"]
    said = {_reference(entry["parentRef"]): _conditions(entry) for entry in _status(route)}
    for index, parent in enumerate(http_routes.parents(route)):
        conditions = said.get(_reference(parent))
        accepted = (conditions or {}).get("Accepted", {})
        if accepted.get("status") == "True":
            continue
        why = accepted.get("message") or f"no Gateway {parent['name']} is there, so nobody judges it"
        there = found.names() if http_routes.is_service(parent) else []
        meant = nearest(parent["name"], there) if there else ""
        yield finding(
            "KATA0601",
            route,
            f"The HTTPRoute {name} has no effect on requests for {parent['name']}: {why}.",
            seen=f"spec.parentRefs[{index}]; status.parents: {accepted.get('reason', 'no entry')}",
            mend=lines.replaced(route, f"spec.parentRefs[{index}].name", meant) if meant else "",
        )


def _backends(found: Objects, route: Obj) -> Iterator[Finding]:
    """Yield each backend that is not there, or that may not be referred to: its share gets 500."""
    refused = {
        condition["reason"]: condition["message"]
        for entry in _status(route)
        if (condition := _conditions(entry).get("ResolvedRefs", {})).get("status") == "False"
    }
    for number, rule in enumerate(route["spec"].get("rules", ())):
        backends = rule.get("backendRefs", ())
        total = sum(backend.get("weight", 1) for backend in backends)
        for index, backend in enumerate(backends):
            place = f"spec.rules[{number}].backendRefs[{index}]"
            if total and (code := _wrong(found, route, backend, refused)):
                share = percent(backend.get("weight", 1) / total)
                yield _without_backend(found, route, backend, code, place, share)


def _wrong(found: Objects, route: Obj, backend: Obj, refused: Mapping[str, str]) -> str:
    namespace = backend.get("namespace") or route["metadata"]["namespace"]
    if "RefNotPermitted" in refused and f"{backend['name']}/{namespace}" in refused["RefNotPermitted"]:
        return "KATA0603"
    known = backend.get("kind", "Service") != "Service" or found.service(backend["name"], namespace)
    judged = namespace == found.name or found.whole_mesh
    return "KATA0602" if judged and not known else ""


def _without_backend(found: Objects, route: Obj, backend: Obj, code: str, place: str, share: str) -> Finding:
    name, namespace = route["metadata"]["name"], backend.get("namespace") or found.name
    if code == "KATA0603":
        said = f"may not send to {backend['name']} in namespace {namespace}, which grants it nothing"
        mend = lines.applied(_grant(route, backend["name"]), namespace)
    else:
        said = f"sends to {backend['name']}, and there is no such Service"
        meant = nearest(backend["name"], found.names())
        mend = lines.replaced(route, f"{place}.name", meant)
    why = f"The HTTPRoute {name} {said}: it keeps its share, and {share} of the rule's requests get 500."
    return finding(code, route, why, seen=place, mend=mend)


def _grant(route: Obj, name: str) -> Obj:
    asker = {
        "group": "gateway.networking.k8s.io",
        "kind": "HTTPRoute",
        "namespace": route["metadata"]["namespace"],
    }
    spec = {"from": [asker], "to": [{"group": "", "kind": "Service", "name": name}]}
    metadata = {"name": f"{route['metadata']['name']}-{name}"}
    return {"apiVersion": _GRANT, "kind": "ReferenceGrant", "metadata": metadata, "spec": spec}


def _both_kinds(found: Objects, service: Obj) -> Iterator[Finding]:
    """Yield where a VirtualService and an HTTPRoute are for the same callers of a Service."""
    name = service["metadata"]["name"]
    routes = [route for route in found.own(found.http_routes) if _is_for(route, name)]
    virtual = found.own(found.routing(service))
    if not routes or not virtual:
        return
    route, other = routes[0], virtual[0]
    private = "*" not in (other["spec"].get("exportTo") or ["*"])
    counts, idle = (other, route) if private else (route, other)
    yield finding(
        "KATA0604",
        idle,
        f"Both a VirtualService and an HTTPRoute are for requests to {name} from inside the mesh. The "
        f"{counts['kind']} {counts['metadata']['name']} counts, and the {idle['kind']} "
        f"{idle['metadata']['name']} has no effect on them.",
        seen="spec.hosts" if idle is other else "spec.parentRefs",
        choices=(
            Choice(lines.deleted(idle), "nothing changes for requests now, and one rule is left"),
            Choice("", f"without {counts['metadata']['name']} the {idle['kind']} would count"),
        ),
    )


def _from_outside(found: Objects, service: Obj) -> Iterator[Finding]:
    """Yield a split for callers inside that those who come in by a gateway pass by."""
    name = service["metadata"]["name"]
    split = [v for v in found.routing(service) if any(len(r.get("route") or []) > 1 for r in rules(v))]
    split += [r for r in found.own(found.http_routes) if _is_for(r, name) and _splits(r)]
    passing = next(iter(_passing(found, name)), None)
    if not split or passing is None or _is_bound(split[0]):
        return
    rule, gateway = split[0], _gateway(passing)
    yield finding(
        "KATA0605",
        rule,
        f"The {rule['kind']} {rule['metadata']['name']} splits the requests to {name} from inside the mesh "
        f"alone. Those that come in by the gateway {gateway} are sent to {name} as a whole by the "
        f"{passing['kind']} {passing['metadata']['name']}, and spread evenly over its pods.",
        seen=f"{passing['kind']} {passing['metadata']['name']}",
        mend=_same_split(rule, passing, name),
    )


def _passing(found: Objects, name: str) -> Iterator[Obj]:
    """Yield the rules by which requests from outside go to a Service as a whole."""
    for service in found.own(found.virtual_services):
        whole = (d for d in destinations(service) if d.host == name and d.subset is None)
        if _is_bound(service) and any(whole):
            yield service
    for route in found.own(found.http_routes):
        backends = (b for rule in route["spec"].get("rules", ()) for b in rule.get("backendRefs", ()))
        if _is_bound(route) and any(backend["name"] == name for backend in backends):
            yield route


def _is_bound(obj: Obj) -> bool:
    """Return whether a rule is for callers who come in by a gateway."""
    return _gateway(obj) != ""


def _gateway(obj: Obj) -> str:
    if obj["kind"] == http_routes.KIND:
        others = (p["name"] for p in http_routes.parents(obj) if not http_routes.is_service(p))
    else:
        others = (name for name in obj["spec"].get("gateways") or [] if name != MESH)
    return str(next(others, ""))


def _same_split(rule: Obj, passing: Obj, name: str) -> str:
    """Return a line that has those from outside split alike, where both rules are of one kind."""
    if rule["kind"] != passing["kind"]:
        return ""
    kind, parts = ("rules", "backendRefs") if rule["kind"] == http_routes.KIND else ("http", "route")
    split = next(one[parts] for one in rule["spec"][kind] if len(one.get(parts) or []) > 1)
    whole = next(n for n, one in enumerate(passing["spec"][kind]) if name in _targets(one))
    return lines.patch(passing, {"op": "replace", "path": f"/spec/{kind}/{whole}/{parts}", "value": split})


def _targets(rule: Obj) -> list[str]:
    backends = [backend["name"] for backend in rule.get("backendRefs") or []]
    return backends + [entry["destination"]["host"] for entry in rule.get("route") or []]


def _is_for(route: Obj, name: str) -> bool:
    return any(http_routes.is_service(p) and p["name"] == name for p in http_routes.parents(route))


def _splits(route: Obj) -> bool:
    return any(len(rule.get("backendRefs", ())) > 1 for rule in route["spec"].get("rules", ()))


def _status(route: Obj) -> list[Mapping[str, Any]]:
    return route.get("status", {}).get("parents") or []


def _conditions(entry: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {condition["type"]: condition for condition in entry.get("conditions", ())}


def _reference(parent: Mapping[str, Any]) -> tuple[Any, ...]:
    keys = ("group", "kind", "namespace", "name", "sectionName", "port")
    return tuple(parent.get(key) for key in keys)
