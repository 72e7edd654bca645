"""Why the requests to name do not go where a step wants them, and the line that mends it.

What is written is looked at, then what is in force. What would give a new version more than the step asks is
mended first: what comes after (a Deployment, a Service, a sidecar) would bring it into force.
"""

import json
from collections.abc import Iterator, Mapping

from kata_lib.cluster.apply import LAST_APPLIED
from kata_lib.cluster.client import Obj
from kata_lib.cluster.cluster import Cluster
from kata_lib.course import originals, restoring, service
from kata_lib.course.mistake import Mistake, of_finding
from kata_lib.course.steps import CANARY, CANARY_V3, PROMOTE, V1, V2, V3
from kata_lib.course.wanted import Shares, WantedRouting, same
from kata_lib.mesh import analyze, http_routes
from kata_lib.mesh.analyze import Choice, Objects, lines
from kata_lib.mesh.analyze.written import plain_route, raises_newest, shares_text, versions, written_shares
from kata_lib.mesh.virtual_services import ISTIO
from kata_lib.mesh.weights import names, speaker

_SERVICE, _DEPLOYMENT = "Service", "Deployment"
_DECIDING = {
    (_SERVICE, "age"): f"{V1}/age.yaml",
    (_SERVICE, "name"): f"{V1}/name.yaml",
    (_DEPLOYMENT, "age"): f"{V1}/age.yaml",
    (_DEPLOYMENT, "name-v1"): f"{V1}/name-v1.yaml",
    (_DEPLOYMENT, "name-v2"): f"{V2}/name-v2.yaml",
    (_DEPLOYMENT, "name-v3"): f"{V3}/name-v3.yaml",
    (_DEPLOYMENT, "sentences"): f"{V1}/sentences.yaml",
}
_NOT_FOLLOWED = ("KATA0202", "KATA0203", "KATA0204")
"""Warnings of an analysis that tell why a VirtualService does nothing for the host of the step."""


def unsafe(cluster: Cluster, wanted: WantedRouting) -> Iterator[Mistake]:
    """Yield what is written, or is not, so that the newest version would get more than the step asks."""
    found = analyze.read(cluster, service.known())
    written = speaker(cluster, service.NAME)
    if written is None or raises_newest(wanted.shares, _meant(written_shares(found, written), wanted)):
        yield from _written(cluster, wanted, found, written)


def _meant(shares: Shares, wanted: WantedRouting) -> dict[str, float]:
    """Return shares with a subset that nobody defines taken for the version that its name ends with."""
    meant: dict[str, float] = {}
    for name, share in shares.items():
        version = next((version for version in wanted.shares if name.endswith(version)), name)
        meant[version] = meant.get(version, 0.0) + share
    return meant


def mistakes(cluster: Cluster, wanted: WantedRouting) -> Iterator[Mistake]:
    """Yield why requests do not go where the step wants: from what is written, then what is in force."""
    found = analyze.read(cluster, service.known())
    written = speaker(cluster, service.NAME)
    if wanted.file:
        yield from _written(cluster, wanted, found, written)
    by_route = written is not None and written["kind"] == http_routes.KIND
    yield from _in_force(cluster, wanted, found, {} if by_route else wanted.files())


def unanswered(cluster: Cluster) -> Iterator[Mistake]:
    """Yield why requests are answered by no pod, wherever they should go."""
    yield from _causes(cluster, {}, analyze.read(cluster, service.known()), only_outages=True)


def retries(cluster: Cluster) -> Iterator[Mistake]:
    """Yield that a rule tries failed requests again, so that callers see other shares and fewer failures."""
    yield from (of_finding(found) for found in service.analysis(cluster).findings if found.code == "KATA0406")


def without(cluster: Cluster, version: str) -> str:
    """Return the line that sends a version no request any more, "" where none goes there by weight."""
    found = analyze.read(cluster, service.known())
    written = speaker(cluster, service.NAME)
    shares = written_shares(found, written) if written else {}
    if written is None or not shares.get(version) or len(shares) < 2:
        return ""
    others = {other: share for other, share in shares.items() if other != version}
    return _set_weights(found, written, {other: 1 / len(others) for other in others})


def _written(
    cluster: Cluster, wanted: WantedRouting, found: Objects, written: Obj | None
) -> Iterator[Mistake]:
    if written is None:
        yield _nobody_speaks(cluster, wanted, found)
        return
    shares = written_shares(found, written)
    if same(shares, wanted.shares):
        return
    host = found.service(service.NAME)
    others = [one for one in found.own(found.routing(host)) if _name(one) != _name(written)] if host else []
    if written["kind"] == http_routes.KIND:
        yield _of_route(wanted, found, written)
        return
    if others:
        yield _two_speak(wanted, found, [written, *others])
        return
    restored = _restored(cluster, wanted) if _name(written) == service.NAME else ""
    line = restored if _labels_swapped(found) else _set_weights(found, written, wanted.shares) or restored
    kinds = ("VirtualService", "DestinationRule")
    errors = [f for f in analyze.findings(found) if f.severity == "Error" and f.object.startswith(kinds)]
    if errors and restored:
        yield of_finding(errors[0], restored)
    else:
        yield _weights(wanted, found, written, line)


def _of_route(wanted: WantedRouting, found: Objects, written: Obj) -> Mistake:
    """Return what is wrong with an HTTPRoute: a parent or a backend that is not there, or its weights."""
    own = f"HTTPRoute {found.name}/{_name(written)}"
    errors = [f for f in analyze.findings(found) if f.severity == "Error" and f.object == own]
    if errors:
        return of_finding(errors[0])
    return _weights(wanted, found, written, _set_weights(found, written, wanted.shares))


def _nobody_speaks(cluster: Cluster, wanted: WantedRouting, found: Objects) -> Mistake:
    there = cluster.get(ISTIO, "VirtualService", service.NAME) is not None
    as_it_is = f"kubectl apply -f {wanted.file}" if _says(wanted, found) and not there else ""
    line = as_it_is or _restored(cluster, wanted) or restoring.applied(wanted.file)
    for finding in analyze.findings(found):
        if finding.code == "KATA0403" and not wanted.scaled:
            return of_finding(finding, " && ".join(filter(None, [finding.mend, line])))
        if finding.code == "KATA0203":
            return of_finding(finding, restoring.applied(wanted.file, namespace=cluster.namespace))
        if finding.code in ("KATA0201", *_NOT_FOLLOWED):
            return of_finding(finding, line)
    return Mistake(
        f"No VirtualService routes {service.NAME} in namespace {cluster.namespace}: requests are spread "
        "evenly over its pods. Was the file applied?",
        line,
    )


def _two_speak(wanted: WantedRouting, found: Objects, both: list[Obj]) -> Mistake:
    """Return that several VirtualServices speak for the host: a person says which of them goes."""
    now = written_shares(found, both[0])
    choices = []
    for one in both:
        left = written_shares(found, next(other for other in both if other is not one))
        limit = {
            name: max(now.get(name, 0.0), wanted.shares.get(name, 0.0)) for name in {*now, *wanted.shares}
        }
        line = "" if raises_newest(limit, left) else lines.deleted(one)
        choices.append(Choice(line, f"then requests go as the other says: {shares_text(left)}"))
    choices.sort(key=lambda choice: not choice.line)
    listed = " and ".join(map(_name, both))
    return Mistake(
        f"The VirtualServices {listed} both speak for {service.NAME}; the oldest counts, "
        f"{_name(both[0])}: {shares_text(now)}. This step wants {shares_text(wanted.shares)} (IST0109).",
        choices=tuple(choices),
    )


def _weights(wanted: WantedRouting, found: Objects, written: Obj, line: str) -> Mistake:
    name, shares = f"{written['kind']} {_name(written)}", written_shares(found, written)
    said = f"{shares_text(shares)}; this step wants {shares_text(wanted.shares)}"
    if written["kind"] != http_routes.KIND and _not_applied(written, wanted, found):
        return Mistake(
            f"The {name} has {said}, and so says {wanted.file}. {_last(written)} was "
            "applied last: was the file edited, and not applied again?",
            f"kubectl apply -f {wanted.file}",
        )
    values = [wanted.shares.get(version) for version in shares]
    if len(shares) == 2 and list(shares.values()) == values[::-1]:
        return Mistake(f"{_swapped(found, written)}: {said}.", line)
    totals = [f.message for f in analyze.findings(found) if f.code == "KATA0401"]
    text = " ".join([f"The weights in the {name} make {said}.", *totals])
    if line:
        return Mistake(text, line)
    instead = f"{restoring.applied(wanted.file)} && {lines.deleted(written)}"
    return Mistake(
        text,
        choices=(
            Choice(instead, f"the step's rules take the place of {_name(written)}, whose own rules go"),
        ),
    )


def _swapped(found: Objects, written: Obj) -> str:
    if labels := _labels_swapped(found):
        return f"The labels of the DestinationRule are swapped: {labels}"
    return f"The weights in the {written['kind']} {_name(written)} are swapped"


def _labels_swapped(found: Objects) -> str:
    """Return which subsets' names speak of another version than their labels, "" where none does."""
    by_name = {name: labels.get("version", "") for name, labels in found.subsets(service.NAME).items()}
    return ", ".join(
        f"the subset {name} has version {own}"
        for name, own in by_name.items()
        if any(name.endswith(other) for other in by_name.values() if other not in ("", own))
    )


def _set_weights(found: Objects, written: Obj, wanted: Shares) -> str:
    """Return the line that sets the weights; "" where a version has not one destination in the rule."""
    route = plain_route(written)
    behind = versions(found, route)
    if sorted(behind) != sorted(set(behind)) or not {v for v in wanted if wanted[v]} <= set(behind):
        return ""
    if not route or not set(_hosts(route)) <= {service.NAME, *found.versions_of(service.NAME)}:
        return ""
    pairs = zip(names(route), behind, strict=True)
    return "kata weights " + " ".join(f"{name}={wanted.get(v, 0.0) * 100:.0f}" for name, v in pairs)


def _hosts(route: list[Obj]) -> list[str]:
    return [entry["destination"]["host"].partition(".")[0] for entry in route]


def _restored(cluster: Cluster, wanted: WantedRouting) -> str:
    """Return the line that brings back the first of the step's routing objects that differs, or ""."""
    for key, file in wanted.files().items():
        if restoring.differs(cluster, *key, file=file):
            return restoring.line(cluster, *key, file=file)
    return ""


def _in_force(
    cluster: Cluster, wanted: WantedRouting, found: Objects, files: Mapping[tuple[str, str], str]
) -> Iterator[Mistake]:
    """Yield why what is in force differs from what the step wants, although the weights are written so."""
    seen = next((seen for seen in found.in_force if seen.service == service.NAME), None)
    outages = any(finding.code.startswith("KATA05") for finding in analyze.findings(found))
    if seen is not None and not outages and same(seen.versions, wanted.shares):
        return
    yield from _causes(cluster, files, found)
    said = str(seen) if seen else f"There is no Service {service.NAME}."
    others = [r for r in found.rules_for(service.NAME) if r["metadata"]["name"] not in wanted.rules]
    yield Mistake(
        f"{said} This step wants {shares_text(wanted.shares)}. The workshop's objects are as it brought "
        "them.",
        choices=tuple(Choice(lines.deleted(rule), "its subsets and policies go") for rule in others),
    )


def _causes(
    cluster: Cluster, files: Mapping[tuple[str, str], str], found: Objects, *, only_outages: bool = False
) -> Iterator[Mistake]:
    """Yield the workshop's objects that differ from its files, in a finding's words; then other findings."""
    findings = [f for f in analyze.findings(found) if f.severity == "Error" or f.code in _NOT_FOLLOWED]
    if only_outages and not any(f.code.startswith("KATA05") for f in findings):
        return
    present = {("Deployment", d["metadata"]["name"]) for d in found.deployments}
    deciding = {key: file for key, file in _DECIDING.items() if key[0] == _SERVICE or key in present}
    for (kind, name), file in {**deciding, **files}.items():
        if restoring.differs(cluster, kind, name, file):
            said = restoring.what_differs(cluster, kind, name, file)
            about = [f for f in findings if f.object.endswith(f"{kind} {found.name}/{name}")]
            line = restoring.line(cluster, kind, name, file)
            yield of_finding(about[0], line) if about else Mistake(f"{kind} {name}: {said}.", line)
    yield from map(of_finding, findings)


def _last(written: Obj) -> str:
    """Return the file of the workshop that was applied last, as the annotation of kubectl tells."""
    last = json.loads((written["metadata"].get("annotations") or {}).get(LAST_APPLIED) or "{}")
    every = ((file, obj) for file in (CANARY, PROMOTE, CANARY_V3) for obj in originals.manifests(file))
    return next((file for file, obj in every if obj["spec"] == last.get("spec")), "Something else")


def _not_applied(written: Obj, wanted: WantedRouting, found: Objects) -> bool:
    """Return whether the file says what the step wants, and something else was the last that was applied."""
    last = json.loads((written["metadata"].get("annotations") or {}).get(LAST_APPLIED) or "null")
    return last is not None and last["spec"] != _in_file(wanted).get("spec") and _says(wanted, found)


def _says(wanted: WantedRouting, found: Objects) -> bool:
    """Return whether the step's file, as it lies there now, asks for the shares that the step wants."""
    in_file = _in_file(wanted)
    return bool(in_file) and same(written_shares(found, in_file), wanted.shares)


def _in_file(wanted: WantedRouting) -> Obj:
    """Return the VirtualService of the step's file, as a person may have edited it; {} where it has none."""
    return next((m for m in originals.as_they_are(wanted.file) if m["kind"] == "VirtualService"), {})


def _name(obj: Obj) -> str:
    return str(obj["metadata"]["name"])
