"""The API server's own Service, `kubernetes` in default, and its EndpointSlice."""

from collections.abc import Iterable
from typing import ClassVar

from kata_lib.engines.embedded.controllers.base import Controller
from kata_lib.engines.embedded.controllers.endpointslice import SERVICE_NAME
from kata_lib.engines.embedded.objects import key
from kata_lib.engines.embedded.registry.registry import Registry
from kata_lib.engines.embedded.store import Event, Obj

NAMESPACE, NAME = "default", "kubernetes"
PORT = 443
LABELS = {"component": "apiserver", "provider": "kubernetes"}


class ApiServiceController(Controller[str]):
    """Makes both, and makes them again where somebody deletes them; `address` is where the server listens."""

    name = "kube-apiserver"
    resources: ClassVar[set[str]] = {"services", "endpointslices"}

    def __init__(self, registry: Registry, address: tuple[str, int]) -> None:
        super().__init__(registry)
        self._wanted = {"services": _service(address[1]), "endpointslices": _slice(*address)}

    def start(self) -> None:
        super().start()
        for resource in sorted(self.resources):
            self.look_at(resource)

    def items(self, event: Event) -> Iterable[str]:
        if key(event.object) == (NAMESPACE, NAME):
            yield event.resource

    def reconcile(self, item: str) -> None:
        wanted = self._wanted[item]
        if self.registry.store.get(item, NAMESPACE, NAME) is None:
            self.registry.create(item, NAMESPACE, wanted, manager=self.name)
            return

        def write(obj: Obj) -> None:
            if item == "services":
                obj["spec"] |= wanted["spec"]
            else:
                obj |= {field: wanted[field] for field in ("endpoints", "ports")}

        self.registry.mutate(item, NAMESPACE, NAME, write, manager=self.name)


def _service(port: int) -> Obj:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": NAME, "labels": LABELS},
        "spec": {"ports": [{"name": "https", "port": PORT, "protocol": "TCP", "targetPort": port}]},
    }


def _slice(host: str, port: int) -> Obj:
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": NAME, "labels": {SERVICE_NAME: NAME}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": [host], "conditions": {"ready": True}}],
        "ports": [{"name": "https", "port": port, "protocol": "TCP"}],
    }
