"""Gateways that a VirtualService names: whether they are there, and open to its hosts."""

from collections.abc import Iterator

from kata_lib.cluster.client import Obj
from kata_lib.mesh.analyze import lines
from kata_lib.mesh.analyze.finding import Finding, finding
from kata_lib.mesh.analyze.objects import MESH, Objects, hosts


def findings(found: Objects) -> Iterator[Finding]:
    """Yield which gateways do not exist, or let none of the VirtualService's hosts in."""
    by_name = {_full_name(g["metadata"]["name"], g["metadata"]["namespace"]): g for g in found.gateways}
    for virtual_service in found.own(found.virtual_services):
        for index, written in enumerate(virtual_service["spec"].get("gateways") or []):
            name = _full_name(written, found.name)
            if written == MESH or (name not in by_name and not found.whole_mesh):
                continue
            seen = f"spec.gateways[{index}]"
            if name not in by_name:
                yield finding(
                    "IST0101",
                    virtual_service,
                    f'Referenced gateway not found: "{written}"',
                    seen=f"{seen}: no requests come in by it",
                    mend=_without(virtual_service, index),
                )
            wanted, service = hosts(virtual_service), virtual_service["metadata"]["name"]
            opened = list(_hosts(by_name[name], found.name)) if name in by_name else []
            if not any(_match(gateway_host, host) for gateway_host in opened for host in wanted):
                yield finding(
                    "IST0132",
                    virtual_service,
                    f"one or more host [{' '.join(wanted)}] defined in VirtualService "
                    f"{_full_name(service, found.name)} not found in Gateway {name}.",
                    seen=f"{seen}: the gateway is open to {', '.join(opened) or 'no host of this namespace'}",
                    mend=_opened_to(virtual_service, opened) if opened else _without(virtual_service, index),
                )


def _without(virtual_service: Obj, index: int) -> str:
    """Return a line that names one gateway less; a VirtualService that names none is for the mesh."""
    if len(virtual_service["spec"]["gateways"]) > 1:
        return lines.removed(virtual_service, f"spec.gateways[{index}]")
    return lines.removed(virtual_service, "spec.gateways")


def _opened_to(virtual_service: Obj, hosts: list[str]) -> str:
    return lines.patch(virtual_service, {"op": "add", "path": "/spec/hosts/-", "value": hosts[0]})


def _full_name(name: str, namespace: str) -> str:
    return name if "/" in name else f"{namespace}/{name}"


def _hosts(gateway: Obj, namespace: str) -> Iterator[str]:
    """Yield for which hosts a Gateway takes VirtualServices of a namespace; it writes [NAMESPACE/]HOST."""
    for server in gateway["spec"].get("servers") or []:
        for written in server.get("hosts") or []:
            of, slash, host = written.rpartition("/")
            of = gateway["metadata"]["namespace"] if of == "." else of
            if not slash or of in ("*", namespace):
                yield host


def _match(one: str, other: str) -> bool:
    """Return whether two hosts overlap; `*` stands for any beginning."""
    shorter, longer = sorted((one, other), key=len)
    if shorter.startswith("*"):
        return longer.removeprefix("*").endswith(shorter[1:])
    return one == other or (longer.startswith("*") and shorter.endswith(longer[1:]))
