"""What stands in the cluster while istiod is recorded: a base's workloads, and one case over them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from kata_lib.cluster.client import ApiRefused, KubeClient
from recorders.lab import LabError
from recorders.proxies import Pod, until

ISTIO = "networking.istio.io/v1"
GATEWAY_API = "gateway.networking.k8s.io/v1"
NAMESPACE, ISTIO_SYSTEM = "default", "istio-system"
NODE = "recorded"
MARKER = 9999
"""A router's port at which nothing but the marker is."""
CLEARED = [
    (ISTIO, "VirtualService", "default"),
    (ISTIO, "DestinationRule", "default"),
]
GATEWAYS = [(ISTIO, "Gateway", namespace) for namespace in ("default", "istio-system")]
ROUTES = [(GATEWAY_API, "HTTPRoute", "default"), (GATEWAY_API, "HTTPRoute", "other")]
GRANTS = (GATEWAY_API, "ReferenceGrant", "other")
APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"

Obj = dict[str, Any]


class Standing:
    """The workloads of a base.yaml in `default`, and over them one case at a time."""

    def __init__(self, client: KubeClient, base: Path, *, http_routes: bool) -> None:
        self._client = client
        self._require_istio_system()
        self._cleared = [*CLEARED, *ROUTES, GRANTS] if http_routes else [*CLEARED, *GATEWAYS]
        documents = [document for document in yaml.safe_load_all(base.read_text()) if document]
        for document in sorted(documents, key=lambda document: document["kind"] != "Namespace"):
            self._request("PATCH", document, force="true")
        self._base = {
            document["metadata"]["name"]: document
            for document in documents
            if document["kind"] == "Service" and "namespace" not in document["metadata"]
        }
        wanted = {d["metadata"]["name"] for d in documents if d["kind"] == "Deployment"}
        until(lambda: set(self._ready().values()) >= wanted, "The workloads of the base are not ready")
        self.workloads = self._ready()
        """The name of each pod's Deployment by the pod's address."""
        self.addresses: dict[str, str] = {}
        """The Services' addresses by name."""

    def _require_istio_system(self) -> None:
        """Raise LabError where istiod has no namespace of its own: it would write no statuses."""
        try:
            self._client.request("GET", f"/api/v1/namespaces/{ISTIO_SYSTEM}")
        except ApiRefused as refused:
            raise LabError(
                f"istiod's namespace is not there: kubectl create namespace {ISTIO_SYSTEM}"
            ) from refused

    def apply(self, documents: list[Obj], marker: str, router: Pod | None = None) -> None:
        """Let these objects stand, and no others of their kinds, and last the marker, of a router its own.

        They are made in one second: of two objects the older one goes before, so an order by chance would
        be recorded otherwise the next time. Raises LabError where the lab is too slow for that.
        """
        services = {d["metadata"]["name"]: d for d in documents if d["kind"] == "Service"}
        for name, document in (self._base | services).items():
            stands = self._request("PATCH", document | {"metadata": {"name": name}}, force="true")
            self.addresses[name] = stands["spec"]["clusterIP"]
        until(lambda: self._made_at_once(documents), "The objects of a case are never made in one second")
        for document in _marker(marker, router):
            self._request("PATCH", document, force="true")

    def _made_at_once(self, documents: list[Obj]) -> bool:
        """Make a case's objects in place of what stood, and return whether all have one time."""
        for version, kind, namespace in self._cleared:
            self._client.request("DELETE", self._client.path(version, kind, namespace=namespace))
        made = [
            self._request("PATCH", document, force="true")
            for document in documents
            if document["kind"] != "Service" or document["metadata"].get("namespace")
        ]
        times = {obj["metadata"]["creationTimestamp"] for obj in made if _place(obj) in self._cleared}
        return len(times) <= 1

    def statuses(self) -> dict[str, Any]:
        """Return each HTTPRoute's parents' statuses, without times."""
        found = {}
        for version, kind, namespace in ROUTES:
            routes = self._client.request("GET", self._client.path(version, kind, namespace=namespace))[
                "items"
            ]
            for route in routes:
                parents = route.get("status", {}).get("parents", [])
                found[f"{namespace}/{route['metadata']['name']}"] = [_timeless(parent) for parent in parents]
        return found

    def pods(self) -> list[Obj]:
        """Return the pods of the base."""
        path = self._client.path("v1", "Pod", namespace=NAMESPACE)
        pods: list[Obj] = self._client.request("GET", path)["items"]
        return pods

    def _ready(self) -> dict[str, str]:
        """Return the Deployments by their pods' addresses; where no node is, the pods are said to run."""
        pods = self.pods()
        nodes = self._client.request("GET", "/api/v1/nodes")["items"]
        if all(node["metadata"]["name"] == NODE for node in nodes):
            self._run(pods)
            pods = self.pods()
        return {
            pod["status"]["podIP"]: pod["metadata"]["name"].rsplit("-", 2)[0]
            for pod in pods
            if pod["status"].get("podIP")
        }

    def _run(self, pods: list[Obj]) -> None:
        """Do a kubelet's part for pods that have none: say that they run and are ready."""
        self._request("PATCH", {"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE}}, force="true")
        taken = {pod["status"].get("podIP") for pod in pods}
        free = (ip for ip in (f"10.244.0.{number}" for number in range(10, 99)) if ip not in taken)
        for pod in pods:
            path = self._client.path("v1", "Pod", pod["metadata"]["name"], NAMESPACE)
            if not pod["spec"].get("nodeName"):
                node = {"apiVersion": "v1", "kind": "Node", "name": NODE}
                binding = {
                    "apiVersion": "v1",
                    "kind": "Binding",
                    "metadata": {"name": pod["metadata"]["name"]},
                }
                self._client.request("POST", f"{path}/binding", binding | {"target": node})
            if not pod["status"].get("podIP"):
                running = _running(next(free))
                self._client.request("PATCH", f"{path}/status", {"status": running}, content_type=MERGE)

    def _request(self, method: str, document: Obj, **query: str) -> Obj:
        version, kind = document["apiVersion"], document["kind"]
        name, namespace = (document["metadata"].get(key, "") for key in ("name", "namespace"))
        path = (
            f"/api/v1/{kind.lower()}s/{name}"
            if kind in ("Namespace", "Node")
            else self._client.path(version, kind, name, namespace or NAMESPACE)
        )
        query = {"fieldManager": "recorder", **query}
        return self._client.request(method, path, document, content_type=APPLY, query=query)


def _place(obj: Obj) -> tuple[str, str, str]:
    return obj["apiVersion"], obj["kind"], obj["metadata"]["namespace"]


def _running(address: str) -> Obj:
    conditions = [{"type": kind, "status": "True"} for kind in ("Initialized", "Ready", "ContainersReady")]
    return {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}], "conditions": conditions}


def _timeless(parent: Obj) -> Obj:
    conditions = [{k: v for k, v in c.items() if k != "lastTransitionTime"} for c in parent["conditions"]]
    return {**parent, "conditions": sorted(conditions, key=lambda condition: condition["type"])}


def _marker(name: str, router: Pod | None) -> Iterator[Obj]:
    """Yield a Service of another namespace, so that port 80 has a table, whose route is called by a name.

    A router gets it at a port of its own.
    """
    metadata = {"name": "marker", "namespace": "kube-public"}
    port = {"name": "http", "port": 80}
    http = [{"name": name, "route": [{"destination": {"host": "marker"}}]}]
    yield {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"ports": [port]}}
    if router:
        servers = [{"port": {"number": MARKER, "name": "http", "protocol": "HTTP"}, "hosts": ["*"]}]
        spec = {"selector": router.labels, "servers": servers}
        yield {"apiVersion": ISTIO, "kind": "Gateway", "metadata": metadata, "spec": spec}
    bound: Obj = {"gateways": ["marker"]} if router else {}
    spec = {"hosts": ["marker"], "http": http, **bound}
    yield {"apiVersion": ISTIO, "kind": "VirtualService", "metadata": metadata, "spec": spec}
