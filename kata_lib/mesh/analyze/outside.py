"""Splits for callers inside the mesh that those who come in by a gateway pass by."""

from collections.abc import Iterator

from kata_lib.cluster.client import Obj
from kata_lib.mesh import http_routes
from kata_lib.mesh.analyze import lines, rollouts
from kata_lib.mesh.analyze.finding import Choice, Finding, finding
from kata_lib.mesh.analyze.objects import MESH, Objects, destinations, flaggers, rules
from kata_lib.mesh.analyze.written import by_pods, raises_newest, shares_text, written_shares

_BY_HAND = "both rules are of one kind, or the one for outside names Services of the versions"


def findings(found: Objects) -> Iterator[Finding]:
    """Yield each rule that splits a Service's requests, and beside which a gateway's sends them on whole."""
    for service in found.own(found.services):
        name = service["metadata"]["name"]
        split = [rule for rule in found.routing(service) if _split(rule)]
        split += [route for route in found.http_routes_for(name) if _split(route)]
        passing = next(iter(_passing(found, name)), None)
        if split and passing is not None and not _gateway(split[0]):
            yield _finding(found, service, split[0], passing)


def _finding(found: Objects, service: Obj, rule: Obj, passing: Obj) -> Finding:
    name = service["metadata"]["name"]
    line, inside = _same_split(rule, passing, name), written_shares(found, rule)
    raises = raises_newest(by_pods(found, service), inside)
    effect = f"those from outside are split as those inside: {shares_text(inside)}" if line else _BY_HAND
    by_one = not line or raises
    return finding(
        "KATA0605",
        rule,
        f"The {rule['kind']} {rule['metadata']['name']} splits the requests to {name} from inside the mesh "
        f"alone. Those that come in by the gateway {_gateway(passing)} are sent to {name} as a whole by the "
        f"{passing['kind']} {passing['metadata']['name']}, and spread evenly over its pods."
        + _moved(found, rule),
        seen=f"{passing['kind']} {passing['metadata']['name']}",
        mend="" if by_one else line,
        choices=(Choice(line, effect),) if by_one else (),
    )


def _moved(found: Objects, rule: Obj) -> str:
    """Return a sentence on the controller that moves a route's weights and no other's, "" for a person."""
    given = (
        f"The Rollout {rollout['metadata']['name']}"
        for rollout in found.own(found.rollouts)
        if rule["kind"] == http_routes.KIND and rollouts.moves(rollout, rule)
    )
    canary = flaggers(rule)
    mover = f"Flagger's Canary {canary}" if canary else next(given, "")
    return f" {mover} moves the weights of the former, and not those of the latter." if mover else ""


def _passing(found: Objects, name: str) -> Iterator[Obj]:
    """Yield the rules by which requests from outside go to a Service as a whole."""
    for service in found.own(found.virtual_services):
        whole = (d for d in destinations(service) if d.host == name and d.subset is None)
        if _gateway(service) and any(whole):
            yield service
    for route in found.own(found.http_routes):
        if _gateway(route) and any(name in _targets(rule) for rule in rules(route)):
            yield route


def _gateway(rule: Obj) -> str:
    """Return the gateway by which a rule's callers come in, "" for one of callers in the mesh alone."""
    if rule["kind"] == http_routes.KIND:
        others = (p["name"] for p in http_routes.parents(rule) if not http_routes.is_service(p))
    else:
        others = (name for name in rule["spec"].get("gateways") or [] if name != MESH)
    return str(next(others, ""))


def _same_split(rule: Obj, passing: Obj, name: str) -> str:
    """Return a line that has those from outside split alike, "" where an HTTPRoute would need subsets."""
    split = _split(rule)
    if rule["kind"] != passing["kind"]:
        if rule["kind"] != http_routes.KIND:
            return ""
        split = [_destination(backend) for backend in split]
    kind, parts = ("rules", "backendRefs") if passing["kind"] == http_routes.KIND else ("http", "route")
    whole = next(number for number, one in enumerate(rules(passing)) if name in _targets(one))
    return lines.patch(passing, {"op": "replace", "path": f"/spec/{kind}/{whole}/{parts}", "value": split})


def _split(rule: Obj) -> list[Obj]:
    """Return the parts of the first of its rules that has several, [] where none has."""
    return next((parts for parts in map(_parts, rules(rule)) if len(parts) > 1), [])


def _parts(rule: Obj) -> list[Obj]:
    return list(rule.get("backendRefs") or rule.get("route") or ())


def _targets(rule: Obj) -> list[str]:
    return [part.get("name") or part["destination"]["host"] for part in _parts(rule)]


def _destination(backend: Obj) -> Obj:
    """Return a backend as a VirtualService writes it."""
    place = {"host": backend["name"], "port": {"number": backend["port"]}}
    return {"destination": place, "weight": backend.get("weight", 1)}
