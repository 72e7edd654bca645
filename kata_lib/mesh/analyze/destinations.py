"""Where a VirtualService sends requests: hosts, ports and subsets that are not there."""

from collections.abc import Iterator

from kata_lib.cluster import labels
from kata_lib.cluster.client import Obj
from kata_lib.mesh.analyze import lines
from kata_lib.mesh.analyze.finding import Finding, finding
from kata_lib.mesh.analyze.objects import Objects, WrittenDestination, destinations, nearest
from kata_lib.mesh.virtual_services import ISTIO


def findings(found: Objects) -> Iterator[Finding]:
    """Yield what a VirtualService refers to and is not defined: its requests get 503, or nothing."""
    for virtual_service in found.own(found.virtual_services):
        for destination in destinations(virtual_service):
            target = found.service(destination.host)
            if target is not None:
                yield from _port(virtual_service, destination, target)
                yield from _subset(found, virtual_service, destination)
            elif found.judges(destination.host):
                host = nearest(destination.host, found.names())
                mend = lines.replaced(virtual_service, f"{destination.place}.host", host)
                yield _not_found(virtual_service, destination, destination.word, destination.host, mend)
                yield from _subset(found, virtual_service, destination, mend)


def _port(virtual_service: Obj, destination: WrittenDestination, target: Obj) -> Iterator[Finding]:
    ports = [port["port"] for port in target["spec"].get("ports") or []]
    if destination.port is None and len(ports) > 1:
        yield finding(
            "IST0112",
            virtual_service,
            f'This VirtualService routes to a service "{destination.host}" that exposes multiple ports '
            f"[{' '.join(map(str, ports))}]. Specifying a port in the destination is required to "
            "disambiguate.",
            seen=destination.place,
            mend=_to_port(virtual_service, destination, ports[0]),
        )
    if destination.port is not None and destination.port not in ports:
        word = "host:port" if destination.word == "host" else "mirror host:port"
        mend = _to_port(virtual_service, destination, ports[0]) if ports else ""
        yield _not_found(virtual_service, destination, word, f"{destination.host}:{destination.port}", mend)


def _to_port(virtual_service: Obj, destination: WrittenDestination, port: int) -> str:
    place = lines.pointer(f"{destination.place}.port")
    return lines.patch(virtual_service, {"op": "add", "path": place, "value": {"number": port}})


def _subset(
    found: Objects, virtual_service: Obj, destination: WrittenDestination, mend: str = ""
) -> Iterator[Finding]:
    """Yield that a subset is not defined; mend: where it is the host that is wrong, the line for that."""
    defined = list(found.subsets(destination.host))
    if destination.subset is None or destination.subset in defined:
        return
    word = "host+subset" if destination.word == "host" else "mirror+subset"
    mend = mend or _known_subset(found, virtual_service, destination)
    yield _not_found(
        virtual_service,
        destination,
        f"{word} in destinationrule",
        f"{destination.host}+{destination.subset}",
        mend,
        known=f"the DestinationRule has {', '.join(defined)}" if defined else "no DestinationRule defines it",
    )


def _known_subset(found: Objects, virtual_service: Obj, destination: WrittenDestination) -> str:
    """Return a line that brings the destination and a definition of its subset together.

    A subset that nothing names yet is the one that was meant; where all are taken, the requests go where
    most go anyway, so that none goes to a version by mistake.
    """
    defined = list(found.subsets(destination.host))
    if not defined:
        return definition(found, virtual_service, destination.host)
    used = [other for other in destinations(virtual_service) if other.host == destination.host]
    free = [name for name in defined if name not in [other.subset for other in used]]
    most = max((other for other in used if other.subset in defined), key=lambda d: d.weight, default=None)
    subset = nearest(str(destination.subset), free) if free or most is None else str(most.subset)
    return lines.replaced(virtual_service, f"{destination.place}.subset", subset)


def definition(found: Objects, virtual_service: Obj, host: str) -> str:
    """Return a line that defines the subsets of a host that are named, each after a version of its pods."""
    service = found.service(host)
    pods = found.pods_behind(service) if service else []
    there = sorted({labels.of(pod).get("version", "") for pod in pods} - {""})
    named = [d.subset for d in destinations(virtual_service) if d.host == host and d.subset]
    meant = {name: [version for version in there if name.endswith(version)] for name in dict.fromkeys(named)}
    if not all(len(versions) == 1 for versions in meant.values()):
        return ""
    subsets = [{"name": name, "labels": {"version": version}} for name, (version,) in meant.items()]
    rule = {
        "apiVersion": ISTIO,
        "kind": "DestinationRule",
        "metadata": {"name": host.partition(".")[0]},
        "spec": {"host": host, "subsets": subsets},
    }
    return lines.applied(rule, found.name)


def _not_found(
    virtual_service: Obj, destination: WrittenDestination, word: str, value: str, mend: str, known: str = ""
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
