"""Services: names of ports, and pods behind them."""

from collections.abc import Iterator

from kata_lib.cluster.client import Obj
from kata_lib.mesh.analyze.finding import Finding, finding
from kata_lib.mesh.analyze.objects import Objects, as_selector

PROTOCOLS = {"grpc", "http", "http_proxy", "http2", "https", "mongo", "mysql", "redis", "tcp", "tls", "udp"}
"""What the first word of a port's name may be (istio/istio, pkg/config/protocol/instance.go)."""

KNOWN_PORTS = {25, 53, 3306, 27017}
"""Ports that are TCP to Istio whatever their name (pkg/config/kube/conversion.go)."""


def findings(found: Objects) -> Iterator[Finding]:
    """Yield port names that leave Istio guessing, and Services that select no pod."""
    for service in found.own(found.services):
        for index, port in enumerate(service["spec"].get("ports") or []):
            if not names_protocol(port):
                yield _port(service, port, index)
        selector = service["spec"].get("selector")
        if selector and not found.pods_behind(service):
            yield finding(
                "KATA0103",
                service,
                f"The Service {service['metadata']['name']} selects no pod: requests to it get 503 (UH).",
                seen=f"spec.selector: {as_selector(selector)}",
                mend="kubectl get pods --show-labels   # compare",
            )


def names_protocol(port: Obj) -> bool:
    """Tell whether a Service's port says its protocol as Istio wants it: name: <protocol>[-<suffix>]."""
    if port.get("protocol") == "UDP" or port["port"] in KNOWN_PORTS:
        return True
    name = str(port.get("appProtocol") or port.get("name") or "").lower()
    return name.startswith("grpc-web") or name.split("-")[0] in PROTOCOLS


def _port(service: Obj, port: Obj, index: int) -> Finding:
    name, target = port.get("name", ""), port.get("targetPort", port["port"])
    return finding(
        "IST0118",
        service,
        f"Port name {name} (port: {port['port']}, targetPort: {target}) doesn't follow the naming convention "
        "of Istio port.",
        seen=f"spec.ports[{index}].name",
        mend=f"name: http-{name}" if name else "name: http",
    )
