"""For whom a VirtualService speaks, and which of its rules are ever used."""

import json
from collections.abc import Iterator

from kata_lib.cluster.client import Obj
from kata_lib.cluster.hosts import DOMAIN, full_name, of_object
from kata_lib.mesh.analyze import lines
from kata_lib.mesh.analyze.destinations import definition
from kata_lib.mesh.analyze.finding import Choice, Finding, finding
from kata_lib.mesh.analyze.objects import MESH, Objects, destinations, hosts, in_mesh, nearest, rules
from kata_lib.mesh.analyze.written import by_pods, raises_newest, shares_text, written_shares


def findings(found: Objects) -> Iterator[Finding]:
    """Yield why a VirtualService, or one of its rules, does not do what it seems to do."""
    for virtual_service in found.own(found.virtual_services):
        if in_mesh(virtual_service):
            yield from _hosts(found, virtual_service)
        else:
            yield from _gateways_only(found, virtual_service)
        yield from _rules(virtual_service)
    yield from _conflicts(found)
    yield from _elsewhere(found)


def _hosts(found: Objects, virtual_service: Obj) -> Iterator[Finding]:
    name = virtual_service["metadata"]["name"]
    targets = list(dict.fromkeys(d.host for d in destinations(virtual_service) if d.word == "host"))
    for index, host in enumerate(hosts(virtual_service)):
        if (service := found.service(host)) is not None:
            code = "KATA0202"
            meant = _meant_for_another(found, virtual_service, service, targets)
            said = f"sends the requests for {host} to {meant}; requests to {meant} itself"
        elif found.judges(host):
            code = "KATA0201"
            meant = next((t for t in targets if found.service(t)), nearest(host, found.names()))
            said = f"is for {host}, and there is no such Service: requests to {meant}"
        else:
            continue
        if meant:
            yield finding(
                code,
                virtual_service,
                f"The VirtualService {name} {said} are still spread evenly over its pods.",
                seen=f"spec.hosts[{index}]",
                mend=lines.replaced(virtual_service, f"spec.hosts[{index}]", meant),
            )


def _meant_for_another(found: Objects, virtual_service: Obj, service: Obj, targets: list[str]) -> str:
    """Return the host whose subsets get all requests for this Service, and that no VirtualService routes."""
    by_subset = any(destination.subset for destination in destinations(virtual_service))
    if not by_subset or of_object(service) in (full_name(target, found.name) for target in targets):
        return ""
    return next((t for t in targets if (other := found.service(t)) and not found.routing(other)), "")


def _gateways_only(found: Objects, virtual_service: Obj) -> Iterator[Finding]:
    named = [host for host in hosts(virtual_service) if found.service(host)]
    if named:
        yield finding(
            "KATA0204",
            virtual_service,
            f"The VirtualService {virtual_service['metadata']['name']} is for gateways alone: the sidecars, "
            f"and with them all requests to {named[0]} from inside the mesh, take no notice of it.",
            seen=f"spec.gateways: {', '.join(virtual_service['spec']['gateways'])}",
            mend=lines.patch(virtual_service, {"op": "add", "path": "/spec/gateways/-", "value": MESH}),
        )


def _conflicts(found: Objects) -> Iterator[Finding]:
    for service in found.own(found.services):
        both = found.own(found.routing(service))
        names = ",".join(f"{v['metadata']['namespace']}/{v['metadata']['name']}" for v in both)
        for virtual_service in both if len(both) > 1 else []:
            yield finding(
                "IST0109",
                virtual_service,
                f"The VirtualServices {names} associated with mesh gateway define the same host "
                f"*/{of_object(service)} which can lead to undefined behavior. This can be fixed by merging "
                "the conflicting VirtualServices into a single resource.",
                seen=f"spec.hosts; the oldest counts: {both[0]['metadata']['name']}",
                choices=tuple(_without(found, service, both, one) for one in both),
            )


def _without(found: Objects, service: Obj, both: list[Obj], one: Obj) -> Choice:
    """Return what deleting one of several VirtualServices for a host does: the oldest left counts then."""
    now, then = both[0], next(other for other in both if other is not one)
    name = one["metadata"]["name"]
    if now is then:
        return Choice(lines.deleted(one), f"{now['metadata']['name']} goes on alone: nothing changes now")
    before, after = written_shares(found, now), written_shares(found, then)
    effect = f"{then['metadata']['name']} counts then: {shares_text(after)}, now {shares_text(before)}"
    return Choice("" if raises_newest(before, after) else lines.deleted(one), f"without {name} {effect}")


def _elsewhere(found: Objects) -> Iterator[Finding]:
    """Yield VirtualServices that were meant for this namespace: their host is here and nothing routes it."""
    for virtual_service in found.virtual_services:
        namespace, name = virtual_service["metadata"]["namespace"], virtual_service["metadata"]["name"]
        if namespace == found.name or not found.whole_mesh:
            continue
        for host in hosts(virtual_service):
            service = found.service(host) if "." not in host else None
            if service and not found.routing(service) and not found.service(host, namespace):
                yield finding(
                    "KATA0203",
                    virtual_service,
                    f"The VirtualService {name} in namespace {namespace} is for "
                    f"{host}.{namespace}.{DOMAIN}, which is not there; the Service {host} is in "
                    f"{found.name}.",
                    seen=f"metadata.namespace: {namespace}",
                    mend=_applied_here(found, virtual_service, service),
                )


def _applied_here(found: Objects, virtual_service: Obj, service: Obj) -> str:
    """Return the line that applies it in this namespace, with the subsets that it names.

    "" where it would give the newest version more than its pods do.
    """
    host = service["metadata"]["name"]
    named = {destination.subset for destination in destinations(virtual_service)} - {None}
    defined = named <= found.subsets(host).keys()
    subsets = "" if defined else definition(found, virtual_service, host)
    if not (defined or subsets) or raises_newest(
        by_pods(found, service), _meant(found, service, virtual_service)
    ):
        return ""
    return " && ".join(filter(None, [subsets, lines.applied(virtual_service, found.name)]))


def _meant(found: Objects, service: Obj, virtual_service: Obj) -> dict[str, float]:
    """Return the shares that it asks for by version, where a subset is named after one."""
    meant: dict[str, float] = {}
    for name, share in written_shares(found, virtual_service).items():
        version = next((version for version in by_pods(found, service) if name.endswith(version)), name)
        meant[version] = meant.get(version, 0.0) + share
    return meant


def _rules(virtual_service: Obj) -> Iterator[Finding]:
    """Yield the rules and matches that earlier ones leave nothing to, as Istio's own validation does."""
    first_with: dict[str, int] = {}
    all_taken: int | None = None
    for number, rule in enumerate(rules(virtual_service)):
        matches = rule.get("match") or []
        if all_taken is not None:
            last = "only the last rule can have no matches"
            reason = "route without matches defined before" if matches else last
            yield _unreachable(virtual_service, number, reason)
        elif not matches:
            all_taken = number
        else:
            repeated = 0
            for index, match in enumerate(matches):
                condition = json.dumps({k: v for k, v in match.items() if k != "name"}, sort_keys=True)
                if condition in first_with:
                    repeated += 1
                    yield _ineffective(virtual_service, number, index, first_with[condition])
                else:
                    first_with[condition] = number
            if repeated == len(matches):
                yield _unreachable(virtual_service, number, "all matches used by prior rules")


def _unreachable(virtual_service: Obj, number: int, reason: str) -> Finding:
    return finding(
        "IST0130",
        virtual_service,
        f"VirtualService rule {_label(rules(virtual_service)[number], number)} not used ({reason}).",
        seen=f"spec.http[{number}]: the rules are tried in the order of the file",
        mend=lines.removed(virtual_service, f"spec.http[{number}]"),
    )


def _ineffective(virtual_service: Obj, number: int, index: int, earlier: int) -> Finding:
    listed = rules(virtual_service)
    return finding(
        "IST0131",
        virtual_service,
        f"VirtualService rule {_label(listed[number], number)} match "
        f"{_label(listed[number]['match'][index], index)} is not used (duplicate/overlapping match in rule "
        f"{_label(listed[earlier], earlier)}).",
        seen=f"spec.http[{number}].match[{index}]",
        mend=lines.removed(virtual_service, f"spec.http[{number}].match[{index}]"),
    )


def _label(named: Obj, number: int) -> str:
    return f'"{named["name"]}"' if named.get("name") else f"#{number}"
