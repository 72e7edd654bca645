"""Where a VirtualService sends requests: hosts, ports and subsets that are not there."""

from collections.abc import Iterator

from kata_lib.cluster.client import Obj
from kata_lib.course.steps import CANARY
from kata_lib.mesh.analyze.finding import Finding, finding
from kata_lib.mesh.analyze.objects import Destination, Objects, destinations, nearest


def findings(found: Objects) -> Iterator[Finding]:
    """Yield what a VirtualService refers to and is not defined: its requests get 503, or nothing."""
    for virtual_service in found.own(found.virtual_services):
        for destination in destinations(virtual_service):
            target = found.service(destination.host)
            if target is not None:
                yield from _port(virtual_service, destination, target)
                yield from _subset(found, virtual_service, destination)
            elif found.judges(destination.host):
                mend = f"host: {nearest(destination.host, found.names())}"
                yield _not_found(virtual_service, destination, destination.word, destination.host, mend)
                yield from _subset(found, virtual_service, destination, mend)


def _port(virtual_service: Obj, destination: Destination, target: Obj) -> Iterator[Finding]:
    ports = [port["port"] for port in target["spec"].get("ports") or []]
    if destination.port is None and len(ports) > 1:
        yield finding(
            "IST0112",
            virtual_service,
            f'This VirtualService routes to a service "{destination.host}" that exposes multiple ports '
            f"[{' '.join(map(str, ports))}]. Specifying a port in the destination is required to "
            "disambiguate.",
            seen=destination.place,
            mend=f"port: {{number: {ports[0]}}}",
        )
    if destination.port is not None and destination.port not in ports:
        word = "host:port" if destination.word == "host" else "mirror host:port"
        mend = f"port: {{number: {ports[0]}}}" if ports else f"kubectl get service {destination.host}"
        yield _not_found(virtual_service, destination, word, f"{destination.host}:{destination.port}", mend)


def _subset(
    found: Objects, virtual_service: Obj, destination: Destination, mend: str = ""
) -> Iterator[Finding]:
    """Yield that a subset is not defined; mend: where it is the host that is wrong, the line for that."""
    defined = list(found.subsets(destination.host))
    if destination.subset is None or destination.subset in defined:
        return
    word = "host+subset" if destination.word == "host" else "mirror+subset"
    if defined:
        mend = f"subset: {nearest(destination.subset, defined)}"
    mend = mend or f"kubectl apply -f {CANARY}   # it holds the DestinationRule too"
    yield _not_found(
        virtual_service,
        destination,
        f"{word} in destinationrule",
        f"{destination.host}+{destination.subset}",
        mend,
        known=f"the DestinationRule has {', '.join(defined)}" if defined else "no DestinationRule defines it",
    )


def _not_found(
    virtual_service: Obj, destination: Destination, word: str, value: str, mend: str, known: str = ""
) -> Finding:
    effect = "requests that are sent there get 503 (flag NC)"
    if destination.word != "host":
        effect = "no copies are sent"
    return finding(
        "IST0101",
        virtual_service,
        f'Referenced {word} not found: "{value}"',
        seen=f"{destination.place}: {'; '.join(part for part in (known, effect) if part)}",
        mend=mend,
    )
