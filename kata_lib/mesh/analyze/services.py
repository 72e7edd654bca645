"""Services: the pods behind them, and what these listen on."""

from collections.abc import Iterator

from kata_lib.cluster import labels
from kata_lib.cluster.client import Obj
from kata_lib.cluster.labels import as_selector, selects
from kata_lib.cluster.pods import SIDECAR
from kata_lib.mesh.analyze import lines
from kata_lib.mesh.analyze.finding import Choice, Finding, finding
from kata_lib.mesh.analyze.objects import Objects, flaggers


def findings(found: Objects) -> Iterator[Finding]:
    """Yield Services that select no pod, and ports that no pod opens.

    Not Flagger's: between two releases its canary has no pods, and no weight.
    """
    for service in found.own(found.services):
        selector = service["spec"].get("selector")
        if selector and not found.pods_behind(service) and not flaggers(service):
            yield finding(
                "KATA0103",
                service,
                f"The Service {service['metadata']['name']} selects no pod: requests to it get 503 (UH).",
                seen=f"spec.selector: {as_selector(selector)}",
                mend=_selecting(found, service),
            )
        for index, port in enumerate(service["spec"].get("ports") or []):
            if (opened := not_opened(found, service, port)) is not None:
                yield _target(service, port, index, opened)


def not_opened(found: Objects, service: Obj, port: Obj) -> list[int] | None:
    """Return the ports that a Service's pods open where its target is none of them, None where it is one.

    A container may open a port that it does not declare: of pods that declare none nothing is known.
    """
    target = port.get("targetPort", port["port"])
    declared = [
        opened
        for pod in found.pods_behind(service)
        for container in pod["spec"]["containers"]
        if container["name"] != SIDECAR
        for opened in container.get("ports") or []
    ]
    if not declared or any(target in (opened["containerPort"], opened.get("name")) for opened in declared):
        return None
    return sorted({opened["containerPort"] for opened in declared})


def _target(service: Obj, port: Obj, index: int, opened: list[int]) -> Finding:
    name, target = service["metadata"]["name"], port.get("targetPort", port["port"])
    listed = ", ".join(map(str, opened))
    return finding(
        "KATA0104",
        service,
        f"The Service {name} sends to port {target} of its pods, and their containers open {listed}: where "
        "nothing listens at it, a connection is refused and the request gets 503 (flag UF).",
        seen=f"spec.ports[{index}].targetPort: {target}; containerPort: {listed}",
        mend=to_target(service, index, opened[0]) if len(opened) == 1 else "",
        choices=tuple(Choice(to_target(service, index, one), f"requests go to {one}") for one in opened)
        if len(opened) > 1
        else (),
    )


def to_target(service: Obj, index: int, port: int) -> str:
    """Return a line that sets the target of one of a Service's ports."""
    return lines.patch(service, {"op": "add", "path": f"/spec/ports/{index}/targetPort", "value": port})


def _selecting(found: Objects, service: Obj) -> str:
    """Return the line that has a Service select the pods whose labels are most like its selector."""
    selector = service["spec"]["selector"]
    others = [
        other["spec"].get("selector") or {} for other in found.own(found.services) if other is not service
    ]
    free = [pod for pod in found.pods if not any(selects(sel, pod) for sel in others)]
    meant = [
        {key: labels.of(pod)[key] for key in selector}
        for pod in free
        if all(key in labels.of(pod) for key in selector)
    ]
    unique = [dict(items) for items in sorted({tuple(sorted(labels_of.items())) for labels_of in meant})]
    if len(unique) != 1:
        return ""
    return lines.replaced(service, "spec.selector", unique[0])
