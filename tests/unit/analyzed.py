"""The kata's objects as a cluster has them, and ways to change them."""

import copy
from collections.abc import Callable

from kata_lib.cluster.apply import annotated
from kata_lib.cluster.client import Obj
from kata_lib.cluster.manifests import load
from kata_lib.mesh.analyze import Known, Objects
from kata_lib.mesh.virtual_services import ISTIO

CANARY = "deploy/virtual-service-canary.yaml"
PROMOTE = "deploy/virtual-service-canary-promote.yaml"
ALL = ("deploy/v1", "deploy/v2", CANARY)
LABELLED = "2026-01-01T12:00:00Z"


def kata(*paths: str) -> Objects:
    """Return the objects of manifests as a cluster has them, each pod ready and with a sidecar."""
    by_kind: dict[str, list[Obj]] = {}
    for path in paths:
        for manifest in load(path):
            by_kind.setdefault(manifest["kind"], []).append(annotated(manifest, "default"))
    deployments = by_kind.get("Deployment", [])
    return Objects(
        namespace(),
        by_kind.get("Service", []),
        deployments,
        [pod for deployment in deployments for pod in pods_for(deployment)],
        by_kind.get("VirtualService", []),
        by_kind.get("DestinationRule", []),
        by_kind.get("Gateway", []),
        by_kind.get("HTTPRoute", []),
        known=Known(("sentences",), (("age", 5000), ("name", 5000)) if deployments else (), weighted="name"),
    )


def namespace(**labels: str) -> Obj:
    labels = labels or {"istio-injection": "enabled"}
    fields: Obj = {"f:metadata": {"f:labels": {f"f:{key}": {} for key in labels}}}
    managed = [{"manager": "kubectl-label", "time": LABELLED, "fieldsV1": fields}]
    metadata = {"name": "default", "labels": labels, "managedFields": managed}
    return {"kind": "Namespace", "metadata": metadata}


def pods_for(deployment: Obj) -> list[Obj]:
    template = copy.deepcopy(deployment["spec"]["template"])
    template["spec"]["containers"].append({"name": "istio-proxy"})
    name = deployment["metadata"]["name"]
    return [
        {
            "kind": "Pod",
            "metadata": {
                **template["metadata"],
                "name": f"{name}-{number}",
                "namespace": "default",
                "creationTimestamp": "2026-01-01T12:00:01Z",
            },
            "spec": copy.deepcopy(template["spec"]),
            "status": {"conditions": [{"type": "Ready", "status": "True"}]},
        }
        for number in range(deployment["spec"]["replicas"])
    ]


def deployment(found: Objects, name: str) -> Obj:
    return next(d for d in found.deployments if d["metadata"]["name"] == name)


def redeploy(found: Objects, name: str, change: Callable[[Obj], object]) -> None:
    """Change a Deployment and make its pods anew."""
    changed = deployment(found, name)
    change(changed)
    found.pods[:] = [p for p in found.pods if not p["metadata"]["name"].startswith(f"{name}-")]
    found.pods.extend(pods_for(changed))


def route(found: Objects, *entries: tuple[str, int]) -> None:
    found.virtual_services[0]["spec"]["http"][0]["route"] = [
        {"destination": {"host": "name", "subset": subset}, "weight": weight} for subset, weight in entries
    ]


def without_sidecar(found: Objects, prefix: str = "", created: str = "2026-01-01T12:00:01Z") -> None:
    for pod in found.pods:
        if pod["metadata"]["name"].startswith(prefix):
            pod["spec"]["containers"].pop()
            pod["metadata"]["creationTimestamp"] = created


def spec(found: Objects) -> Obj:
    return found.virtual_services[0]["spec"]  # type: ignore[no-any-return]


def destination(change: Obj) -> Callable[[Objects], None]:
    return lambda f: spec(f)["http"][0]["route"][1]["destination"].update(change)


def door(found: Objects, *servers: Obj, name: str = "door", selector: str = "gateway") -> None:
    """Give the namespace a Gateway with these servers, and the workshop's proxy with its Service."""
    if not found.pods_of_gateways:
        proxy, way_in, _ = load("deploy/gateway/gateway.yaml")
        found.services.append(annotated(way_in, "default"))
        metadata = {**proxy["spec"]["template"]["metadata"], "name": "gateway-0", "namespace": "default"}
        container = {"name": "istio-proxy", "args": ["proxy", "router"]}
        ready = {"conditions": [{"type": "Ready", "status": "True"}]}
        pod = {"kind": "Pod", "metadata": metadata, "spec": {"containers": [container]}, "status": ready}
        found.pods.append(pod)
        found.pods_of_gateways.append(pod)
    metadata = {"name": name, "namespace": "default"}
    spec = {"selector": {"istio": selector}, "servers": list(servers)}
    found.gateways.append({"apiVersion": ISTIO, "kind": "Gateway", "metadata": metadata, "spec": spec})


def server(number: int, host: str, certificate: str = "") -> Obj:
    """Return a port of a Gateway, with TLS where a Secret with a certificate is named."""
    protocol = "HTTPS" if certificate else "HTTP"
    tls = {"tls": {"mode": "SIMPLE", "credentialName": certificate}} if certificate else {}
    port = {"number": number, "name": f"{protocol.lower()}-{number}", "protocol": protocol}
    return {"port": port, "hosts": [host], **tls}


def gateway(found: Objects, *hosts: str) -> None:
    """Give the namespace a gateway `front` that is open to hosts, and have the VirtualService use it too."""
    server = {"port": {"number": 80, "name": "http", "protocol": "HTTP"}, "hosts": list(hosts)}
    metadata = {"name": "front", "namespace": "default"}
    found.gateways.append(
        {"apiVersion": ISTIO, "kind": "Gateway", "metadata": metadata, "spec": {"servers": [server]}}
    )
    found.pods_of_gateways.extend(found.pods)  # a Gateway without a selector is for all
    spec(found)["gateways"] = ["mesh", "front"]
