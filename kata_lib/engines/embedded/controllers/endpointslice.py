"""Services and pods in, EndpointSlices out: which addresses answer for a service, and in what condition."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, ClassVar

from kata_lib.cluster import labels
from kata_lib.cluster.pods import is_ready
from kata_lib.engines.embedded.controllers.base import Controller
from kata_lib.engines.embedded.objects import (
    Key,
    being_deleted,
    condition,
    controller_of,
    key,
    owner_reference,
)
from kata_lib.engines.embedded.registry.status import StatusError
from kata_lib.engines.embedded.store import Event, Obj

SERVICE_NAME = "kubernetes.io/service-name"
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
MANAGER = "endpointslice-controller.k8s.io"
CHANGED_AT = "endpoints.kubernetes.io/last-change-trigger-time"
HEADLESS = "service.kubernetes.io/headless"

Ports = tuple[tuple[str, int, str, str | None], ...]
"""Name, port, protocol and application protocol of each port of a slice."""


class EndpointSliceController(Controller[Key]):
    """Keeps one slice a service; more only where a named port has different numbers in different pods."""

    name = "kube-controller-manager"
    resources: ClassVar[set[str]] = {"services", "pods", "endpointslices"}
    subject = "services"

    def items(self, event: Event) -> Iterable[Key]:
        namespace, name = key(event.object)
        if event.resource == "services":
            yield namespace, name
        elif event.resource == "endpointslices":
            if event.type == "DELETED" and (owner := controller_of(event.object)):
                yield namespace, owner["name"]
        else:
            both = [pod for pod in (event.object, event.old) if pod]
            for service in self.registry.list("services", namespace):
                if any(labels.selects(service["spec"].get("selector"), pod) for pod in both):
                    yield key(service)

    def reconcile(self, item: Key) -> None:
        namespace, name = item
        try:
            service = self.registry.get("services", namespace, name)
        except StatusError as error:
            if error.code == 404:
                return  # its slices are garbage, which has a collector
            raise
        if being_deleted(service) or not service["spec"].get("selector"):
            return
        pods = [
            pod
            for pod in self.registry.list("pods", namespace)
            if labels.selects(service["spec"].get("selector"), pod)
        ]
        wanted = endpoints_by_ports(service, pods)
        slices = self.registry.list(
            "endpointslices", namespace, labels=f"{SERVICE_NAME}={name},{MANAGED_BY}={MANAGER}"
        )
        for ports, endpoints in wanted.items():
            same = next((found for found in slices if _ports(found) == ports), None) or next(
                iter(slices), None
            )
            if same is None:
                new = slice_of(service, ports, endpoints, changed_at(service, pods))
                self.registry.create("endpointslices", namespace, new, manager=self.name)
            else:
                slices.remove(same)
                self._write(same, slice_of(service, ports, endpoints, changed_at(service, pods)))
        for surplus in slices:
            self.registry.delete("endpointslices", *key(surplus))

    def _write(self, old: Obj, new: Obj) -> None:
        def write(obj: Obj) -> None:
            for field in ("annotations", "labels"):
                obj["metadata"][field] = new["metadata"][field]
            obj["endpoints"], obj["ports"] = new["endpoints"], new["ports"]

        self.registry.mutate("endpointslices", *key(old), write, manager=self.name)


def endpoints_by_ports(service: Obj, pods: list[Obj]) -> dict[Ports, list[Obj]]:
    """Return the endpoints of a service's pods, grouped by the numbers that its ports have in them.

    A service without any such pod has one group, without ports.
    """
    groups: dict[Ports, list[Obj]] = defaultdict(list)
    for pod in pods:
        status = pod.get("status", {})
        if status.get("podIP") and status.get("phase") not in ("Succeeded", "Failed"):
            groups[_resolve(service, pod)].append(endpoint(service, pod))
    return dict(groups) or {(): []}


def endpoint(service: Obj, pod: Obj) -> Obj:
    """Return the pod as an endpoint; a pod that is being deleted serves on, but is never ready."""
    ready, leaving = is_ready(pod), being_deleted(pod)
    published = service["spec"].get("publishNotReadyAddresses", False)
    namespace, name = key(pod)
    return {
        "addresses": [pod["status"]["podIP"]],
        "conditions": {
            "ready": published or (ready and not leaving),
            "serving": published or ready,
            "terminating": leaving,
        },
        "nodeName": pod["spec"]["nodeName"],
        "targetRef": {"kind": "Pod", "name": name, "namespace": namespace, "uid": pod["metadata"]["uid"]},
    }


def _resolve(service: Obj, pod: Obj) -> Ports:
    ports = []
    for port in service["spec"].get("ports", ()):
        target = port.get("targetPort", port["port"])
        number = target if isinstance(target, int) else _named(pod, target)
        if number is not None:
            ports.append((port.get("name", ""), number, port.get("protocol", "TCP"), port.get("appProtocol")))
    return tuple(ports)


def _named(pod: Obj, name: str) -> int | None:
    for container in pod["spec"]["containers"]:
        for port in container.get("ports", ()):
            if port.get("name") == name:
                return int(port["containerPort"])
    return None


def _ports(found: Obj) -> Ports:
    return tuple(
        (port.get("name", ""), port["port"], port.get("protocol", "TCP"), port.get("appProtocol"))
        for port in found.get("ports") or ()
    )


def changed_at(service: Obj, pods: list[Obj]) -> str:
    """Return when the service's endpoints last changed: when it was made, or a pod's readiness changed."""
    ready = [found["lastTransitionTime"] for pod in pods if (found := condition(pod, "Ready"))]
    return str(max([service["metadata"]["creationTimestamp"], *ready]))


def slice_of(service: Obj, ports: Ports, endpoints: list[Obj], changed: str) -> Obj:
    """Return an EndpointSlice of the service, whose endpoints `changed` at that time."""
    name = service["metadata"]["name"]
    headless = {HEADLESS: ""} if service["spec"].get("clusterIP") == "None" else {}
    written: list[dict[str, Any]] = [
        {
            "name": port_name,
            "port": number,
            "protocol": protocol,
            **({"appProtocol": application} if application else {}),
        }
        for port_name, number, protocol, application in ports
    ]
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "generateName": f"{name}-",
            "annotations": {CHANGED_AT: changed},
            "labels": {
                **service["metadata"].get("labels", {}),
                **headless,
                SERVICE_NAME: name,
                MANAGED_BY: MANAGER,
            },
            "ownerReferences": [owner_reference(service)],
        },
        "addressType": "IPv4",
        "endpoints": endpoints,
        "ports": written,
    }
