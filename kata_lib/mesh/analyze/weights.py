"""Weights that do not mean what they say, and pods counted where weights were meant."""

import json
from collections.abc import Iterator, Sequence

from kata_lib.cluster.apply import LAST_APPLIED
from kata_lib.cluster.client import Obj
from kata_lib.cluster.hosts import full_name, of_object
from kata_lib.cluster.labels import carries
from kata_lib.mesh import http_routes
from kata_lib.mesh.analyze import lines
from kata_lib.mesh.analyze.finding import Choice, Finding, finding
from kata_lib.mesh.analyze.objects import Objects, hosts, newest, rules
from kata_lib.mesh.analyze.written import by_version, labels_of, raises_newest, shares_text, versions
from kata_lib.mesh.weights import destinations, names, written_weights
from kata_lib.statistics.shares import percent

HALF_PERCENT = 0.005 + 1e-9
"""As far as a share of pods lies from the nearest whole weight."""


def findings(found: Objects) -> Iterator[Finding]:
    """Yield weights that do not total 100 or are those of the pods, and Deployments scaled by hand."""
    for service in found.own(found.virtual_services):
        for number, rule in enumerate(rules(service)):
            route = rule.get("route") or []
            if len(route) > 1:
                yield from _total(found, service, route, f"spec.http[{number}].route")
                yield from _like_pods(found, service, route, f"spec.http[{number}].route")
    for http_route in found.own(found.http_routes):
        for number, rule in enumerate(rules(http_route)):
            at = f"spec.rules[{number}].backendRefs"
            yield from _like_pods(found, http_route, destinations(rule), at)
    for service in found.own(found.services):
        yield from _scaled(found, service)


def kept(weights: Sequence[int], new: int | None) -> list[int]:
    """Return weights that total 100 and keep the shares as they are, to the nearest whole weight.

    new: the index of the newest version, which never gets more than it had; the others share what is over.
    """
    total = sum(weights)
    scaled = [weight * 100 // total for weight in weights]
    largest = max((i for i in range(len(weights)) if i != new), key=lambda i: weights[i])
    scaled[largest] += 100 - sum(scaled)
    return scaled


def _total(found: Objects, service: Obj, route: list[Obj], at: str) -> Iterator[Finding]:
    given = written_weights(route)
    total = sum(given)
    if total in (0, 100):
        return
    named = names(route)
    true = ", ".join(f"{name} {percent(weight / total)}" for name, weight in zip(named, given, strict=True))
    yield finding(
        "KATA0401",
        service,
        f"The weights total {total}, not 100. Istio divides each by the total: the true shares are {true}.",
        seen=f"{at}: {', '.join(f'weight {weight}' for weight in given)}",
        choices=tuple(_choices(found, service, route, at)),
    )


def _choices(found: Objects, service: Obj, route: list[Obj], at: str) -> Iterator[Choice]:
    """Yield what may have been meant: each weight as written and the rest for the other, or what is so now.

    None that gives the newest version more than it has has a line.
    """
    given, now, behind = written_weights(route), by_version(found, route), versions(found, route)
    new = newest(sorted(set(behind)))
    index = behind.index(new) if new is not None else None
    meant = [weights for i in range(len(given)) if (weights := _rest(given, i))]
    stay = kept(given, index)
    for weights in [other for other in meant if other != stay]:
        after = by_version(found, _weighted(route, weights))
        if raises_newest(now, after):
            yield Choice("", f"{shares_text(after)}: more for the newest than the {shares_text(now)} of now")
        else:
            yield Choice(set_line(found, service, route, at, weights), shares_text(after))
    yield Choice(set_line(found, service, route, at, stay), f"{shares_text(now)}, as now")


def _rest(given: Sequence[int], fixed: int) -> list[int]:
    """Return two weights, one as written and the other the rest to 100; [] of more, or over 100."""
    if len(given) != 2 or not 0 < given[fixed] <= 100:
        return []
    return [given[fixed] if i == fixed else 100 - given[fixed] for i in range(2)]


def _weighted(route: list[Obj], weights: Sequence[int]) -> list[Obj]:
    return [{**entry, "weight": weight} for entry, weight in zip(route, weights, strict=True)]


def set_line(found: Objects, service: Obj, route: list[Obj], at: str, weights: Sequence[int]) -> str:
    """Return the line that writes weights: `kata weights` where it is about this host, or a patch."""
    if found.known.weighted and found.known.weighted in _weighted_hosts(service):
        return "kata weights " + " ".join(f"{n}={w}" for n, w in zip(names(route), weights, strict=True))
    steps = [
        {"op": "add", "path": lines.pointer(f"{at}[{i}].weight"), "value": weight}
        for i, weight in enumerate(weights)
    ]
    return lines.patch(service, *steps)


def _weighted_hosts(obj: Obj) -> list[str]:
    """Return the hosts whose weights an object holds: those of a VirtualService, an HTTPRoute's Services."""
    if obj["kind"] != http_routes.KIND:
        return hosts(obj)
    return [parent["name"] for parent in http_routes.parents(obj) if http_routes.is_service(parent)]


def _like_pods(found: Objects, obj: Obj, route: list[Obj], at: str) -> Iterator[Finding]:
    given = written_weights(route)
    if sum(w > 0 for w in given) < 2:
        return
    pods = _pods(found, obj, route)
    chosen = [labels_of(found, entry["destination"]) for entry in route]
    if not pods or not all(chosen):
        return
    named = names(route)
    by_pods = [sum(carries(pod, labels) for pod in pods) / len(pods) for labels in chosen]
    if all(abs(w / sum(given) - share) <= HALF_PERCENT for w, share in zip(given, by_pods, strict=True)):
        said = ", ".join(f"{name} {percent(share)}" for name, share in zip(named, by_pods, strict=True))
        yield finding(
            "KATA0402",
            obj,
            f"The weights are those of the pods ({said}): without the {obj['kind']} the shares would be the "
            "same, so no sample can tell whether it works.",
            seen=f"{at}: {', '.join(f'weight {weight}' for weight in given)}; {len(pods)} pods",
            mend=_unlike_pods(found, obj, route, at),
        )


def _pods(found: Objects, obj: Obj, route: list[Obj]) -> list[Obj]:
    """Return the pods that would share the requests without a rule; [] where it sends to several hosts."""
    asked = {entry["destination"]["host"] for entry in route}
    if obj["kind"] == http_routes.KIND:
        asked = set(_weighted_hosts(obj))
    full = {full_name(host, found.name) for host in asked}
    service = found.service(full.pop()) if len(full) == 1 else None
    return found.pods_behind(service) if service and service in found.own(found.services) else []


def _unlike_pods(found: Objects, service: Obj, route: list[Obj], at: str) -> str:
    """Return the line that gives the newest version a tenth, less than its pods would, or ""."""
    behind = versions(found, route)
    new = newest(sorted(set(behind)))
    if new is None or len(route) != 2:
        return ""
    weights = [10 if version == new else 90 for version in behind]
    raises = raises_newest(by_version(found, route), by_version(found, _weighted(route, weights)))
    return "" if raises else set_line(found, service, route, at, weights)


def _scaled(found: Objects, service: Obj) -> Iterator[Finding]:
    versions = found.deployments_behind(service)
    pods = sum(_replicas(d["spec"]) for d in versions)
    if len(versions) < 2 or pods == 0:
        return
    host = service["metadata"]["name"]
    routed = found.speaking(service)
    for deployment in versions:
        name, now = deployment["metadata"]["name"], _replicas(deployment["spec"])
        applied = _applied(deployment)
        if applied is None or applied == now:
            continue
        back = f"kubectl scale deployment {name} --replicas={applied}"
        if routed:
            yield finding(
                "KATA0404",
                deployment,
                f"{name} was scaled from {applied} to {now}; the shares of {host} stay those of the "
                f"{routed[0]['kind']} {routed[0]['metadata']['name']}, whatever the pods.",
                seen=f"spec.replicas: {now}; last applied: {applied}",
                mend=back,
            )
        else:
            yield finding(
                "KATA0403",
                deployment,
                f"{name} was scaled from {applied} to {now}, which gives it {percent(now / pods)} of the "
                f"requests to {host}, always in steps of a pod; a weight sets any share and needs no pods.",
                seen=f"spec.replicas: {now}; last applied: {applied}; no VirtualService routes "
                f"{of_object(service)}",
                mend="" if _is_newest(versions, deployment) and now < applied else back,
            )


def _is_newest(versions: list[Obj], deployment: Obj) -> bool:
    names_of = [d["metadata"]["name"] for d in versions]
    return newest(names_of) in (None, deployment["metadata"]["name"])


def _replicas(spec: Obj) -> int:
    return int(spec.get("replicas", 1))


def _applied(deployment: Obj) -> int | None:
    """Return the replicas of the file that was last applied, None where none was."""
    text = (deployment["metadata"].get("annotations") or {}).get(LAST_APPLIED)
    return _replicas(json.loads(text)["spec"]) if text else None
