"""Weights that do not mean what they say, and pods counted where weights were meant."""

import json
from collections.abc import Iterator, Sequence

from kata_lib.cluster.apply import LAST_APPLIED
from kata_lib.cluster.client import Obj
from kata_lib.course.steps import CANARY
from kata_lib.mesh import old_weights as mesh
from kata_lib.mesh.analyze.finding import Finding, finding
from kata_lib.mesh.analyze.objects import Objects, carries, full_name, hostname, labels, rules
from kata_lib.statistics.shares import percent

HALF_PERCENT = 0.005 + 1e-9
"""As far as a share of pods lies from the nearest whole weight."""


def findings(found: Objects) -> Iterator[Finding]:
    """Yield weights that do not total 100 or are those of the pods, and Deployments scaled by hand."""
    for service in found.own(found.virtual_services):
        for number, rule in enumerate(rules(service)):
            route = rule.get("route") or []
            if len(route) > 1:
                yield from _total(service, route, f"spec.http[{number}].route")
                yield from _like_pods(found, service, route, f"spec.http[{number}].route")
    for service in found.own(found.services):
        yield from _scaled(found, service)


def completed(weights: Sequence[int]) -> list[int]:
    """Return weights that total 100 and change least of what was written.

    The largest takes the rest to 100, as in 10 and 80; where the others leave it none, all keep their shares.
    """
    largest = max(range(len(weights)), key=lambda i: (weights[i], -i))
    rest = sum(weights) - weights[largest]
    if rest <= 100:
        return [100 - rest if i == largest else weight for i, weight in enumerate(weights)]
    scaled = [weight * 100 // sum(weights) for weight in weights]
    scaled[largest] += 100 - sum(scaled)
    return scaled


def _total(service: Obj, route: list[Obj], at: str) -> Iterator[Finding]:
    given = mesh.written_weights(route)
    total = sum(given)
    if total in (0, 100):
        return
    names = [mesh.destination_name(entry) for entry in route]
    true = ", ".join(f"{name} {percent(weight / total)}" for name, weight in zip(names, given, strict=True))
    yield finding(
        "KATA0401",
        service,
        f"The weights total {total}, not 100. Istio divides each by the total: the true shares are {true}.",
        seen=f"{at}: {', '.join(f'weight {weight}' for weight in given)}",
        mend="kata weights " + " ".join(f"{n}={w}" for n, w in zip(names, completed(given), strict=True)),
    )


def _like_pods(found: Objects, virtual_service: Obj, route: list[Obj], at: str) -> Iterator[Finding]:
    host = route[0]["destination"]["host"]
    service = found.service(host)
    given = mesh.written_weights(route)
    same_host = all(
        full_name(e["destination"]["host"], found.name) == full_name(host, found.name) for e in route
    )
    pods = found.pods_behind(service) if service and service in found.own(found.services) else []
    if not same_host or not pods or sum(w > 0 for w in given) < 2:
        return
    defined = found.subsets(host)
    if any(e["destination"].get("subset") not in defined for e in route):
        return
    names = [mesh.destination_name(entry) for entry in route]
    by_pods = [sum(carries(labels(pod), defined[name]) for pod in pods) / len(pods) for name in names]
    if all(abs(w / sum(given) - share) <= HALF_PERCENT for w, share in zip(given, by_pods, strict=True)):
        said = ", ".join(f"{name} {percent(share)}" for name, share in zip(names, by_pods, strict=True))
        yield finding(
            "KATA0402",
            virtual_service,
            f"The weights are those of the pods ({said}): without the VirtualService the shares would be the "
            "same, so no sample can tell whether it works.",
            seen=f"{at}: {', '.join(f'weight {weight}' for weight in given)}; {len(pods)} pods",
            mend=f"kata weights {names[-1]}=10",
        )


def _scaled(found: Objects, service: Obj) -> Iterator[Finding]:
    versions = found.deployments_behind(service)
    pods = sum(_replicas(d["spec"]) for d in versions)
    if len(versions) < 2 or pods == 0:
        return
    host = service["metadata"]["name"]
    routed = found.routing(service)
    for deployment in versions:
        name, now = deployment["metadata"]["name"], _replicas(deployment["spec"])
        applied = _applied(deployment)
        if applied in (None, now):
            continue
        back = f"kubectl scale deployment {name} --replicas={applied}"
        if routed:
            yield finding(
                "KATA0404",
                deployment,
                f"{name} was scaled from {applied} to {now}; the shares of {host} stay those of the "
                f"VirtualService {routed[0]['metadata']['name']}, whatever the pods.",
                seen=f"spec.replicas: {now}; last applied: {applied}",
                mend=f"{back}   # the share: kata weights",
            )
        else:
            yield finding(
                "KATA0403",
                deployment,
                f"{name} was scaled from {applied} to {now}, which gives it {percent(now / pods)} of the "
                f"requests to {host}, always in steps of a pod; a weight sets any share and needs no pods.",
                seen=f"spec.replicas: {now}; last applied: {applied}; no VirtualService routes "
                f"{hostname(service)}",
                mend=f"{back} && kubectl apply -f {CANARY}",
            )


def _replicas(spec: Obj) -> int:
    return int(spec.get("replicas", 1))


def _applied(deployment: Obj) -> int | None:
    """Return the replicas of the file that was last applied, None where none was."""
    text = (deployment["metadata"].get("annotations") or {}).get(LAST_APPLIED)
    return _replicas(json.loads(text)["spec"]) if text else None
