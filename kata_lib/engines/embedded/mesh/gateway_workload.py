"""What istiod deploys for a Gateway of class istio: an account, a Deployment of one router, and its Service.

Source: istio/istio, manifests/charts/istio-control/istio-discovery/files/kube-gateway.yaml. What belongs to
containers alone, such as volumes, is left out.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from kata_lib.engines.embedded.mesh.injection import proxy_container
from kata_lib.engines.embedded.mesh.translate.gateway_api.listeners import CLASS, service_name
from kata_lib.engines.embedded.store import Obj

_STATUS_PORT = {"name": "status-port", "port": 15021, "protocol": "TCP", "appProtocol": "tcp"}
_NAME = "gateway.networking.k8s.io/gateway-name"
_OWN_ANNOTATIONS = ("kubectl.kubernetes.io/last-applied-configuration",)
_SERVICE_TYPE = "networking.istio.io/service-type"
_SCRAPED = {
    "prometheus.io/path": "/stats/prometheus",
    "prometheus.io/port": "15020",
    "prometheus.io/scrape": "true",
}


def objects(gateway: Obj) -> Iterator[tuple[str, Obj]]:
    """Yield each resource and object to be applied for a Gateway; none where it brings its own Service."""
    name = service_name(gateway)
    if name is None:
        return
    metadata = _metadata(gateway, name)
    managed = {**metadata["labels"], "gateway.istio.io/managed": "istio.io-gateway-controller"}
    yield "serviceaccounts", {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}
    yield (
        "deployments",
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {**metadata, "labels": managed},
            "spec": {
                "selector": {"matchLabels": {_NAME: gateway["metadata"]["name"]}},
                "template": _template(name, managed, metadata["annotations"]),
            },
        },
    )
    yield (
        "services",
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata,
            "spec": {
                "type": gateway["metadata"].get("annotations", {}).get(_SERVICE_TYPE, "LoadBalancer"),
                "selector": {_NAME: gateway["metadata"]["name"]},
                "ports": list(_ports(gateway)),
            },
        },
    )


def _metadata(gateway: Obj, name: str) -> dict[str, Any]:
    own = gateway["metadata"]
    infrastructure = gateway["spec"].get("infrastructure", {})
    annotations = infrastructure.get("annotations") or own.get("annotations") or {}
    owner = {
        "apiVersion": gateway["apiVersion"],
        "kind": gateway["kind"],
        "name": own["name"],
        "uid": own["uid"],
    }
    return {
        "name": name,
        "namespace": own["namespace"],
        "labels": {
            **(infrastructure.get("labels") or own.get("labels") or {}),
            _NAME: own["name"],
            "gateway.networking.k8s.io/gateway-class-name": CLASS,
        },
        "annotations": {key: value for key, value in annotations.items() if key not in _OWN_ANNOTATIONS},
        "ownerReferences": [owner],
    }


def _template(name: str, labels: Mapping[str, str], annotations: Mapping[str, str]) -> Obj:
    of_pods = {
        "sidecar.istio.io/inject": "false",
        "service.istio.io/canonical-name": name,
        "service.istio.io/canonical-revision": "latest",
        **labels,
    }
    return {
        "metadata": {
            "labels": of_pods,
            "annotations": {**annotations, "istio.io/rev": "default", **_SCRAPED},
        },
        "spec": {"serviceAccountName": name, "containers": [proxy_container("router")]},
    }


def _ports(gateway: Obj) -> Iterator[Obj]:
    yield _STATUS_PORT
    seen: set[int] = set()
    names = {_STATUS_PORT["name"]}
    for listener in gateway["spec"]["listeners"]:
        if listener["port"] in seen:
            continue
        name = listener["name"].replace(".", "-")[:63]
        name = f"{name[:57]}-{listener['port']}" if name in names else name
        seen.add(listener["port"])
        names.add(name)
        protocol = listener["protocol"].lower()
        yield {"name": name, "port": listener["port"], "protocol": "TCP", "appProtocol": protocol}
