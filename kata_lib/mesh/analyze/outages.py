"""Requests that no pod answers: which share, who answers, and why, as the callers' sidecars have it.

The other matters' findings go in as well: the cause of an outage is one of theirs, and so is its mend.
"""

from collections.abc import Iterator, Sequence

from kata_lib.cluster.client import Obj
from kata_lib.mesh import http_routes
from kata_lib.mesh.analyze import lines
from kata_lib.mesh.analyze.finding import Choice, Finding, finding
from kata_lib.mesh.analyze.objects import Objects, field_of_rules, newest, rules
from kata_lib.mesh.analyze.services import not_opened, to_target
from kata_lib.mesh.analyze.written import by_version, shares_text
from kata_lib.mesh.destinations import Destination, Pod
from kata_lib.mesh.in_force import InForce
from kata_lib.mesh.routes import Route
from kata_lib.mesh.virtual_services import is_plain
from kata_lib.mesh.weights import destinations
from kata_lib.statistics.shares import percent

_FAILED = 400
_CAUSES = {"IST0101", "IST0173", "KATA0103", "KATA0301", "KATA0302", "KATA0602", "KATA0603"}


def findings(found: Objects, others: Sequence[Finding]) -> Iterator[Finding]:
    """Yield for each Service that callers ask what share of their requests no pod answers."""
    for name, port in found.known.called:
        service = found.service(name)
        if service is None:
            yield _missing(found, name)
        elif port not in [entry["port"] for entry in service["spec"].get("ports") or []]:
            yield _other_port(found, service, port)
    for seen in found.in_force:
        route = seen.route()
        if route is None:
            yield _no_route(found, seen)
        else:
            yield from _answered(found, seen, route)
            yield from _unanswered(found, seen, route, others)
        yield from _refused(found, seen)


def _missing(found: Objects, name: str) -> Finding:
    callers = " and ".join(found.known.callers)
    file = found.known.files.get(("Service", name))
    return finding(
        "KATA0502",
        found.namespace,
        f"There is no Service {name} in namespace {found.name}: every request to it from {callers} fails.",
        seen=f"the Services are {', '.join(found.names()) or 'none'}",
        mend=f"kubectl apply -n {found.name} -f {file}" if file else "",
    )


def _other_port(found: Objects, service: Obj, port: int) -> Finding:
    name, callers = service["metadata"]["name"], " and ".join(found.known.callers)
    there = service["spec"].get("ports") or []
    listed = ", ".join(str(entry["port"]) for entry in there)
    return finding(
        "KATA0502",
        service,
        f"The Service {name} has no port {port}, at which {callers} asks it: every such request fails.",
        seen=f"spec.ports: {listed or 'none'}",
        mend=lines.replaced(service, "spec.ports[0].port", port) if len(there) == 1 else "",
    )


def _no_route(found: Objects, seen: InForce) -> Finding:
    speaker = _speaker(found, seen)
    only = "; ".join(str(route) for route in seen.routes) or "none"
    return finding(
        "KATA0501",
        speaker,
        f"100.0 % of the plain requests to {seen.service} get 404 from {_who(seen)} (flag NR): no rule "
        f"takes them, only those with: {only}.",
        seen=f"spec.{field_of_rules(speaker)}: {len(rules(speaker))} rules, each with a match, and none "
        "without",
        choices=tuple(_defaults(found, seen, speaker)),
    )


def _defaults(found: Objects, seen: InForce, speaker: Obj) -> Iterator[Choice]:
    """Yield what a rule for all others may be; only one that gives the newest version nothing has a line."""
    field, places = field_of_rules(speaker), _places(found, seen, speaker)
    new = newest(sorted({pod.version for pods in places.values() for pod in pods}))
    for place, pods in places.items():
        versions = {pod.version for pod in pods}
        rule = _to(place, seen, speaker)
        line = lines.patch(speaker, {"op": "add", "path": f"/spec/{field}/-", "value": rule})
        safe = new is not None and new not in versions and len(places) > 1
        effect = f"everyone else goes to {place} ({', '.join(sorted(versions)) or 'no pod'})"
        yield Choice(line if safe else "", effect)
    for index, rule in enumerate(rules(speaker)):
        shares = shares_text(by_version(found, destinations(rule)))
        yield Choice("", f"without the match of spec.{field}[{index}] everyone is divided: {shares}")


def _places(found: Objects, seen: InForce, speaker: Obj) -> dict[str, tuple[Pod, ...]]:
    """Return the pods behind each place for one version: a subset, or for an HTTPRoute a Service."""
    if speaker["kind"] != http_routes.KIND:
        return seen.subsets()
    return {
        name: seen.places[name, ""] for name in found.versions_of(seen.service) if (name, "") in seen.places
    }


def _to(place: str, seen: InForce, speaker: Obj) -> Obj:
    """Return a rule that sends every request to one place."""
    if speaker["kind"] == http_routes.KIND:
        return {"backendRefs": [{"name": place, "port": seen.port}]}
    return {"route": [{"destination": {"host": seen.service, "subset": place}}]}


def _answered(found: Objects, seen: InForce, route: Route) -> Iterator[Finding]:
    """Yield what a rule answers in place of the service: a fault on purpose, or a response of its own."""
    status, share = (route.status, 1.0) if route.status else (None, 0.0)
    if route.abort is not None:
        status, share = route.abort.status, route.abort.share
    if status is None or status < _FAILED or not share:
        return
    speaker = _speaker(found, seen)
    place = _answering(speaker, route)
    yield finding(
        "KATA0504",
        speaker,
        f"{percent(share)} of the requests to {seen.service} get {status} from {_who(seen)}, because a "
        "rule says so.",
        seen=place,
        mend=lines.removed(speaker, place) if route.abort is not None else "",
    )


def _answering(speaker: Obj, route: Route) -> str:
    """Return where a rule says that a plain request is answered: an HTTPRoute's sends it to no backend."""
    if speaker["kind"] == http_routes.KIND:
        taken = http_routes.plain_rule([speaker])
        return f"spec.rules[{taken[1] if taken else 0}].backendRefs"
    index = next((i for i, rule in enumerate(rules(speaker)) if is_plain(rule)), 0)
    return f"spec.http[{index}].{'fault' if route.abort is not None else 'directResponse'}"


def _unanswered(found: Objects, seen: InForce, route: Route, others: Sequence[Finding]) -> Iterator[Finding]:
    """Yield a finding for each cause, with the share of all destinations that fail by it."""
    by_cause: dict[tuple[int, str], tuple[Finding | None, list[Destination]]] = {}
    for place in route.destinations:
        if place.status is not None and place.share:
            cause = next((other for other in others if other.code in _CAUSES and _is_of(other, place)), None)
            by_cause.setdefault((place.status, _why(place, cause)), (cause, []))[1].append(place)
    for (status, why), (cause, places) in by_cause.items():
        share = percent(sum(place.share for place in places))
        listed = ", ".join(place.name for place in places)
        yield finding(
            "KATA0502",
            found.service(seen.service) or found.namespace,
            f"{share} of the requests to {seen.service} get {status} from {_who(seen)}: {why}.",
            seen=f"destination {listed}" + (f"; {cause.object}: {cause.seen}" if cause else ""),
            mend=cause.mend if cause else "",
            choices=cause.choices if cause else (),
        )


def _is_of(other: Finding, place: Destination) -> bool:
    """Return whether a finding is about a destination: its subset where it has one, or its Service."""
    if place.subset and other.code != "KATA0103":
        return f'+{place.subset}"' in other.message or f"ubset {place.subset} " in other.message
    return f"Service {place.host} " in other.message or f'"{place.host}"' in other.message


def _why(place: Destination, cause: Finding | None) -> str:
    if cause is not None:
        return cause.message.removesuffix(".")
    if not place.pods:
        return f"it has no destination {place.name}, or no pod of it"
    return f"{place.name} has no ready pod ({', '.join(pod.name for pod in place.pods)})"


def _refused(found: Objects, seen: InForce) -> Iterator[Finding]:
    """Yield that the pods refuse the connection, where one was asked at the port and nothing listened."""
    service = found.service(seen.service)
    for index, port in enumerate(service["spec"].get("ports") or [] if service else []):
        target = port.get("targetPort", port["port"])
        if service is None or (seen.service, target) not in found.refused:
            continue
        opened = not_opened(found, service, port) or []
        lines_of = [to_target(service, index, one) for one in opened]
        yield finding(
            "KATA0503",
            service,
            f"100.0 % of the requests to {seen.service} get 503 (flag UF): its pods are ready, and at port "
            f"{target}, where the Service sends, they refuse the connection.",
            seen=f"spec.ports[{index}].targetPort: {target}; the containers open "
            f"{', '.join(map(str, opened))}",
            mend=lines_of[0] if len(lines_of) == 1 else "",
            choices=tuple(
                Choice(line, f"requests go to {one}") for line, one in zip(lines_of, opened, strict=True)
            )
            if len(lines_of) > 1
            else (),
        )


def _speaker(found: Objects, seen: InForce) -> Obj:
    service = found.service(seen.service)
    return next(iter(found.speaking(service) if service else []), service or found.namespace)


def _who(seen: InForce) -> str:
    return f"the sidecar of {seen.caller}" if seen.caller else "nobody"
