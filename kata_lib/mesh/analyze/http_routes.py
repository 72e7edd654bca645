"""HTTPRoutes of the Gateway API: what has no effect, what answers 500, and which of two rules counts."""

from collections.abc import Iterator, Mapping
from typing import Any

from kata_lib.cluster.client import Obj
from kata_lib.mesh import http_routes
from kata_lib.mesh.analyze import conditions, lines
from kata_lib.mesh.analyze.finding import Choice, Finding, finding
from kata_lib.mesh.analyze.objects import Objects, nearest
from kata_lib.mesh.analyze.written import by_pods, raises_newest, written_shares
from kata_lib.statistics.shares import percent

_GRANT = "gateway.networking.k8s.io/v1beta1"


def findings(found: Objects) -> Iterator[Finding]:
    """Yield what an HTTPRoute's status says against it, and where another rule stands beside one."""
    for route in found.own(found.http_routes):
        yield from _parents(found, route)
        yield from _backends(found, route)
    for service in found.own(found.services):
        yield from _both_kinds(found, service)


def _parents(found: Objects, route: Obj) -> Iterator[Finding]:
    """Yield each parent that does not take the route, as its status says or says nothing of."""
    name = route["metadata"]["name"]
    said = {_reference(entry["parentRef"]): _conditions(entry) for entry in conditions.of(route)}
    for index, parent in enumerate(http_routes.parents(route)):
        judged = said.get(_reference(parent))
        accepted = (judged or {}).get("Accepted", {})
        if accepted.get("status") == "True":
            continue
        why = accepted.get("message") or f"no Gateway {parent['name']} is there, so nobody judges it"
        line, effect = _mended_parent(found, route, index, accepted.get("reason", ""))
        yield finding(
            "KATA0601",
            route,
            f"The HTTPRoute {name} has no effect on requests for {parent['name']}: {why}.",
            seen=f"spec.parentRefs[{index}]; status.parents: {accepted.get('reason', 'no entry')}",
            mend=line,
            choices=() if line else (Choice("", effect),),
        )


def _mended_parent(found: Objects, route: Obj, index: int, reason: str) -> tuple[str, str]:
    """Return the line that gives a route a parent that takes it, "" where it is for a person; its effect."""
    parent, place = route["spec"]["parentRefs"][index], f"spec.parentRefs[{index}]"
    known = found.names() if http_routes.is_service(parent) else [d["metadata"]["name"] for d in found.doors]
    meant = nearest(parent["name"], known)
    if not http_routes.is_service(parent) and parent["name"] in found.names() and reason == "":
        return _of_service(found, route, index), "the parent is the Service"
    if reason in ("", "NoMatchingParent") and meant != parent["name"]:
        line = lines.replaced(route, f"{place}.name", meant)
        return (line if _is_safe(found, route, meant, parent) else ""), f"the parent is {meant}"
    door = next((d for d in found.doors if d["metadata"]["name"] == parent["name"]), None)
    if door is not None and reason == "NoMatchingParent" and "sectionName" in parent:
        names = [listener["name"] for listener in door["spec"]["listeners"]]
        listener = nearest(parent["sectionName"], names)
        return lines.replaced(route, f"{place}.sectionName", listener), f"the listener is {listener}"
    if door is not None and reason == "NoMatchingListenerHostname":
        return lines.removed(route, "spec.hostnames"), "the route is for every host of the listener"
    return "", f"a Gateway {parent['name']} that takes it, or another parent"


def _of_service(found: Objects, route: Obj, index: int) -> str:
    """Return the line for a parent that is written as a Gateway, which it is without a kind."""
    name = route["spec"]["parentRefs"][index]["name"]
    value = {"group": "", "kind": "Service", "name": name}
    if not _is_safe(found, route, name, {**value}):
        return ""
    return lines.replaced(route, f"spec.parentRefs[{index}]", value)


def _is_safe(found: Objects, route: Obj, name: str, parent: Mapping[str, Any]) -> bool:
    """Return whether a route for a Service gives the newest version no more than the pods' share."""
    service = found.service(name) if http_routes.is_service(parent) else None
    return service is None or not _raises(found, service, route)


def _backends(found: Objects, route: Obj) -> Iterator[Finding]:
    """Yield each backend that is not there, or that may not be referred to: its share gets 500."""
    refused = {
        condition["reason"]: condition["message"]
        for entry in conditions.of(route)
        if (condition := _conditions(entry).get("ResolvedRefs", {})).get("status") == "False"
    }
    for number, rule in enumerate(route["spec"].get("rules", ())):
        backends = rule.get("backendRefs", ())
        total = sum(backend.get("weight", 1) for backend in backends)
        for index, backend in enumerate(backends):
            place = f"spec.rules[{number}].backendRefs[{index}]"
            if total and (wrong := _wrong(found, route, place, backend, refused)):
                share = percent(backend.get("weight", 1) / total)
                code, said, mend = wrong
                name = route["metadata"]["name"]
                why = f"The HTTPRoute {name} {said}: {share} of the rule's requests get 500."
                yield finding(code, route, why, seen=place, mend=mend)


def _wrong(
    found: Objects, route: Obj, place: str, backend: Obj, refused: Mapping[str, str]
) -> tuple[str, str, str] | None:
    """Return the code, the words and the mend for a backend that gets no request; None for one that does."""
    name, namespace = backend["name"], backend.get("namespace") or route["metadata"]["namespace"]
    if "RefNotPermitted" in refused and f"{name}/{namespace}" in refused["RefNotPermitted"]:
        said = f"may not send to the Service {name} in namespace {namespace}, which grants it nothing"
        return "KATA0603", said, lines.applied(_grant(route, name), namespace)
    if backend.get("kind", "Service") != "Service" or not (namespace == found.name or found.whole_mesh):
        return None
    service = found.service(name, namespace)
    if service is None:
        meant = _meant(found, route, name)
        said = f"sends to the Service {name} and there is none"
        return "KATA0602", said, lines.replaced(route, f"{place}.name", meant)
    ports = [port["port"] for port in service["spec"].get("ports") or []]
    if backend.get("port") in ports or not ports:
        return None
    said = f"sends to port {backend.get('port')} of the Service {name} and it has none such"
    return (
        "KATA0602",
        said,
        lines.patch(route, {"op": "add", "path": lines.pointer(f"{place}.port"), "value": ports[0]}),
    )


def _meant(found: Objects, route: Obj, name: str) -> str:
    """Return the Service that a name was meant for: of one version of the parent's, and no backend yet.

    Where all are backends, the one that gets most, so that no version gets requests by mistake.
    """
    parents = [parent["name"] for parent in http_routes.parents(route)]
    known = [part for parent in parents for part in found.versions_of(parent)] or found.names()
    backends = [b for rule in route["spec"].get("rules", ()) for b in rule.get("backendRefs", ())]
    there = [backend for backend in backends if backend["name"] in known]
    free = [other for other in known if other not in [backend["name"] for backend in there]]
    if free or not there:
        return nearest(name, free or known)
    return str(max(there, key=lambda backend: backend.get("weight", 1))["name"])


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
    routes, virtual = found.http_routes_for(name), found.own(found.routing(service))
    if not routes or not virtual:
        return
    route, other = routes[0], virtual[0]
    counts, idle = (route, other) if http_routes.come_before(other) else (other, route)
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


def _raises(found: Objects, service: Obj, rule: Obj) -> bool:
    """Return whether a split gives the newest version more than its part of the pods."""
    return raises_newest(by_pods(found, service), written_shares(found, rule))


def _conditions(entry: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {condition["type"]: condition for condition in entry.get("conditions", ())}


def _reference(parent: Mapping[str, Any]) -> tuple[Any, ...]:
    keys = ("group", "kind", "namespace", "name", "sectionName", "port")
    return tuple(parent.get(key) for key in keys)
