"""Istio's Gateways themselves: the proxies that they are for, their ports, hosts and certificates."""

from collections.abc import Iterator

from kata_lib.cluster import labels
from kata_lib.cluster.client import Obj
from kata_lib.cluster.labels import as_selector, selects
from kata_lib.cluster.pods import is_gateway
from kata_lib.mesh.analyze import lines
from kata_lib.mesh.analyze.finding import Choice, Finding, finding
from kata_lib.mesh.analyze.objects import Objects


def findings(found: Objects) -> Iterator[Finding]:
    """Yield what of a Gateway no proxy, no Service or no Secret is there for, and where two conflict."""
    for gateway in found.own(found.gateways):
        pods = [pod for pod in found.pods_of_gateways if labels.carries(pod, selector(gateway))]
        if pods:
            yield from _ports(found, gateway, pods)
            yield from _certificates(found, gateway, pods[0]["metadata"]["namespace"])
        elif found.whole_mesh:
            yield _no_proxy(found, gateway)
        yield from _conflicts(found, gateway)
        yield from _shared_certificates(found, gateway)


def selector(gateway: Obj) -> dict[str, str]:
    """Return the labels of the proxies that a Gateway is for; {} is for all."""
    return gateway["spec"].get("selector") or {}


def servers(gateway: Obj) -> list[Obj]:
    """Return a Gateway's servers, a port each."""
    return gateway["spec"].get("servers") or []


def _no_proxy(found: Objects, gateway: Obj) -> Finding:
    written = selector(gateway)
    there = [labels.of(pod) for pod in found.pods if is_gateway(pod)]
    meant = [{key: own[key] for key in written} for own in there if written.keys() <= own.keys()]
    return finding(
        "IST0101",
        gateway,
        f'Referenced selector not found: "{as_selector(written)}"',
        seen="spec.selector: no proxy has its servers",
        mend=lines.replaced(gateway, "spec.selector", meant[0]) if meant else "",
    )


def _ports(found: Objects, gateway: Obj, pods: list[Obj]) -> Iterator[Finding]:
    """Yield at which ports of a Gateway no Service leads to its proxies."""
    leading = [service for service in found.services for pod in pods if _leads(service, pod)]
    ports = [port for service in leading for port in service["spec"].get("ports") or []]
    opened = {number for port in ports for number in (port["port"], port.get("targetPort"))}
    for index, server in enumerate(servers(gateway)):
        if (number := server["port"]["number"]) not in opened:
            yield finding(
                "IST0162",
                gateway,
                f"The gateway is listening on a target port (port {number}) that is not defined in the "
                "Service associated with its workload instances (Pod selector "
                f"{as_selector(selector(gateway))}). If you need to access the gateway port through the "
                "gateway Service, it will not be available.",
                seen=f"spec.servers[{index}].port",
                mend=_opened(leading[0], server["port"]) if leading else "",
            )


def _leads(service: Obj, pod: Obj) -> bool:
    same = service["metadata"]["namespace"] == pod["metadata"]["namespace"]
    return same and selects(service["spec"].get("selector"), pod)


def _opened(service: Obj, port: Obj) -> str:
    value = {"name": port["name"], "port": port["number"]}
    return lines.patch(service, {"op": "add", "path": "/spec/ports/-", "value": value})


def _certificates(found: Objects, gateway: Obj, namespace: str) -> Iterator[Finding]:
    """Yield which certificates are in no Secret where the proxies run."""
    for index, server in enumerate(servers(gateway)):
        name = credential(server)
        if not name or found.secrets is None or (namespace, name) in found.secrets:
            continue
        made = f"kubectl create secret tls {name} -n {namespace} with the files of a certificate and its key"
        yield finding(
            "IST0101",
            gateway,
            f'Referenced credentialName not found: "{name}"',
            seen=f"spec.servers[{index}].tls.credentialName: no connection to port "
            f"{server['port']['number']} is taken",
            choices=(Choice("", f"{made} makes it"),),
        )


def credential(server: Obj) -> str:
    """Return the name of the Secret with a server's certificate, "" for none."""
    return str((server.get("tls") or {}).get("credentialName", ""))


def _conflicts(found: Objects, gateway: Obj) -> Iterator[Finding]:
    """Yield with which Gateways one shares proxies, port and hosts: the oldest takes the requests."""
    for index, server in enumerate(servers(gateway)):
        others = [
            _full(other)
            for other in found.gateways
            if _full(other) != _full(gateway)
            and selector(other) == selector(gateway)
            and any(_same_place(server, one) for one in servers(other))
        ]
        if others:
            yield finding(
                "IST0145",
                gateway,
                f"Conflict with gateways {','.join(others)} (workload selector "
                f"{as_selector(selector(gateway))}, port {server['port']['number']}, hosts "
                f"{','.join(server['hosts'])}).",
                seen=f"spec.servers[{index}].hosts",
                choices=(
                    Choice("", f"without the hosts of spec.servers[{index}], {others[0]} alone takes them"),
                ),
            )


def _same_place(one: Obj, other: Obj) -> bool:
    same_port = one["port"]["number"] == other["port"]["number"]
    return same_port and not set(one["hosts"]).isdisjoint(other["hosts"])


def _shared_certificates(found: Objects, gateway: Obj) -> Iterator[Finding]:
    """Yield Gateways of the same proxies with one certificate: a connection is routed by its first host."""
    named = {credential(server) for server in servers(gateway)} - {""}
    for other in found.gateways:
        both = named & {credential(server) for server in servers(other)}
        if other is not gateway and both and selector(gateway).items() <= selector(other).items():
            yield finding(
                "IST0138",
                gateway,
                f"Duplicate certificate in multiple gateways [{_full(gateway)} {_full(other)}] may cause "
                "404s if clients re-use HTTP2 connections.",
                seen=f"tls.credentialName: {', '.join(sorted(both))}",
                choices=(Choice("", "one Gateway with the hosts of both has no such trouble"),),
            )


def _full(gateway: Obj) -> str:
    return f"{gateway['metadata']['namespace']}/{gateway['metadata']['name']}"
