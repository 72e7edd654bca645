"""The learner's namespace on any Kubernetes API: apply, delete, wait, read.

Manifests and names go in, plain objects and kubectl's own words come out. `waiting` says when all is ready,
`mesh` reads and sets the weights. Knows nothing of engines.
"""

import copy
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path

from kata_lib.cluster import apply, port_forward, readiness, service_ports, waiting
from kata_lib.cluster.client import ApiRefused, KubeClient, Obj
from kata_lib.cluster.location import MANAGED_BY, Entry, Location
from kata_lib.cluster.managers import KATA, KUBECTL_APPLY
from kata_lib.cluster.manifests import load
from kata_lib.cluster.pods import SIDECAR, container_names
from kata_lib.errors import ClusterError

AGENT_PORT, ADMIN_PORT = 15020, 15000
STATUS_PORT = 15021
"""Where a gateway says whether it is ready, often the first port of its Service."""
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"

Kind = tuple[str, str]
"""An API version and a kind in it."""


class Cluster:
    """One namespace of one cluster.

    kubeconfig, context: which API, and by its namespace where in it. node_host: where node ports answer.
    entry: the one way in where they do not. images: what those of the manifests are called there.
    shared: other people use the cluster, so that a namespace may be theirs.
    """

    def __init__(
        self,
        kubeconfig: Path,
        context: str | None = None,
        node_host: str = "127.0.0.1",
        entry: Entry | None = None,
        images: Mapping[str, str] | None = None,
        shared: bool = False,
    ) -> None:
        self.kubeconfig = kubeconfig
        self.node_host = node_host
        self.entry = entry
        self.images = images or {}
        self.shared = shared
        self.api = KubeClient(kubeconfig, context)
        self.namespace = self.api.namespace
        self._agent_asks_envoy = True

    @classmethod
    def at(cls, place: Location) -> "Cluster":
        """Return the cluster that an engine has at a place."""
        return cls(place.kubeconfig, None, place.node_host, place.entry, place.images, place.shared)

    def within(self, namespace: str) -> "Cluster":
        """Return the same cluster, seen from another namespace."""
        other = copy.copy(self)
        other.api, other.namespace = self.api.within(namespace), namespace
        return other

    def apply(self, path: str | Path) -> list[str]:
        """Apply a file or folder; return kubectl's lines, such as `deployment.apps/web created`."""
        return [self.apply_object(manifest) for manifest in load(path)]

    def apply_object(self, manifest: Obj) -> str:
        """Apply one manifest; return kubectl's line."""
        wanted = apply.annotated(apply.with_images(manifest, self.images), self.namespace)
        live = self.get(manifest["apiVersion"], manifest["kind"], manifest["metadata"]["name"])
        if live is None:
            self.create(wanted)
            return f"{label(manifest)} created"
        patch = apply.patch_for(wanted, live)
        if not patch:
            return f"{label(manifest)} unchanged"
        self.patch(manifest["apiVersion"], manifest["kind"], manifest["metadata"]["name"], patch)
        return f"{label(manifest)} configured"

    def delete(self, path: str | Path, timeout: float = 60.0) -> list[str]:
        """Delete what a file or folder holds, wait until it is gone; what was not there is said, no error."""
        lines, gone = [], []
        for manifest in load(path):
            was_there = self.remove(manifest["apiVersion"], manifest["kind"], manifest["metadata"]["name"])
            lines.append(f"{label(manifest)} {'deleted' if was_there else 'was not there'}")
            gone.append(manifest)
        self.wait_gone(gone, timeout)
        return lines

    def get(self, api_version: str, kind: str, name: str) -> Obj | None:
        """Return one object, or None where there is none."""
        try:
            return self.api.request("GET", self.api.path(api_version, kind, name))
        except ApiRefused as refused:
            if refused.code == 404:
                return None
            raise

    def objects(self, api_version: str, kind: str, labels: str = "") -> list[Obj]:
        """Return the namespace's objects of a kind; labels is a selector such as `app=name,version=v2`."""
        query = {"labelSelector": labels} if labels else None
        answer = self.api.request("GET", self.api.path(api_version, kind), query=query)
        return [{"apiVersion": api_version, "kind": kind, **item} for item in answer["items"]]

    def objects_everywhere(self, api_version: str, kind: str) -> list[Obj]:
        """Return a kind's objects of all namespaces; ApiRefused with code 403 where that is forbidden."""
        path = self.api.path(api_version, kind).replace(f"/namespaces/{self.namespace}/", "/", 1)
        items = self.api.request("GET", path)["items"]
        return [{"apiVersion": api_version, "kind": kind, **item} for item in items]

    def patch(self, api_version: str, kind: str, name: str, body: Obj, subresource: str = "") -> Obj:
        """Send a JSON merge patch and return the object that it made; subresource: such as status."""
        path = self.api.path(api_version, kind, name) + (f"/{subresource}" if subresource else "")
        return self.api.request("PATCH", path, body, content_type=MERGE_PATCH, query=_write())

    def create(self, manifest: Obj) -> Obj:
        """Create an object; ApiRefused with code 409 where there is one of that name."""
        path = self.api.path(manifest["apiVersion"], manifest["kind"])
        return self.api.request("POST", path, manifest, query=_write())

    def update(self, obj: Obj, manager: str = KUBECTL_APPLY) -> Obj:
        """Write an object that was read; ApiRefused with code 409 where somebody wrote it meanwhile."""
        path = self.api.path(obj["apiVersion"], obj["kind"], obj["metadata"]["name"])
        return self.api.request("PUT", path, obj, query=_write(manager))

    def remove(self, api_version: str, kind: str, name: str, propagation: str = "") -> bool:
        """Ask for the deletion of one object; return whether it was there.

        propagation: Foreground lets it stay until what it owns is gone (Kubernetes' propagationPolicy).
        """
        query = {"propagationPolicy": propagation} if propagation else None
        try:
            self.api.request("DELETE", self.api.path(api_version, kind, name), query=query)
        except ApiRefused as refused:
            if refused.code == 404:
                return False
            raise
        return True

    def scale(self, deployment: str, replicas: int) -> None:
        """Set a Deployment's number of replicas, as `kubectl scale` does."""
        if replicas < 0:
            raise ClusterError(f"replicas must be 0 or more, not {replicas}.")
        path = self.api.path("apps/v1", "Deployment", deployment) + "/scale"
        body = {"spec": {"replicas": replicas}}
        self.api.request("PATCH", path, body, content_type=MERGE_PATCH, query={"fieldManager": KATA})

    def set_env(self, deployment: str, values: Mapping[str, str | None]) -> None:
        """Set environment variables of a Deployment's containers, as `kubectl set env` does; None removes."""
        path = self.api.path("apps/v1", "Deployment", deployment)
        live = self.api.request("GET", path)
        env = [
            {"name": name, "$patch": "delete"} if value is None else {"name": name, "value": value}
            for name, value in values.items()
        ]
        containers = [
            {"name": container["name"], "env": env}
            for container in live["spec"]["template"]["spec"]["containers"]
        ]
        body = {"spec": {"template": {"spec": {"containers": containers}}}}
        self.api.request("PATCH", path, body, content_type=STRATEGIC_PATCH, query={"fieldManager": KATA})

    def enable_injection(self) -> bool:
        """Label the namespace so that new pods get a sidecar; return whether it had to be changed."""
        path = f"/api/v1/namespaces/{self.namespace}"
        labels = self.api.request("GET", path)["metadata"].get("labels", {})
        if labels.get("istio-injection") == "enabled" or "istio.io/rev" in labels:
            return False
        body = {"metadata": {"labels": {"istio-injection": "enabled"}}}
        self.api.request("PATCH", path, body, content_type=MERGE_PATCH, query=_write())
        return True

    def is_own(self) -> bool:
        """Return whether the namespace is the learner's alone: on the workshop's cluster, or by its label."""
        if not self.shared:
            return True
        labels = self.api.request("GET", f"/api/v1/namespaces/{self.namespace}")["metadata"].get("labels", {})
        return bool(labels.get(MANAGED_BY) == "canary-kata")

    def contents(self, kinds: Iterable[Kind]) -> list[Obj]:
        """Return what the namespace holds of some kinds, but for Kubernetes' own Service."""
        served = [kind for kind in kinds if self.api.serves(*kind)]
        found = [obj for version, kind in served for obj in self.objects(version, kind)]
        return [o for o in found if (o["kind"], o["metadata"]["name"]) != ("Service", "kubernetes")]

    def wait_ready(
        self,
        timeout: float = 60.0,
        on_wait: Callable[[str], None] | None = None,
        deployments: Collection[str] | None = None,
    ) -> None:
        """Wait until Deployments have rolled out, by default all; WaitTimeout carries the last thing seen.

        timeout: seconds. on_wait: called with one line each time what is being waited for changes.
        """

        def missing() -> str:
            found = self.objects("apps/v1", "Deployment")
            wanted = [d for d in found if deployments is None or d["metadata"]["name"] in deployments]
            return readiness.missing(wanted, self.pods())

        waiting.until(missing, timeout, on_wait, "Not everything is ready")

    def wait_gone(self, objects: Iterable[Obj], timeout: float) -> None:
        """Wait until none of the objects exists any more; timeout in seconds."""

        def left() -> str:
            there = (o for o in objects if self.get(o["apiVersion"], o["kind"], o["metadata"]["name"]))
            return ", ".join(f"{o['kind']} {o['metadata']['name']}" for o in there)

        waiting.until(left, timeout, None, "Still there")

    def service_port(self, service: str, port: str = "") -> Obj:
        """Return a port of a Service by its name or number, by default the first that takes requests.

        ClusterError says which Services, or ports, there are instead.
        """
        found = self.get("v1", "Service", service)
        if found is None:
            known = ", ".join(s["metadata"]["name"] for s in self.objects("v1", "Service")) or "none"
            raise ClusterError(
                f"There is no Service {service!r} in namespace {self.namespace}; there are: {known}."
            )
        for one in (ports := [p for p in found["spec"]["ports"] if p["port"] != STATUS_PORT]):
            if port in ("", one.get("name"), str(one["port"])):
                return dict(one)
        known = ", ".join(f"{p['port']} {p.get('name', '')}".strip() for p in ports) or "none"
        raise ClusterError(
            f"The Service {service!r} has no port {port or 'for requests'}; there are: {known}."
        )

    def url(self, service: str, port: str = "") -> str:
        """Return where a port of a Service answers from this machine; port: as of `service_port`.

        By its node port; on a cluster with one entry that is the entry's Service alone, which gets the node
        port that leads there.
        """
        found = self.service_port(service, port)
        if "nodePort" not in found:
            raise ClusterError(
                f"The Service {service!r} has no node port: only one of type NodePort answers from outside."
            )
        if self.entry is None:
            return service_ports.url(found, self.node_host, found["nodePort"])
        if service != self.entry.service:
            raise ClusterError(
                f"On this cluster only {self.entry.service} answers from outside, not {service!r}: "
                f"`kata url {service}` opens a way to it."
            )
        if self.entry.node_port not in (None, found["nodePort"]):
            self._give_node_port(service, self.entry.node_port)
        return self.entry.url

    def pods(self, labels: str = "") -> list[Obj]:
        """Return the pods that are there to stay: those being deleted are left out."""
        return [p for p in self.objects("v1", "Pod", labels) if "deletionTimestamp" not in p["metadata"]]

    def logs(
        self, pod: str, container: str = "", follow: bool = False, seconds: int | None = None
    ) -> Iterator[str]:
        """Yield the log lines of a pod's container, by default the application's; seconds: the last ones."""
        query = {"follow": "true"} if follow else {}
        query |= {} if seconds is None else {"sinceSeconds": str(seconds)}
        names = container_names(self._pod(pod))
        query["container"] = container or next((n for n in names if n != SIDECAR), names[0])
        return self.api.lines(self.api.path("v1", "Pod", pod) + "/log", query)

    def ask_agent(self, pod: str, path: str) -> str:
        """Return what Istio's agent beside a pod's sidecar answers; path without its first slash."""
        place = self.api.path("v1", "Pod", self._pod(pod)["metadata"]["name"])
        return self.api.text(f"{place}:{AGENT_PORT}/proxy/{path}")

    def ask_envoy(self, pod: str, path: str) -> str:
        """Return what the administrator of a pod's Envoy answers; path without its first slash."""
        place = self.api.path("v1", "Pod", self._pod(pod)["metadata"]["name"])
        if self._agent_asks_envoy:
            try:
                return self.api.text(f"{place}:{AGENT_PORT}/proxy/{path}")
            except ApiRefused as refused:
                if refused.code != 404:
                    raise
                self._agent_asks_envoy = False  # Istio's own agent serves counters only
        return port_forward.get(self.api, place, ADMIN_PORT, path)

    def _give_node_port(self, service: str, node_port: int | None) -> None:
        """Have a Service's first port on a node port."""
        found = self.get("v1", "Service", service) or {}
        first, *others = found["spec"]["ports"]
        ports = [{**first, "nodePort": node_port}, *others]
        self.patch("v1", "Service", service, {"spec": {"ports": ports}})

    def _pod(self, name: str) -> Obj:
        found = self.get("v1", "Pod", name)
        if found is None:
            known = ", ".join(p["metadata"]["name"] for p in self.pods()) or "none"
            raise ClusterError(f"There is no pod {name!r} in namespace {self.namespace}; there are: {known}.")
        return found


def _write(manager: str = KUBECTL_APPLY) -> dict[str, str]:
    return {"fieldManager": manager, "fieldValidation": "Strict"}


def label(manifest: Obj) -> str:
    """Return an object as kubectl names it, such as deployment.apps/name-v1."""
    group = manifest["apiVersion"].rpartition("/")[0]
    kind = manifest["kind"].lower() + (f".{group}" if group else "")
    return f"{kind}/{manifest['metadata']['name']}"
