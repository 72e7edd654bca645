"""Subsets of a DestinationRule, the pods that they select, and who uses them."""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import replace

from kata_lib.cluster import labels
from kata_lib.cluster.client import Obj
from kata_lib.cluster.hosts import full_name
from kata_lib.cluster.labels import as_selector, carries
from kata_lib.cluster.pods import is_ready
from kata_lib.mesh.analyze import lines
from kata_lib.mesh.analyze.finding import Choice, Finding, finding
from kata_lib.mesh.analyze.objects import Objects, destinations, nearest, subsets
from kata_lib.mesh.analyze.written import raises_newest, shares_text, written_shares


def findings(found: Objects) -> Iterator[Finding]:
    """Yield subsets without pods or users, and Deployments that are in none."""
    weights: dict[tuple[str, str | None], int] = {}
    for virtual_service in found.virtual_services:
        for destination in destinations(virtual_service):
            key = full_name(destination.host, virtual_service["metadata"]["namespace"]), destination.subset
            weights[key] = weights.get(key, 0) + destination.weight
    for rule in found.own(found.destination_rules):
        host = rule["spec"]["host"]
        service = found.service(host)
        if service is None:
            if found.judges(host):
                yield _unknown_host(found, rule)
            continue
        for index, subset in enumerate(subsets(rule)):
            at = f"spec.subsets[{index}]"
            weight = weights.get((full_name(host, found.name), subset["name"]))
            if service in found.own(found.services):
                yield from _pods(found, rule, service, subset, at, asked=bool(weight))
            if weight is None:
                yield _unused(rule, subset, at, bool(found.routing(service)))
        yield from _outside(found, rule, service)
        yield from _swapped(found, rule, service)


def _unknown_host(found: Objects, rule: Obj) -> Finding:
    host = rule["spec"]["host"]
    return finding(
        "IST0174",
        rule,
        f"The host {host} defined in the DestinationRule does not match any services in the mesh.",
        seen="spec.host",
        mend=lines.replaced(rule, "spec.host", nearest(host, found.names())),
    )


def _pods(found: Objects, rule: Obj, service: Obj, subset: Obj, at: str, *, asked: bool) -> Iterator[Finding]:
    """Yield that a subset has no pod; what istioctl does not say counts only where requests go there."""
    name, wanted, host = subset["name"], subset.get("labels") or {}, rule["spec"]["host"]
    selected = [pod for pod in found.pods_behind(service) if carries(pod, wanted)]
    if any(is_ready(pod) for pod in selected):
        return
    elsewhere = not selected and any(carries(pod, wanted) for pod in found.pods)
    if (selected or elsewhere) and not asked:
        return
    if elsewhere and not found.pods_behind(service):
        return  # it is the Service that selects none
    seen = f"{at}.labels: {as_selector(wanted)}"
    mend = _mending(found, service, rule, at)
    if selected:
        code, message = "KATA0302", f"The subset {name} has no ready pod: requests to it get 503 (flag UH)."
        seen += f"; not ready: {', '.join(pod['metadata']['name'] for pod in selected)}"
        mend = ""
        seen += f" (`kubectl describe pods -l {as_selector(wanted)}` says why)"
    elif elsewhere:
        code, message = (
            "KATA0301",
            f"The subset {name} selects no pod of {host}, though one of another service: requests to it get "
            "503 (flag UH).",
        )
    else:
        code, message = (
            "IST0173",
            f"The Subset {name} defined in the DestinationRule does not select any pods. Which may lead to "
            "503 UH (NoHealthyUpstream).",
        )
    yield finding(code, rule, message, seen=seen, mend=mend)


def _mending(found: Objects, service: Obj, rule: Obj, at: str) -> str:
    """Return the line that brings a subset and pods together which no subset selects yet."""
    subset = _at(rule, at)
    wanted = subset.get("labels") or {}
    taken = [other for other in found.subsets(service["metadata"]["name"]).values() if other != wanted]
    there = found.deployments_behind(service)
    asleep = [d for d in there if carries(d["spec"]["template"], wanted) and not found.pods_of(d)]
    if len(asleep) == 1:
        return f"kubectl scale deployment {asleep[0]['metadata']['name']} --replicas=1"
    free = [d for d in there if not any(carries(d["spec"]["template"], other) for other in taken)]
    if len(free) != 1 or not found.pods_of(free[0]):
        return ""
    own = labels.of(free[0]["spec"]["template"])
    if any(key not in own for key in wanted):
        return lines.merged(free[0], {"spec": {"template": {"metadata": {"labels": wanted}}}})
    return lines.replaced(rule, f"{at}.labels", {key: own[key] for key in wanted})


def _at(rule: Obj, at: str) -> Obj:
    return subsets(rule)[int(at.removeprefix("spec.subsets[").removesuffix("]"))]


def _unused(rule: Obj, subset: Obj, at: str, routed: bool) -> Finding:
    host = rule["spec"]["host"]
    why = (
        "no route of the VirtualService names it" if routed else f"no VirtualService routes {host} by subsets"
    )
    return finding(
        "KATA0303",
        rule,
        f"Nothing sends requests to the subset {subset['name']}: {why}.",
        seen=f"{at}.name",
        mend=_without(rule, at),
    )


def _without(rule: Obj, at: str) -> str:
    """Return a line that removes a subset, and with the last one the DestinationRule's list of them."""
    return lines.removed(rule, at if len(subsets(rule)) > 1 else "spec.subsets")


def _outside(found: Objects, rule: Obj, service: Obj) -> Iterator[Finding]:
    defined = found.subsets(rule["spec"]["host"])
    if not subsets(rule) or service not in found.own(found.services):
        return
    for deployment in found.deployments_behind(service):
        there = labels.of(deployment["spec"]["template"])
        if any(carries(deployment["spec"]["template"], wanted) for wanted in defined.values()):
            continue
        name = deployment["metadata"]["name"]
        keys = sorted({key for wanted in defined.values() for key in wanted})
        lacking = [key for key in keys if key not in there]
        has = (
            f"has no label {', '.join(lacking)}"
            if lacking
            else f"has {as_selector({k: there[k] for k in keys})}"
        )
        yield finding(
            "KATA0304",
            deployment,
            f"The template of {name} {has}, so its pods are in no subset of {rule['spec']['host']} and get "
            "no request that is routed by subsets.",
            seen=f"spec.template.metadata.labels: {as_selector(there)}",
            mend=_inside(found, rule, service, deployment, lacking),
        )


def _swapped(found: Objects, rule: Obj, service: Obj) -> Iterator[Finding]:
    """Yield that subsets are named after one version of the pods and select another."""
    there = sorted({labels.of(pod).get("version", "") for pod in found.pods_behind(service)} - {""})
    meant: dict[int, str] = {}
    for index, subset in enumerate(subsets(rule)):
        own = (subset.get("labels") or {}).get("version")
        named = next((version for version in there if subset["name"].endswith(version)), "")
        if own in there and named not in ("", own):
            meant[index] = named
    if not meant:
        return
    listed = ", ".join(
        f"{subsets(rule)[i]['name']} selects {subsets(rule)[i]['labels']['version']}" for i in meant
    )
    line, effect = _renamed(found, rule, service, meant)
    yield finding(
        "KATA0305",
        rule,
        f"Subsets are named after one version and select another ({listed}): a weight by that name is "
        "another version's.",
        seen=", ".join(f"spec.subsets[{index}].labels" for index in meant),
        mend=line,
        choices=() if line else (Choice("", effect),),
    )


def _renamed(found: Objects, rule: Obj, service: Obj, meant: Mapping[int, str]) -> tuple[str, str]:
    """Return the line that gives subsets the labels of their names ("" where that is unsafe), its effect."""
    changed = copy.deepcopy(rule)
    for index, version in meant.items():
        subsets(changed)[index]["labels"]["version"] = version
    rules = [changed if other is rule else other for other in found.destination_rules]
    speaks = next(iter(found.routing(service)), None)
    before = written_shares(found, speaks) if speaks else {}
    after = written_shares(replace(found, destination_rules=rules), speaks) if speaks else {}
    effect = f"with the labels of their names: {shares_text(after)}, now {shares_text(before)}"
    if raises_newest(before, after):
        return "", effect
    steps = [
        {"op": "replace", "path": f"/spec/subsets/{index}/labels/version", "value": version}
        for index, version in meant.items()
    ]
    return lines.patch(rule, *steps), effect


def _inside(found: Objects, rule: Obj, service: Obj, deployment: Obj, lacking: list[str]) -> str:
    """Return the line that puts a Deployment into the one subset that waits for pods, or into one of its own.

    Of its own gets no request until a route names it.
    """
    waiting = [
        wanted
        for wanted in found.subsets(rule["spec"]["host"]).values()
        if not any(carries(pod, wanted) for pod in found.pods_behind(service))
    ]
    if lacking and len(waiting) == 1:
        return lines.merged(deployment, {"spec": {"template": {"metadata": {"labels": waiting[0]}}}})
    own = labels.of(deployment["spec"]["template"])
    if lacking or "version" not in own:
        return ""
    subset = {"name": deployment["metadata"]["name"], "labels": {"version": own["version"]}}
    return lines.patch(rule, {"op": "add", "path": "/spec/subsets/-", "value": subset})
