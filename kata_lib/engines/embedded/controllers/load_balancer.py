"""Services of type LoadBalancer in, their address out: the one at which the node's Envoy listens for them."""

from collections.abc import Iterable
from typing import ClassVar

from kata_lib.engines.embedded.controllers.base import Controller
from kata_lib.engines.embedded.objects import Key, key
from kata_lib.engines.embedded.store import Event, Obj


class LoadBalancerController(Controller[Key]):
    """Stands for a cloud's load balancer: on this machine a Service's own address is reached from outside."""

    name = "service-lb-controller"
    resources: ClassVar[set[str]] = {"services"}
    subject = "services"

    def items(self, event: Event) -> Iterable[Key]:
        if event.type != "DELETED" and event.object["spec"].get("type") == "LoadBalancer":
            yield key(event.object)

    def reconcile(self, item: Key) -> None:
        def assign(service: Obj) -> None:
            address = service["spec"].get("clusterIP")
            if service["spec"].get("type") == "LoadBalancer" and address not in (None, "", "None"):
                ingress = [{"ip": address, "ipMode": "VIP"}]
                service.setdefault("status", {})["loadBalancer"] = {"ingress": ingress}

        self.registry.mutate("services", *item, assign, manager=self.name, subresource="status")
